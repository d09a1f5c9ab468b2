/** The earliest of N times in O(1), changed in O(log N); ties go to the lowest index. */
export class WinnerTree {
  readonly #leaves: number;
  readonly #times: Float64Array;
  readonly #winners: Int32Array;

  constructor(count: number) {
    let leaves = 1;
    while (leaves < count) leaves *= 2;
    this.#leaves = leaves;
    this.#times = new Float64Array(leaves).fill(Number.POSITIVE_INFINITY);
    this.#winners = new Int32Array(2 * leaves);
    for (let i = 0; i < leaves; i++) this.#winners[leaves + i] = i;
    for (let node = leaves - 1; node >= 1; node--) this.#winners[node] = this.#winners[2 * node]!;
  }

  get winner(): number {
    return this.#winners[1]!;
  }

  get time(): number {
    return this.#times[this.#winners[1]!]!;
  }

  update(index: number, time: number): void {
    const times = this.#times;
    const winners = this.#winners;
    times[index] = time;
    for (let node = (this.#leaves + index) >>> 1; node >= 1; node >>>= 1) {
      const left = winners[2 * node]!;
      const right = winners[2 * node + 1]!;
      winners[node] = times[right]! < times[left]! ? right : left;
    }
  }
}
