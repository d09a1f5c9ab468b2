/** The earliest of N times in O(1), changed in O(log N); ties go to the lowest index. The general network's. */
export class WinnerTree {
  readonly #leaves: number = 1;
  /** by node, the root is 1 and leaf i is `#leaves + i`: the earliest time below it, and whose it is */
  readonly #times: Float64Array = new Float64Array(0);
  readonly #winners: Int32Array = new Int32Array(0);

  constructor(count: number) {
    let leaves = 1;
    while (leaves < count) leaves *= 2;
    this.#leaves = leaves;
    this.#times = new Float64Array(2 * leaves).fill(Number.POSITIVE_INFINITY);
    this.#winners = new Int32Array(2 * leaves);
    for (let i = 0; i < leaves; i++) this.#winners[leaves + i] = i;
    for (let node = leaves - 1; node >= 1; node--) this.#winners[node] = this.#winners[2 * node]!;
  }

  get winner(): number {
    return this.#winners[1]!;
  }

  get time(): number {
    return this.#times[1]!;
  }

  update(index: number, time: number): void {
    const times = this.#times;
    const winners = this.#winners;
    let node = this.#leaves + index;
    let earliest = time;
    let winner = index;
    times[node] = time;
    while (node > 1) {
      const sibling = node ^ 1;
      const other = times[sibling]!;
      if (other < earliest || (other === earliest && sibling < node)) {
        earliest = other;
        winner = winners[sibling]!;
      }
      node >>>= 1;
      // what is above says the same as before then
      if (winners[node] === winner && times[node] === earliest) return;
      times[node] = earliest;
      winners[node] = winner;
    }
  }
}
