/**
 * Cross traffic that stops for a moment every ten seconds is BBR's (Cardwell et al., ACM Queue 14(5), 2016): it steps aside for 200 ms
 * to measure the path's RTT, and has at most twice that RTT's worth in flight until the next time.
 */
import { MICROS_PER_MILLI, MICROS_PER_SEC, type Micros } from "../../../core/units.ts";

/** of mu: less cross traffic cannot be told from none */
const THERE = 0.1;
/** of what there was in the mean: less is a pause, and so much its end; a loss makes no TCP stop */
const GONE = 0.3;
const BACK = 0.5;
/** what the mean is over */
const MEAN_US: Micros = 2 * MICROS_PER_SEC;
/** so long, in one piece: while queues go, single samples say little */
const BACK_US: Micros = 50 * MICROS_PER_MILLI;
/** What others do for so long after a change of our own, they do because of it. */
const DISTURBED_US: Micros = 2 * MICROS_PER_SEC;
/** BBR's 200 ms, less what the estimate is smoothed over; less may be its own noise, or a Cubic's cut, and more is no pause but an end */
const PAUSE_US = { least: 150 * MICROS_PER_MILLI, most: MICROS_PER_SEC };
/** BBR's ten seconds, and time to drain, to measure, and to be seen */
const PERIOD_US = { least: 10 * MICROS_PER_SEC, most: 12.5 * MICROS_PER_SEC };
/** A pause may go unseen. */
const MEMORY_US: Micros = 2 * PERIOD_US.most;

export class Pauses {
  #mean = 0;
  #atUs: Micros | undefined;
  #goneUs: Micros | undefined;
  #backUs: Micros | undefined;
  #disturbedUntilUs: Micros = 0;
  readonly #past: Micros[] = [];
  #untilUs: Micros = 0;

  /** @param share the cross traffic's rate, of the link's; 0 where nothing queues: who fills queues is gone with them */
  add(nowUs: Micros, share: number): void {
    const spanUs = nowUs - (this.#atUs ?? nowUs);
    this.#atUs = nowUs;
    if (nowUs < this.#disturbedUntilUs) return;
    if (this.#goneUs === undefined) {
      if (this.#mean > THERE && share < GONE * this.#mean) this.#goneUs = nowUs;
      else this.#mean += Math.min(1, spanUs / MEAN_US) * (share - this.#mean);
      return;
    }
    if (share < BACK * this.#mean) this.#backUs = undefined;
    else this.#backUs ??= nowUs;
    const pauseUs = (this.#backUs ?? nowUs) - this.#goneUs;
    const isOver = this.#backUs !== undefined && nowUs - this.#backUs >= BACK_US;
    if (!isOver && pauseUs <= PAUSE_US.most) return;
    this.#goneUs = this.#backUs = undefined;
    if (pauseUs > PAUSE_US.most) this.#mean = share;
    else if (pauseUs >= PAUSE_US.least) this.#count(nowUs);
  }

  /** Our own rule has changed. */
  disturb(nowUs: Micros): void {
    this.#disturbedUntilUs = nowUs + DISTURBED_US;
    this.#goneUs = this.#backUs = undefined;
  }

  #count(nowUs: Micros): void {
    while (nowUs - (this.#past[0] ?? nowUs) > PERIOD_US.most) this.#past.shift();
    const [first, ...further] = this.#past;
    const sinceUs = nowUs - (first ?? Number.NEGATIVE_INFINITY);
    const recurs = sinceUs >= PERIOD_US.least && sinceUs <= PERIOD_US.most && further.length === 0;
    if (recurs || this.recur(nowUs)) this.#untilUs = nowUs + MEMORY_US;
    this.#past.push(nowUs);
  }

  /** It has stopped just now. */
  get isPausing(): boolean {
    return this.#goneUs !== undefined;
  }

  /** It does so every ten seconds, or did so once, and whether it does again is to be seen. */
  mayRecur(nowUs: Micros): boolean {
    const lastUs = this.#past.at(-1) ?? Number.NEGATIVE_INFINITY;
    return this.recur(nowUs) || nowUs - lastUs < PERIOD_US.most;
  }

  /** It does so every ten seconds. */
  recur(nowUs: Micros): boolean {
    return nowUs < this.#untilUs;
  }
}
