/** The maximum over the last rounds: BBR's filter for the bottleneck bandwidth (draft-cardwell-iccrg-bbr-00 4.1.1.3). */
export class RoundMax {
  readonly #rounds: number[];
  #current = 0;

  /** @param rounds how many past rounds count besides the running one */
  constructor(rounds: number) {
    this.#rounds = new Array<number>(rounds + 1).fill(0);
  }

  add(value: number): void {
    this.#rounds[this.#current] = Math.max(this.#rounds[this.#current]!, value);
  }

  /** A new round begins; the oldest one falls out. */
  advance(): void {
    this.#current = (this.#current + 1) % this.#rounds.length;
    this.#rounds[this.#current] = 0;
  }

  /** 0 before the first value. */
  get value(): number {
    return Math.max(...this.#rounds);
  }
}
