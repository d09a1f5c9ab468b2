/** Every n-th packet is lost: the deterministic loss of response functions (RFC 9438 section 5.1). */
export class PeriodicLoss {
  readonly #everyPackets: number;
  #untilLoss: number;

  /** @param offsetPackets packets that pass before the first loss */
  constructor(everyPackets: number, offsetPackets: number) {
    this.#everyPackets = everyPackets;
    this.#untilLoss = offsetPackets;
  }

  loses(): boolean {
    if (this.#untilLoss > 0) {
      this.#untilLoss--;
      return false;
    }
    this.#untilLoss = this.#everyPackets - 1;
    return true;
  }
}
