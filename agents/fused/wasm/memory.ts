/** Memory that is given out from the bottom up and goes as a whole, with the instance. */

const PAGE_BITS: u32 = 16;

let top: usize = (__heap_base + 63) & ~63;

/** @param width of a row; @returns of it in memory: whole vectors of four */
export function padded(width: i32): i32 {
  return (width + 3) & ~3;
}

/** Zeroed, aligned to a cache line. Traps where there is no more memory. */
export function floats(count: i32): usize {
  const block = top;
  top += (((<usize>count) << 2) + 63) & ~63;
  const missing = <i32>((top + 0xffff) >>> PAGE_BITS) - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) unreachable();
  return block;
}
