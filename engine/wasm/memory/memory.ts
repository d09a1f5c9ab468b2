/**
 * Blocks of memory by powers of two: what is released is kept in a list per size and taken again. A network's memory goes
 * with the network, so nothing is ever given back to the host.
 */
import { memoryGrew, outOfMemory } from "../host";

const PAGE_BITS: u32 = 16;
/** A cache line. */
const MIN_BITS: u32 = 6;
const MAX_PAGES: u64 = 65536;

/** by size class: the first free block, whose first word is the next one; 0: none */
const freeLists = memory.data(33 * sizeof<usize>(), 8);
let top: usize = (__heap_base + 63) & ~63;

function sizeBits(bytes: usize): u32 {
  const bits: u32 = 32 - clz<u32>(<u32>bytes - 1);
  return bits < MIN_BITS ? MIN_BITS : bits;
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
  const bits = sizeBits(bytes);
  const list = freeLists + bits * sizeof<usize>();
  const free = load<usize>(list);
  if (free !== 0) {
    store<usize>(list, load<usize>(free));
    memory.fill(free, 0, (<usize>1) << bits);
    return free;
  }
  const block = top;
  const end: u64 = <u64>block + ((<u64>1) << bits);
  if (end > (<u64>memory.size()) << PAGE_BITS) grow(end);
  top = <usize>end;
  return block;
}

/** @param bytes as it was asked for */
export function release(block: usize, bytes: usize): void {
  const list = freeLists + sizeBits(bytes) * sizeof<usize>();
  store<usize>(block, load<usize>(list));
  store<usize>(list, block);
}
