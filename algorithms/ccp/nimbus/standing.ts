/** What the delay rule has come to over the last seconds, beside whatever else is on the link. */
import { MICROS_PER_SEC, type Micros } from "../../../core/units.ts";

/** Section 4.1: what was sent before elastic traffic came, which takes 5 s to see. */
export const MEMORY_US: Micros = 5 * MICROS_PER_SEC;
/** a mean over so long has no pulses of its own */
export const LATELY_US: Micros = MICROS_PER_SEC;
/** Ours: a rate that is so much less than 5 s before is given up to somebody. */
const LOSES = 0.9;
/** Of what it is allowed, pulses and all: who sends less has no more to send. */
const SENDS_ALL = 0.8;

interface Moment {
  readonly atUs: Micros;
  /** packets/s that were allowed, and that were sent */
  readonly rate: number;
  readonly sendRate: number;
  readonly queueUs: Micros;
}

export class Standing {
  readonly #past: Moment[] = [];
  #sinceUs: Micros = 0;

  /** Queues before do not count: another rule has made them. */
  begin(nowUs: Micros): void {
    this.#sinceUs = nowUs;
  }

  clear(nowUs: Micros): void {
    this.#past.length = 0;
    this.#sinceUs = nowUs;
  }

  add(moment: Moment): void {
    this.#past.push(moment);
    while (moment.atUs - this.#past[0]!.atUs > MEMORY_US) this.#past.shift();
  }

  get lastUs(): Micros {
    return this.#past.at(-1)?.atUs ?? 0;
  }

  /** packets/s, 5 s ago; 0: not known */
  get rateBefore(): number {
    return this.#past[0]?.rate ?? 0;
  }

  /** packets/s, of all that is remembered */
  get meanRate(): number {
    return meanOf(this.#past, "rate");
  }

  /** over the last 5 s; undefined: the delay rule has not held for so long */
  queueUs(nowUs: Micros): { readonly mean: Micros; readonly least: Micros } | undefined {
    if (nowUs - this.#sinceUs <= MEMORY_US) return undefined;
    const least = this.#past.reduce(
      (least, { queueUs }) => Math.min(least, queueUs),
      Number.POSITIVE_INFINITY,
    );
    return { mean: meanOf(this.#past, "queueUs"), least };
  }

  /** It gets clearly less than 5 s before, and takes what it gets. */
  isLosing(nowUs: Micros): boolean {
    const first = this.#past[0];
    if (first === undefined) return false;
    const before = this.#past.filter(({ atUs }) => atUs - first.atUs < LATELY_US);
    return this.gets(nowUs, LOSES * meanOf(before, "rate")) === "less";
  }

  /** @param rate packets/s; what it has lately got beside that, where its senders have so much to send at all */
  gets(nowUs: Micros, rate: number): "less" | "enough" {
    const lately = this.#past.filter(({ atUs }) => nowUs - atUs < LATELY_US);
    const got = meanOf(lately, "rate");
    return got < rate && meanOf(lately, "sendRate") > SENDS_ALL * got ? "less" : "enough";
  }
}

function meanOf(moments: readonly Moment[], key: "rate" | "sendRate" | "queueUs"): number {
  if (moments.length === 0) return 0;
  return moments.reduce((sum, moment) => sum + moment[key], 0) / moments.length;
}
