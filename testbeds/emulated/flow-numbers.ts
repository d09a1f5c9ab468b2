/** Numbers for flows by the hash of their addresses and ports, small ones, since fair queues keep a line for each. */

/** So many flows are told apart; a further one takes the number of the oldest. */
export const MAX_FLOWS = 1024;

export class FlowNumbers {
  readonly #numbers = new Map<number, number>();
  /** by number, the hash that has it */
  readonly #hashes: number[] = [];
  #next = 0;

  numberOf(hash: number): number {
    const known = this.#numbers.get(hash);
    if (known !== undefined) return known;
    const number = this.#next;
    const before = this.#hashes[number];
    if (before !== undefined) this.#numbers.delete(before);
    this.#hashes[number] = hash;
    this.#numbers.set(hash, number);
    this.#next = (number + 1) % MAX_FLOWS;
    return number;
  }
}
