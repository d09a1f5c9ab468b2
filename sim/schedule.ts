/** Call-backs at points of virtual time: a binary heap by (time, order of adding), so that one instant is first in first out. */
import type { Nanos } from "../core/units.ts";

interface Entry {
  readonly atNs: Nanos;
  readonly order: number;
  readonly run: () => void;
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atNs < b.atNs || (a.atNs === b.atNs && a.order < b.order);
}

export class Schedule {
  readonly #heap: Entry[] = [];
  #added = 0;
  /** of the first call-back; Infinity: none */
  nextNs: Nanos = Number.POSITIVE_INFINITY;

  add(atNs: Nanos, run: () => void): void {
    const heap = this.#heap;
    const entry: Entry = { atNs, order: this.#added++, run };
    let i = heap.length;
    heap.push(entry);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = entry;
    this.nextNs = heap[0]!.atNs;
  }

  /** Takes the first call-back and runs it; it may add others. */
  runNext(): void {
    const { run } = this.#take();
    run();
  }

  #take(): Entry {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(last);
    this.nextNs = heap[0]?.atNs ?? Number.POSITIVE_INFINITY;
    return first;
  }

  /** Puts `entry` in from the top. */
  #sink(entry: Entry): void {
    const heap = this.#heap;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, entry)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = entry;
  }
}
