/** Rings of rows: a power of two of them, each of `1 << shift` bytes, found by number. */
import { allocate, release } from "./memory";

/** A ring of rows of twice the size; it keeps the rows from `first` to before `end`. */
export function grown(rows: usize, mask: i64, shift: usize, first: i64, end: i64): usize {
  const bytes = (<usize>(mask + 1)) << shift;
  const larger = allocate(bytes << 1);
  const largerMask = 2 * mask + 1;
  for (let k = first; k < end; k++) {
    const to = larger + ((<usize>(k & largerMask)) << shift);
    memory.copy(to, rows + ((<usize>(k & mask)) << shift), (<usize>1) << shift);
  }
  release(rows, bytes);
  return larger;
}
