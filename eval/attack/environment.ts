/**
 * The environments that an attack searches: a link whose rate and delay change in pieces, its buffer, loss, and what else
 * sends. A search sees one as genes, numbers from 0 to 1; a person sees a short scenario.
 */
import { exp, log } from "../../core/math.ts";
import { bdpPackets } from "../../scenarios/links.ts";
import type { ScenarioInput } from "../../scenarios/template.ts";

/** Flows or datagrams that share the link. */
export interface CrossTraffic {
  /** a congestion control's name, or `datagrams` */
  readonly kind: string;
  /** of flows; datagrams have one source */
  readonly flows: number;
  /** of datagrams, as a share of the link's highest rate */
  readonly load: number;
  readonly startSec: number;
  readonly stopSec: number;
}

export interface AttackEnvironment {
  readonly durationSec: number;
  /** of pieces of equal length; one: a constant rate */
  readonly ratesMbps: readonly number[];
  /** one way, in pieces of equal length; one: a constant delay */
  readonly delaysMs: readonly number[];
  readonly queuePackets: number;
  readonly lossRate: number;
  readonly cross: CrossTraffic | undefined;
}

type Range = readonly [low: number, high: number];

/** What is searched. Rates stay low and runs short, so that thousands of environments take minutes. */
export const ATTACK_RANGE: Readonly<
  Record<"mbps" | "rttMs" | "bufferBdp" | "lossRate" | "addedDelayMs", Range>
> = {
  mbps: [1, 24],
  rttMs: [10, 160],
  bufferBdp: [0.1, 8],
  lossRate: [0.0005, 0.02],
  addedDelayMs: [0, 100],
};

export const PIECES = 6;
const MAX_CROSS_FLOWS = 4;
const CROSS_KINDS = ["none", "cubic", "reno", "bbr", "datagrams"] as const;
/** Full packets that the smallest buffer holds. */
const MIN_QUEUE_PACKETS = 2;

/** Places of the genes. */
const RATES = 0;
const DELAYS = RATES + PIECES;
const RTT = DELAYS + PIECES;
const BUFFER = RTT + 1;
const LOSS = BUFFER + 1;
/** below a half, what the gene is about does not happen */
const VARIES = LOSS + 1;
const DELAY_VARIES = VARIES + 1;
const CROSS_KIND = DELAY_VARIES + 1;
const CROSS_FLOWS = CROSS_KIND + 1;
const CROSS_LOAD = CROSS_FLOWS + 1;
const CROSS_START = CROSS_LOAD + 1;
const CROSS_STOP = CROSS_START + 1;
export const GENES: number = CROSS_STOP + 1;

/** In [0, 1) each, `GENES` of them. */
export type Genes = readonly number[];

const linear = (gene: number, [low, high]: Range): number => low + (high - low) * gene;
const logarithmic = (gene: number, [low, high]: Range): number => exp(linear(gene, [log(low), log(high)]));
const isOn = (gene: number): boolean => gene >= 0.5;
/** The upper half of a gene as a gene. */
const upperHalf = (gene: number): number => 2 * gene - 1;
const rounded = (value: number, digits: number): number => Number(value.toPrecision(digits));

/** The environment of these genes, with numbers that a person can read. @param durationSec of the run */
export function environmentOf(genes: Genes, durationSec: number): AttackEnvironment {
  const gene = (place: number): number => genes[place]!;
  const pieces = <T>(first: number, varies: boolean, of: (gene: number) => T): T[] =>
    Array.from({ length: varies ? PIECES : 1 }, (_, piece) => of(gene(first + piece)));
  const ratesMbps = pieces(RATES, isOn(gene(VARIES)), (one) =>
    rounded(logarithmic(one, ATTACK_RANGE.mbps), 3),
  );
  const oneWayMs = rounded(logarithmic(gene(RTT), ATTACK_RANGE.rttMs) / 2, 3);
  const delaysMs = pieces(DELAYS, isOn(gene(DELAY_VARIES)), (one) =>
    rounded(oneWayMs + (isOn(gene(DELAY_VARIES)) ? linear(one, ATTACK_RANGE.addedDelayMs) : 0), 3),
  );
  const bdp = bdpPackets(Math.max(...ratesMbps), 2 * oneWayMs);
  const kind = CROSS_KINDS[Math.floor(gene(CROSS_KIND) * CROSS_KINDS.length)]!;
  const startSec = rounded(linear(gene(CROSS_START), [0, durationSec / 2]), 2);
  return {
    durationSec,
    ratesMbps,
    delaysMs,
    queuePackets: Math.max(
      MIN_QUEUE_PACKETS,
      Math.round(logarithmic(gene(BUFFER), ATTACK_RANGE.bufferBdp) * bdp),
    ),
    lossRate: isOn(gene(LOSS)) ? rounded(logarithmic(upperHalf(gene(LOSS)), ATTACK_RANGE.lossRate), 2) : 0,
    cross:
      kind === "none"
        ? undefined
        : {
            kind,
            flows: kind === "datagrams" ? 1 : 1 + Math.floor(gene(CROSS_FLOWS) * MAX_CROSS_FLOWS),
            load: rounded(linear(gene(CROSS_LOAD), [0.1, 0.9]), 2),
            startSec,
            stopSec: rounded(linear(gene(CROSS_STOP), [startSec + 1, durationSec + 1]), 3),
          },
  };
}

/** The values at the beginnings of pieces of equal length, where they change. */
function inPieces<P>(
  values: readonly number[],
  durationSec: number,
  point: (atSec: number, value: number) => P,
): P[] {
  return values.flatMap((value, i) =>
    i > 0 && value === values[i - 1] ? [] : [point(rounded((i * durationSec) / values.length, 4), value)],
  );
}

const isConstant = (values: readonly number[]): boolean => values.every((value) => value === values[0]);

function crossFields(environment: AttackEnvironment): Pick<ScenarioInput, "flows" | "traffic"> {
  const { cross, ratesMbps, durationSec } = environment;
  if (cross === undefined) return {};
  const { kind, flows, load, startSec, stopSec } = cross;
  const times = { ...(startSec > 0 && { startSec }), ...(stopSec < durationSec && { stopSec }) };
  return kind === "datagrams"
    ? {
        traffic: [
          {
            kind: "datagrams",
            arrivals: "constant",
            mbps: rounded(load * Math.max(...ratesMbps), 3),
            ...times,
          },
        ],
      }
    : { flows: [{ algorithm: kind, ...(flows > 1 && { count: flows }), ...times }] };
}

/**
 * The environment as somebody would write it. Nothing of it is left to a seed but its losses: a run with seed 1 is the run
 * that was found.
 */
export function scenarioOf(environment: AttackEnvironment, name: string, description: string): ScenarioInput {
  const { durationSec, ratesMbps, delaysMs, queuePackets, lossRate } = environment;
  const [mbps] = ratesMbps;
  const steps = {
    kind: "steps" as const,
    points: inPieces(delaysMs, durationSec, (atSec, value) => ({ atSec, delayMs: value })),
  };
  return {
    name,
    source: "ccpark attack",
    description,
    durationSec,
    propagationDelayMs: Math.min(...delaysMs),
    ...(!isConstant(delaysMs) && { delay: { forward: steps, reverse: steps } }),
    forward: {
      rate: isConstant(ratesMbps)
        ? { kind: "constant", mbps: mbps! }
        : {
            kind: "steps",
            points: inPieces(ratesMbps, durationSec, (atSec, value) => ({ atSec, mbps: value })),
          },
      queue: { packets: queuePackets },
      ...(lossRate > 0 && { lossRate }),
    },
    ...crossFields(environment),
    fixed: { startSec: 0, sendJitterUs: 0 },
  };
}

/** How much there is to read in it: what simplification makes smaller. */
export function complexityOf({ ratesMbps, delaysMs, lossRate, cross, ...rest }: AttackEnvironment): number {
  const digits = (value: number): number =>
    String(value)
      .replace(/[^0-9]/g, "")
      .replace(/^0+|0+$/g, "").length;
  const changes = (values: readonly number[]): number[] =>
    values.filter((value, i) => i === 0 || value !== values[i - 1]);
  const numbers = [
    ...changes(ratesMbps),
    ...changes(delaysMs),
    rest.queuePackets,
    rest.durationSec,
    ...(lossRate > 0 ? [lossRate] : []),
  ];
  const crossNumbers = cross === undefined ? [] : [cross.flows, cross.load, cross.startSec, cross.stopSec];
  const parts = numbers.length + (cross === undefined ? 0 : 2);
  return 10 * parts + [...numbers, ...crossNumbers].reduce((sum, value) => sum + digits(value), 0);
}
