/**
 * What a distilled tree looks at and what its leaves do, as statements of the datapath language in whole numbers: unsigned, ratios in
 * units of 1/1024 unless said otherwise. There are two forms. A policy that sets a window becomes a tree whose leaves multiply the
 * window; one that paces becomes a tree whose leaves say pace and window by the rate that comes through, which the program keeps
 * track of as the policy's own action does (`envs/signals/general/path-model.ts`).
 */
import { exp, log2 } from "../../core/math.ts";
import { parseStatements, type Registers, type Statement } from "./statements.ts";

/** What 1 is in fixed point: a power of two, so that products of a window of 10 MB stay far below 2^64. */
export const ONE = 1024;

/** Facts of one decision, as the program has counted them; whole numbers. */
export interface DecisionFacts {
  /** packets since the last decision */
  readonly delivered: number;
  readonly lost: number;
  /** sum of RTT samples over delivered packets, us */
  readonly rttSum: number;
  /** the latest sample, and the least of the flow, us; both above 0 */
  readonly rttUs: number;
  readonly minRttUs: number;
  readonly rateInBytesPerSec: number;
  readonly rateOutBytesPerSec: number;
  /** since the last decision */
  readonly elapsedUs: number;
}

export interface TreeFeature {
  readonly name: string;
  readonly unit: string;
  readonly definition: string;
  /** what holds it; absent: its name */
  readonly register?: string;
}

export interface TreeForm {
  readonly name: "window" | "path";
  readonly features: readonly TreeFeature[];
  /** in their order, before the tree is asked */
  readonly statements: readonly Statement[];
  /** what a leaf is bound to */
  readonly leaf: string;
  /** after it */
  readonly outputs: readonly Statement[];
  /** what does not begin as 0 */
  readonly initials: Readonly<Record<string, number>>;
  /** numbers of a target */
  readonly width: number;
  /** a leaf's whole number @param target log2 of what a leaf says, [width] */
  encode(target: ArrayLike<number>): number;
}

/** The highest delivery rate lives in two halves of this, so it is forgotten after 5 to 10 s. */
const RATE_WINDOW_US = 5_000_000;

const MEAN_RTT = "(:= meanRtt (max minRtt (/ rttSum (max delivered 1))))";
const QUEUE_RATIO: TreeFeature = {
  name: "queueRatio",
  unit: "1/1024",
  definition: "queueing delay / least RTT",
};
const MIN_RTT: TreeFeature = { name: "minRtt", unit: "us", definition: "least RTT of the flow" };

const scaled = (value: number, most: number): number =>
  Math.max(1, Math.min(most, Math.round(ONE * exp(Math.LN2 * value))));

export const WINDOW_FORM: TreeForm = {
  name: "window",
  features: [
    { name: "lastQueueRatio", unit: "1/1024", definition: "queueRatio one decision ago" },
    { name: "lastDelivery", unit: "1/1024", definition: "delivery one decision ago" },
    { name: "lastFill", unit: "1/1024", definition: "fill one decision ago" },
    { name: "queueUs", unit: "us", definition: "mean RTT since the last decision less the least RTT" },
    QUEUE_RATIO,
    { name: "trend", unit: "1/1024", definition: "latest RTT / mean RTT" },
    { name: "delivery", unit: "1/1024", definition: "delivery rate / the highest of the last 5 to 10 s" },
    { name: "fill", unit: "1/1024", definition: "window / (highest delivery rate x least RTT)" },
    { name: "loss", unit: "1/1024", definition: "lost / (lost + delivered)" },
    {
      name: "lastGain",
      unit: "1/1024",
      definition: "what the window was multiplied by before",
      register: "gain",
    },
    MIN_RTT,
    { name: "maxRate", unit: "B/s", definition: "highest delivery rate of the last 5 to 10 s" },
  ],
  statements: parseStatements(`
    (:= lastQueueRatio queueRatio)
    (:= lastDelivery delivery)
    (:= lastFill fill)
    ${MEAN_RTT}
    (:= sinceUs (+ sinceUs Micros))
    (:= maxNow (max maxNow Flow.rate_incoming))
    (:= maxRate (max maxNow maxBefore))
    (:= maxBefore (if (> sinceUs ${RATE_WINDOW_US}) maxNow))
    (:= maxNow (if (> sinceUs ${RATE_WINDOW_US}) 0))
    (:= sinceUs (if (> sinceUs ${RATE_WINDOW_US}) 0))
    (:= queueUs (- meanRtt minRtt))
    (:= queueRatio (/ (* (- meanRtt minRtt) ${ONE}) minRtt))
    (:= trend (/ (* rtt ${ONE}) meanRtt))
    (:= delivery (/ (* Flow.rate_incoming ${ONE}) (max maxRate 1)))
    (:= fill (/ (* window ${ONE}) (max (/ (* maxRate minRtt) 1000000) 1)))
    (:= loss (/ (* lost ${ONE}) (max (+ lost delivered) 1)))`),
  leaf: "gain",
  outputs: parseStatements(`
    (:= window (max least (min most (/ (* window gain) ${ONE}))))
    (:= Cwnd window)`),
  initials: { gain: ONE },
  width: 1,
  encode: (target) => scaled(target[0]!, 2 * ONE),
};

/** Of small numbers that are smoothed: steps of 1/1024 would stop before they have arrived. */
const FINE = 16 * ONE;
/** A leaf says pace and window in one number: this times the pace, and the window. */
const PACKED = 8 * ONE;

/**
 * As `PathModel` has it, in whole numbers. `change` is 1 - lesser / greater where the model has the octaves between two reports; the
 * highest rate is that of the last 5 to 10 reports; `least` is two packets.
 */
const PATH = `
  ${MEAN_RTT}
  (:= queue (- meanRtt minRtt))
  (:= through (/ (* (* delivered least) 500000) Micros))
  (:= rate (min Flow.rate_incoming Flow.rate_outgoing))
  (:= bunch 0)
  (:= bunch (if (> through (* rate 2)) ${ONE}))
  (:= bunching (/ (+ (* bunching 7) bunch) 8))
  (:= change (/ (* (- (max through lastThrough) (min through lastThrough)) ${FINE}) (max through (max lastThrough 1))))
  (:= lastThrough through)
  (:= rateChange (/ (+ (* rateChange 15) change) 16))
  (:= rateChange (if (> startup 0) 0))
  (:= varying 557)
  (:= varying (if (> bunching 51) 2120))
  (:= rate (if (|| (> bunch 0) (> rateChange varying)) through))
  (:= maxNow (max maxNow rate))
  (:= highest (max maxNow maxBefore))
  (:= reports (+ reports 1))
  (:= maxBefore (if (> reports 4) maxNow))
  (:= maxNow (if (> reports 4) 0))
  (:= reports (if (> reports 4) 0))
  (:= path (ewma 5 rate))
  (:= path (if (> startup 0) highest))
  (:= queue (if (> bunching 614) (- queue (min queue (/ Micros 2)))))
  (:= loss (/ (* lost ${FINE}) (max (+ lost delivered) 1)))
  (:= fullRounds (+ fullRounds 1))
  (:= fullRounds (if (> (* highest 4) (* full 5)) 0))
  (:= full (if (== fullRounds 0) highest))
  (:= startup (if (> fullRounds 2) 0))
  (:= startup (if (&& (> fullRounds 0) (|| (> queue (+ 2000 (/ minRtt 4))) (> loss 819))) 0))
  (:= lastRtt (if (== lastRtt 0) meanRtt))
  (:= rttChange (/ (+ (* rttChange 7) (- (max meanRtt lastRtt) (min meanRtt lastRtt))) 8))
  (:= lastRtt meanRtt)
  (:= packetUs (/ (* least 500000) (max highest 1)))
  (:= level (max (/ packetUs 2) (min rttChange (+ (/ minRtt 2) (* packetUs 2)))))
  (:= level (max level (max 600 (/ minRtt 100))))
  (:= level (/ (* queue ${ONE}) level))
  (:= quiet (+ quiet 1))
  (:= quiet (if (> level ${ONE}) 0))
  (:= lossMemory (/ (+ (* lossMemory 31) loss) 32))
  (:= queueRatio (/ (* (- meanRtt minRtt) ${ONE}) minRtt))
  (:= packetRatio (/ (* packetUs ${ONE}) minRtt))`;

export const PATH_FORM: TreeForm = {
  name: "path",
  features: [
    {
      name: "level",
      unit: "1/1024",
      definition:
        "queueing delay / what is held: at least 0.6 ms, a part of the least RTT, half a packet, and how much the RTT changes by itself",
    },
    QUEUE_RATIO,
    { name: "quiet", unit: "1", definition: "decisions in a row with a level below 1, less one" },
    { name: "startup", unit: "1", definition: "1 until slow start has found the rate" },
    {
      name: "rateChange",
      unit: "1/16384",
      definition: "how much the throughput of a decision differs from that of the one before, over some 16",
    },
    { name: "bunching", unit: "1/1024", definition: "share of decisions with a bunch of ACKs, over some 8" },
    { name: "loss", unit: "1/16384", definition: "lost / (lost + delivered)" },
    { name: "lossMemory", unit: "1/16384", definition: "the same over some 32 decisions" },
    { name: "packetRatio", unit: "1/1024", definition: "how long the path takes for a packet / least RTT" },
    {
      name: "rttChange",
      unit: "us",
      definition: "how much the mean RTT differs from that before, over some 8 decisions",
    },
    MIN_RTT,
  ],
  statements: parseStatements(PATH),
  leaf: "leaf",
  outputs: parseStatements(`
    (:= pace (/ leaf ${PACKED}))
    (:= window (- leaf (* pace ${PACKED})))
    (:= window (max least (min most (+ (/ (* (/ (* path minRtt) 1000000) window) ${ONE}) least))))
    (:= Cwnd window)
    (:= Rate (+ (/ (* path pace) ${ONE}) (/ (* least 500000) minRtt)))`),
  initials: { startup: 1 },
  width: 2,
  encode: (target) => PACKED * scaled(target[0]!, 4 * ONE) + scaled(target[1]!, PACKED - 1),
};

/** One flow's decisions as its program makes them. */
export class TreeRun {
  readonly #form: TreeForm;
  readonly #registers: Registers = {};

  /** windows in bytes: at the start, at least (two packets), at most */
  constructor(form: TreeForm, window: number, least: number, most: number) {
    this.#form = form;
    for (const [name, value] of Object.entries({ ...form.initials, window, least, most }))
      this.#registers[name] = BigInt(value);
  }

  /** The features of a decision, float64 [features]. */
  observe(facts: DecisionFacts): Float64Array {
    const registers = this.#registers;
    const given: Readonly<Record<string, number>> = {
      delivered: facts.delivered,
      lost: facts.lost,
      rttSum: facts.rttSum,
      rtt: facts.rttUs,
      minRtt: facts.minRttUs,
      "Flow.rate_incoming": facts.rateInBytesPerSec,
      "Flow.rate_outgoing": facts.rateOutBytesPerSec,
      Micros: facts.elapsedUs,
    };
    for (const [name, value] of Object.entries(given)) registers[name] = BigInt(value);
    for (const statement of this.#form.statements) statement.run(registers);
    return Float64Array.from(this.#form.features, ({ name, register = name }) =>
      Number(registers[register] ?? 0n),
    );
  }

  /** @returns what is set: window, and a pacing rate or 0 */
  decide(leaf: number): { readonly cwndBytes: number; readonly rateBytesPerSec: number } {
    const registers = this.#registers;
    registers[this.#form.leaf] = BigInt(leaf);
    for (const statement of this.#form.outputs) statement.run(registers);
    return { cwndBytes: this.of("window"), rateBytesPerSec: this.of("Rate") };
  }

  /** A register's value now. */
  of(name: string): number {
    return Number(this.#registers[name] ?? 0n);
  }
}

/**
 * What a leaf of the path form would have to say for a window and a rate, log2: of the pace by the rate of the path, of the window
 * by what the path holds. undefined: the path has shown no rate yet.
 */
export function pathTarget(
  run: TreeRun,
  { cwndBytes, rateBytesPerSec }: { readonly cwndBytes: number; readonly rateBytesPerSec: number },
): readonly [number, number] | undefined {
  const [path, minRtt, least] = [run.of("path"), run.of("minRtt"), run.of("least")];
  const bytes = (path * minRtt) / 1e6;
  if (bytes < 1) return undefined;
  const probe = (least * 500_000) / minRtt;
  return [
    log2(Math.max(rateBytesPerSec - probe, path / ONE) / path),
    log2(Math.max(cwndBytes - least, bytes / ONE) / bytes),
  ];
}
