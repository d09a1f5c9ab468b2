/**
 * LEDBAT as DTL has it (Reale, Roverso, El-Ansary and Haridi, "DTL: Dynamic Transport Library for Peer-to-Peer Applications",
 * ICDCN 2012), where a latecomer, who takes the first one's queue for the path's delay, does not get all of the link: slow start,
 * one packet per RTT up to the target and a multiplicative decrease above it (with additive increase the two that converge to
 * equal shares: Chiu and Jain, 1989), a longer history and a filter of the delay.
 *
 * How a latecomer comes to know the path's delay is ours: now and then a flow keeps two packets in flight for two RTTs, as LEDBAT++
 * does, and those that see the queue empty join, which costs a percent of the link. Without it (`drainSec=0`) shares are equal
 * only where something else empties the queue.
 */
import { pow } from "../../../core/math.ts";
import { MICROS_PER_MILLI, MICROS_PER_SEC, type Micros } from "../../../core/units.ts";
import type { AlgorithmParam, AlgorithmSpec, ParamValues } from "../../spec.ts";
import { type Decision, type Interval, intervalAlgorithm, type Rules } from "../parts/interval-flow.ts";
import { QueueDelay } from "../parts/queue-delay.ts";
import { queueParams } from "./ledbat.ts";

const DRAIN_PACKETS = 2;
const DRAIN_RTTS = 2;
/** The first one comes after a third of the time between two: until then the others have made room for a latecomer. */
const FIRST_DRAIN = 1 / 3;
/** Afterwards slow start goes on to so much of the window before: a latecomer's was too large. */
const RESUMES_TO = 0.5;
/** A flow joins when another empties the queue below so much of the target, or what each of them holds would hide the path's delay. */
const JOIN_BELOW = 0.8;
/** Not before so much of the time between two has passed. */
const JOINS_AFTER = 1 / 6;

type Drain =
  /** slow start has not ended */
  | { readonly kind: "none" }
  | { readonly kind: "due"; readonly atUs: Micros; readonly joinsFromUs: Micros }
  | { readonly kind: "going-on"; readonly untilUs: Micros; readonly cwndPackets: number };

export class DtlLedbatRules implements Rules {
  readonly #params: ParamValues;
  readonly #queue: QueueDelay;
  #drain: Drain = { kind: "none" };
  /** as of the last interval */
  #delayUs: Micros = 0;
  #decreasedUs: Micros = Number.NEGATIVE_INFINITY;

  constructor(params: ParamValues) {
    this.#params = params;
    this.#queue = new QueueDelay(params["historyMinutes"]!, params["filter"]!);
  }

  /** Learns of the path while others decide. */
  observe({ nowUs, samples, lowRttUs }: Interval): void {
    if (samples > 0) this.#queue.add(nowUs, lowRttUs);
  }

  /** It decides from now on, or no longer. */
  restart(): void {
    this.#drain = { kind: "none" };
  }

  onInterval(interval: Interval): Decision | undefined {
    this.observe(interval);
    return interval.samples === 0 ? undefined : this.decide(interval);
  }

  /** After `observe` of the same interval, which has samples. */
  decide(interval: Interval): Decision | undefined {
    const { nowUs, lowRttUs, cwndPackets, deliveredPackets, growing, slowStart } = interval;
    const { targetMs, decrease } = this.#params as Record<"targetMs" | "decrease", number>;
    const targetUs = targetMs * MICROS_PER_MILLI;
    const { delayUs } = this.#queue;
    const wasUs = this.#delayUs;
    this.#delayUs = delayUs;
    const drain = this.#drain;
    if (drain.kind === "going-on") {
      if (nowUs < drain.untilUs) return { cwndPackets: DRAIN_PACKETS };
      this.#drain = this.#due(nowUs, 1);
      return { ssthreshPackets: Math.max(DRAIN_PACKETS, RESUMES_TO * drain.cwndPackets) };
    }
    if (slowStart && delayUs <= targetUs) return undefined;
    if (drain.kind === "none") this.#drain = this.#due(nowUs, FIRST_DRAIN);
    else if (nowUs > drain.atUs || (nowUs > drain.joinsFromUs && this.#othersDrain(interval, wasUs))) {
      this.#drain = { kind: "going-on", untilUs: nowUs + DRAIN_RTTS * lowRttUs, cwndPackets };
      return { cwndPackets: DRAIN_PACKETS };
    }
    if (delayUs > targetUs) {
      this.#decreasedUs = nowUs;
      return { cwndPackets: cwndPackets * pow(decrease, deliveredPackets) };
    }
    return growing ? { cwndPackets: cwndPackets + deliveredPackets / cwndPackets } : undefined;
  }

  onLoss({ cwndPackets }: Interval): number {
    return cwndPackets / 2;
  }

  #due(nowUs: Micros, share: number): Drain {
    const spanSec = this.#params["drainSec"]!;
    const spanUs = spanSec === 0 ? Number.POSITIVE_INFINITY : spanSec * MICROS_PER_SEC;
    return { kind: "due", atUs: nowUs + share * spanUs, joinsFromUs: nowUs + JOINS_AFTER * spanUs };
  }

  /** The queue empties, and not by this flow's own decrease. */
  #othersDrain({ nowUs, highRttUs }: Interval, wasUs: Micros): boolean {
    const belowUs = JOIN_BELOW * this.#params["targetMs"]! * MICROS_PER_MILLI;
    const falls = wasUs >= belowUs && this.#delayUs < belowUs;
    return falls && nowUs - this.#decreasedUs > 2 * highRttUs;
  }
}

export const DTL_PARAMS: readonly AlgorithmParam[] = [
  ...queueParams(13, 3),
  {
    name: "decrease",
    unit: "1",
    low: 0.5,
    high: 1,
    default: 0.99,
    why: "what each acknowledged packet leaves of the window above the target (DTL: beta)",
  },
  {
    name: "drainSec",
    unit: "s",
    low: 0,
    high: 3600,
    default: 15,
    why: "so often two packets for two RTTs show the path's own delay; 15 costs a percent of a link; 0: never",
  },
];

export const dtlLedbat: AlgorithmSpec = {
  name: "ledbat-dtl",
  summary:
    "LEDBAT with slow start and a multiplicative decrease, so that a latecomer takes no more than its share",
  source: "Reale et al., ICDCN 2012 (DTL)",
  reads: ["rtt", "loss", "timeout"],
  params: DTL_PARAMS,
  ccp: (values) => intervalAlgorithm("ledbat-dtl", "quarter", () => ({ rules: new DtlLedbatRules(values) })),
};
