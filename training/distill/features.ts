/**
 * What a distilled tree looks at, in whole numbers as a datapath program has them: unsigned, ratios in units of 1/1024. Each
 * feature stands here twice, as an expression of the datapath language and as what it computes; a test holds them equal.
 */

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
  /** since the last decision */
  readonly elapsedUs: number;
}

/** The highest delivery rate lives in two halves of this, so it is forgotten after 5 to 10 s. */
export const RATE_WINDOW_US = 5_000_000;

/** Register -> value: everything that is kept from decision to decision. */
export interface TreeState {
  maxNow: number;
  maxBefore: number;
  sinceUs: number;
  windowBytes: number;
  gain: number;
  queueRatio: number;
  delivery: number;
  fill: number;
}

export function freshState(windowBytes: number): TreeState {
  return {
    ...{ maxNow: 0, maxBefore: 0, sinceUs: 0, windowBytes, gain: ONE },
    ...{ queueRatio: 0, delivery: 0, fill: 0 },
  };
}

export interface TreeFeature {
  /** of its register; lower case letters first */
  readonly name: string;
  readonly unit: string;
  readonly definition: string;
  /** in the datapath language */
  readonly expression: string;
}

/** In the order in which they are computed. What begins with `last` is the one before, shifted before it is computed anew. */
export const FEATURES: readonly TreeFeature[] = [
  {
    name: "lastQueueRatio",
    unit: "1/1024",
    definition: "queueRatio one decision ago",
    expression: "queueRatio",
  },
  { name: "lastDelivery", unit: "1/1024", definition: "delivery one decision ago", expression: "delivery" },
  { name: "lastFill", unit: "1/1024", definition: "fill one decision ago", expression: "fill" },
  {
    name: "queueUs",
    unit: "us",
    definition: "mean RTT since the last decision less the least RTT",
    expression: "(- Report.meanRtt Report.minRtt)",
  },
  {
    name: "queueRatio",
    unit: "1/1024",
    definition: "queueing delay / least RTT",
    expression: `(/ (* (- Report.meanRtt Report.minRtt) ${ONE}) Report.minRtt)`,
  },
  {
    name: "trend",
    unit: "1/1024",
    definition: "latest RTT / mean RTT",
    expression: `(/ (* Report.rtt ${ONE}) Report.meanRtt)`,
  },
  {
    name: "delivery",
    unit: "1/1024",
    definition: "delivery rate / the highest of the last 5 to 10 s",
    expression: `(/ (* Report.rateIn ${ONE}) (max Report.maxRate 1))`,
  },
  {
    name: "fill",
    unit: "1/1024",
    definition: "window / (highest delivery rate x least RTT)",
    expression: `(/ (* window ${ONE}) (max (/ (* Report.maxRate Report.minRtt) 1000000) 1))`,
  },
  {
    name: "loss",
    unit: "1/1024",
    definition: "lost / (lost + delivered)",
    expression: `(/ (* Report.lost ${ONE}) (max (+ Report.lost Report.delivered) 1))`,
  },
  {
    name: "lastGain",
    unit: "1/1024",
    definition: "what the window was multiplied by before",
    expression: "Report.gain",
  },
  { name: "minRtt", unit: "us", definition: "least RTT of the flow", expression: "Report.minRtt" },
  { name: "maxRate", unit: "B/s", definition: "highest delivery rate of the last 5 to 10 s", expression: "" },
];

/** Names of registers that hold a feature by themselves. */
export const HELD: Readonly<Record<string, string>> = { minRtt: "Report.minRtt", maxRate: "Report.maxRate" };

const quotient = (a: number, b: number): number => Math.floor(a / b);

/** `a * b / c`, where the product may be beyond 2^53. */
function scaled(a: number, b: number, c: number): number {
  const product = a * b;
  if (product <= Number.MAX_SAFE_INTEGER) return quotient(product, c);
  return Number((BigInt(a) * BigInt(b)) / BigInt(c));
}

/**
 * The features of a decision, float64 [FEATURES.length], and what is kept for the next.
 * @param state changed
 */
export function observe(facts: DecisionFacts, state: TreeState): Float64Array {
  const { delivered, lost, rttSum, rttUs, minRttUs, rateInBytesPerSec, elapsedUs } = facts;
  const last = [state.queueRatio, state.delivery, state.fill];
  const meanRtt = Math.max(minRttUs, quotient(rttSum, Math.max(delivered, 1)));
  state.sinceUs += elapsedUs;
  state.maxNow = Math.max(state.maxNow, rateInBytesPerSec);
  const maxRate = Math.max(state.maxNow, state.maxBefore);
  if (state.sinceUs > RATE_WINDOW_US) {
    state.maxBefore = state.maxNow;
    state.maxNow = 0;
    state.sinceUs = 0;
  }
  const bdp = Math.max(scaled(maxRate, minRttUs, 1_000_000), 1);
  state.queueRatio = quotient((meanRtt - minRttUs) * ONE, minRttUs);
  state.delivery = quotient(rateInBytesPerSec * ONE, Math.max(maxRate, 1));
  state.fill = quotient(state.windowBytes * ONE, bdp);
  const values = [
    ...last,
    meanRtt - minRttUs,
    state.queueRatio,
    quotient(rttUs * ONE, meanRtt),
    state.delivery,
    state.fill,
    quotient(lost * ONE, Math.max(lost + delivered, 1)),
    state.gain,
    minRttUs,
    maxRate,
  ];
  return Float64Array.from(values);
}

/** Applies a gain to the window, within its limits. */
export function decide(state: TreeState, gain: number, leastBytes: number, mostBytes: number): void {
  state.gain = gain;
  state.windowBytes = Math.max(leastBytes, Math.min(mostBytes, quotient(state.windowBytes * gain, ONE)));
}
