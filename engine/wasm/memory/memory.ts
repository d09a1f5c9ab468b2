/**
 * Blocks of memory by cache lines, large ones by powers of two: what is released is kept in a list per size and taken again. A
 * network's memory goes with the network, so nothing is ever given back to the host.
 */
import { memoryGrew, outOfMemory } from "../host";

const PAGE_BITS: u32 = 16;
/** A cache line. */
const LINE_BITS: u32 = 6;
/** Larger blocks are rings and lists that double, and powers of two anyway. */
const MAX_LINES: u32 = 64;
const MAX_LINES_BITS: u32 = 12;
const MAX_PAGES: u64 = 65536;

/** by size class: the first free block, whose first word is the next one; 0: none */
const SIZE_CLASSES: usize = 85;
const freeLists = memory.data(SIZE_CLASSES * sizeof<usize>(), 8);
const bottom: usize = (__heap_base + 63) & ~63;
let top: usize = bottom;

/** Number of lines, or beyond MAX_LINES that and the further doublings. */
function sizeClass(bytes: usize): u32 {
  const lines = (<u32>bytes + (1 << LINE_BITS) - 1) >> LINE_BITS;
  return lines <= MAX_LINES ? max<u32>(1, lines) : MAX_LINES + 32 - clz<u32>(<u32>bytes - 1) - MAX_LINES_BITS;
}

function bytesOf(sizeClass: u32): usize {
  if (sizeClass <= MAX_LINES) return (<usize>sizeClass) << LINE_BITS;
  return (<usize>1) << (sizeClass - MAX_LINES + MAX_LINES_BITS);
}

function grow(toBytes: u64): void {
  const pages: u64 = <u64>memory.size();
  const missing: u64 = ((toBytes + 0xffff) >> PAGE_BITS) - pages;
  // half as much again, so that a growing network does not stop often
  let wanted: u64 = max<u64>(missing, pages >> 1);
  if (pages + wanted > MAX_PAGES) wanted = missing;
  if (pages + wanted > MAX_PAGES || memory.grow(<i32>wanted) < 0) {
    outOfMemory();
    unreachable();
  }
  memoryGrew();
}

/** Zeroed, aligned to a cache line. */
export function allocate(bytes: usize): usize {
  const kind = sizeClass(bytes);
  const size = bytesOf(kind);
  const list = freeLists + kind * sizeof<usize>();
  const free = load<usize>(list);
  if (free !== 0) {
    store<usize>(list, load<usize>(free));
    memory.fill(free, 0, size);
    return free;
  }
  const block = top;
  const end: u64 = <u64>block + <u64>size;
  if (end > (<u64>memory.size()) << PAGE_BITS) grow(end);
  top = <usize>end;
  return block;
}

/** @param bytes as it was asked for */
export function release(block: usize, bytes: usize): void {
  const list = freeLists + sizeClass(bytes) * sizeof<usize>();
  store<usize>(block, load<usize>(list));
  store<usize>(list, block);
}

/** All is released, and the memory is as it was at first, but that it keeps its size. */
export function clear(): void {
  memory.fill(bottom, 0, top - bottom);
  memory.fill(freeLists, 0, SIZE_CLASSES * sizeof<usize>());
  top = bottom;
}
