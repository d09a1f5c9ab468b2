/** What a node knows of the path to another by packets there and back: loss, round trip, whether it is dead. */
import type { Rng } from "../../core/random.ts";
import { type Micros, NANOS_PER_MICRO, NANOS_PER_SEC, type Nanos } from "../../core/units.ts";
import type { ProbeSpec } from "../../scenarios/overlay/overlay.ts";
import type { Overlay } from "./overlay.ts";

/** Of RON: a probe's size, and how many losses in a row say that a path is dead. */
const BYTES = 69;
const DEAD_AFTER = 4;
const WINDOW = 100;
/** Of the smoothed round trip, as RON and TCP smooth it. */
const EWMA = 0.1;

export class PathProbe {
  readonly #overlay: Overlay;
  readonly #there: readonly number[];
  readonly #back: readonly number[];
  readonly #from: number;
  readonly #to: number;
  readonly #spec: Required<ProbeSpec>;
  /** ring of the latest outcomes, 1: lost */
  readonly #lost: Uint8Array;
  #count = 0;
  #lostCount = 0;
  #lostInRow = 0;
  /** smoothed; Infinity: none has come back yet */
  rttUs: Micros = Number.POSITIVE_INFINITY;

  constructor(overlay: Overlay, from: string, to: string, spec: ProbeSpec) {
    this.#overlay = overlay;
    this.#there = overlay.graph.way(from, to);
    this.#back = overlay.graph.way(to, from);
    this.#from = overlay.numberOf(from);
    this.#to = overlay.numberOf(to);
    this.#spec = { timeoutSec: 1, bytes: BYTES, deadAfter: DEAD_AFTER, window: WINDOW, ...spec };
    this.#lost = new Uint8Array(this.#spec.window);
  }

  /** @param rng draws when the first one leaves */
  start(rng: Rng): void {
    const everyNs = this.#spec.everySec * NANOS_PER_SEC;
    const next = (): void => {
      this.#probe();
      this.#overlay.after(everyNs, next);
    };
    this.#overlay.after(rng.next() * everyNs, next);
  }

  get isDead(): boolean {
    return this.#lostInRow >= this.#spec.deadAfter;
  }

  /** one way, 0 to 1; 1: dead */
  get lossRate(): number {
    if (this.isDead) return 1;
    const known = Math.min(this.#count, this.#spec.window);
    return known === 0 ? 0 : 1 - Math.sqrt(1 - this.#lostCount / known);
  }

  #probe(): void {
    const overlay = this.#overlay;
    const { bytes, timeoutSec } = this.#spec;
    const sentNs = overlay.nowNs;
    let isOver = false;
    const answer = (): void => {
      if (isOver) return;
      isOver = true;
      this.#note(false, overlay.nowNs - sentNs);
    };
    overlay.messages.send(this.#there, bytes, this.#from, () =>
      overlay.messages.send(this.#back, bytes, this.#to, answer),
    );
    overlay.after(timeoutSec * NANOS_PER_SEC, () => {
      if (isOver) return;
      isOver = true;
      this.#note(true, 0);
      // is it the path, or chance? the others follow at once
      if (this.#lostInRow < this.#spec.deadAfter) this.#probe();
    });
  }

  #note(isLost: boolean, rttNs: Nanos): void {
    const place = this.#count++ % this.#spec.window;
    this.#lostCount += (isLost ? 1 : 0) - this.#lost[place]!;
    this.#lost[place] = isLost ? 1 : 0;
    this.#lostInRow = isLost ? this.#lostInRow + 1 : 0;
    if (isLost) return;
    const rttUs = rttNs / NANOS_PER_MICRO;
    this.rttUs = this.rttUs === Number.POSITIVE_INFINITY ? rttUs : this.rttUs + EWMA * (rttUs - this.rttUs);
  }
}
