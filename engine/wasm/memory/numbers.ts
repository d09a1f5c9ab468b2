/** A growing list of whole numbers. */
import { allocate, release } from "./memory";

const MIN_CAPACITY: i32 = 16;

@unmanaged
export class Numbers {
  data: usize;
  length: i32;
  capacity: i32;

  @inline
  at(i: i32): i64 {
    return load<i64>(this.data + ((<usize>i) << 3));
  }

  push(value: i64): void {
    this.insert(this.length, value);
  }

  insert(i: i32, value: i64): void {
    const length = this.length;
    if (length === this.capacity) this.grow();
    const place = this.data + ((<usize>i) << 3);
    memory.copy(place + 8, place, (<usize>(length - i)) << 3);
    store<i64>(place, value);
    this.length = length + 1;
  }

  /** Of a sorted list: the value's place, or where it belongs. */
  find(value: i64): i32 {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.at(middle) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  dropFirst(count: i32): void {
    if (count === 0) return;
    const left = this.length - count;
    memory.copy(this.data, this.data + ((<usize>count) << 3), (<usize>left) << 3);
    this.length = left;
  }

  free(): void {
    if (this.capacity > 0) release(this.data, (<usize>this.capacity) << 3);
  }

  private grow(): void {
    const capacity = this.capacity === 0 ? MIN_CAPACITY : 2 * this.capacity;
    const data = allocate((<usize>capacity) << 3);
    memory.copy(data, this.data, (<usize>this.length) << 3);
    this.free();
    this.data = data;
    this.capacity = capacity;
  }
}
