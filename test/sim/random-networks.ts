/** Random networks of every kind for property tests: disciplines, impairments, several hops, traffic in both directions. */
import fc from "fast-check";
import { cubic } from "../../algorithms/native/cubic.ts";
import { reno } from "../../algorithms/native/reno.ts";
import { drawExponential } from "../../core/distributions.ts";
import type { Rng } from "../../core/random.ts";
import { fromMbps, NANOS_PER_MILLI, NANOS_PER_SEC } from "../../core/units.ts";
import type { DisciplineSpec } from "../../scenarios/disciplines/registry.ts";
import type { Impairments } from "../../sim/general/impairments/impairments.ts";
import type { DatagramSpec, FlowSpec, LinkSpec, NetworkSpec } from "../../sim/network.ts";
import type { LinkRate } from "../../sim/servers/make-server.ts";

/** Plain data that prints short; `specOf` makes the network's spec of it. */
export interface NetworkPlan {
  readonly seed: number;
  readonly durationNs: number;
  readonly links: readonly LinkPlan[];
  readonly flows: readonly FlowPlan[];
  readonly datagrams: readonly DatagramPlan[];
}

export interface LinkPlan {
  readonly rate: LinkRate;
  readonly queue: { readonly packets: number; readonly bytes: number };
  readonly discipline?: DisciplineSpec;
  readonly impairments?: Impairments;
  readonly lossRate: number;
  readonly propagationNs: number;
}

export interface FlowPlan {
  readonly control: "reno" | "cubic";
  readonly startMs: number;
  readonly stopMs: number;
  readonly propagationNs: number;
  readonly ackPolicy: "delayed" | "per-packet";
  readonly ecn: "off" | "classic" | "accurate";
  readonly route: { readonly forward: readonly number[]; readonly reverse: readonly number[] };
}

export interface DatagramPlan {
  readonly mbps: number;
  readonly route: readonly number[];
  readonly poisson: boolean;
}

const noReal = { noNaN: true };

const rates: fc.Arbitrary<LinkRate> = fc.oneof(
  fc.double({ min: 0.5, max: 40, ...noReal }).map((mbps) => constant(mbps)),
  fc.double({ min: 0.5, max: 40, ...noReal }).map((mbps) => constant(mbps)),
  fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 }).map((opportunities) => ({
    kind: "trace" as const,
    opportunitiesMs: opportunities.sort((a, b) => a - b),
    offsetNs: 0,
  })),
  fc.array(fc.double({ min: 0.2, max: 30, ...noReal }), { minLength: 1, maxLength: 4 }).map((steps) => ({
    kind: "steps" as const,
    points: steps.map((mbps, i) => ({ atNs: i * 400 * NANOS_PER_MILLI, rateBytesPerSec: fromMbps(mbps) })),
  })),
  fc
    .double({ min: 0.5, max: 20, ...noReal })
    .map((mbps) => ({ kind: "poisson" as const, rateBytesPerSec: fromMbps(mbps) })),
);

function constant(mbps: number): LinkRate {
  return { kind: "constant", rateBytesPerSec: fromMbps(mbps) };
}

const disciplines: fc.Arbitrary<DisciplineSpec | undefined> = fc.constantFrom<DisciplineSpec | undefined>(
  undefined,
  { kind: "drop-tail" },
  { kind: "drop-head" },
  { kind: "red", ecn: true },
  { kind: "codel" },
  { kind: "codel", ecn: true },
  { kind: "pie" },
  { kind: "fq-codel" },
  { kind: "drr" },
  { kind: "strict-priority" },
  { kind: "step-mark", thresholdPackets: 5 },
  { kind: "dualpi2" },
);

const impairments: fc.Arbitrary<Impairments | undefined> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Impairments>(
      { policer: { rateBytesPerSec: fromMbps(3), burstBytes: 15_000 } },
      { blackholes: [{ fromNs: 0.5 * NANOS_PER_SEC, toNs: 0.7 * NANOS_PER_SEC }] },
      { gilbertElliott: { goodToBad: 0.01, badToGood: 0.3 } },
      { periodicLoss: { everyPackets: 37 } },
      { duplicationRate: 0.05 },
      { corruptionRate: 0.03 },
      { slots: { everyNs: 5 * NANOS_PER_MILLI, maxPackets: 8 } },
      { jitter: { kind: "uniform", maxNs: 4 * NANOS_PER_MILLI } },
      { jitter: { kind: "exponential", meanNs: 2 * NANOS_PER_MILLI, reorder: true } },
      { ackThinning: true },
    ),
  },
);

const link: fc.Arbitrary<LinkPlan> = fc.record({
  rate: rates,
  queue: fc.constantFrom(
    { packets: 20, bytes: Number.POSITIVE_INFINITY },
    { packets: 100, bytes: 90_000 },
    { packets: Number.POSITIVE_INFINITY, bytes: 30_000 },
    { packets: 400, bytes: Number.POSITIVE_INFINITY },
  ),
  discipline: disciplines,
  impairments,
  lossRate: fc.constantFrom(0, 0, 0, 0.01),
  propagationNs: fc.constantFrom(0, 0, 3 * NANOS_PER_MILLI, 10 * NANOS_PER_MILLI),
});

function planOf(links: readonly LinkPlan[]): fc.Arbitrary<NetworkPlan> {
  // the data of a flow and its ACKs may take any links, in any order, each at most once
  const route = fc.shuffledSubarray(
    links.map((_, i) => i),
    { minLength: 1, maxLength: links.length },
  );
  return fc.record({
    seed: fc.nat(),
    durationNs: fc.integer({ min: 800, max: 2500 }).map((ms) => ms * NANOS_PER_MILLI),
    links: fc.constant(links),
    flows: fc.array(
      fc.record<FlowPlan>({
        control: fc.constantFrom("reno", "cubic"),
        startMs: fc.integer({ min: 0, max: 500 }),
        stopMs: fc.integer({ min: 600, max: 2500 }),
        propagationNs: fc.integer({ min: 100_000, max: 40_000_000 }),
        ackPolicy: fc.constantFrom("delayed", "per-packet"),
        ecn: fc.constantFrom("off", "off", "classic", "accurate"),
        route: fc.record({ forward: route, reverse: route }),
      }),
      { minLength: 1, maxLength: links.length },
    ),
    datagrams: fc.array(
      fc.record({ mbps: fc.double({ min: 0.1, max: 5, ...noReal }), route, poisson: fc.boolean() }),
      { maxLength: 2 },
    ),
  });
}

export const networkPlans: fc.Arbitrary<NetworkPlan> = fc
  .array(link, { minLength: 2, maxLength: 5 })
  .chain(planOf);

/** @param onStart called for each flow with its place */
export function specOf(
  plan: NetworkPlan,
  rng: Rng,
  onStart?: (index: number, ...start: Parameters<NonNullable<FlowSpec["onStart"]>>) => void,
): NetworkSpec {
  const linkSpec = (each: LinkPlan): LinkSpec => ({ ...each, dataBytes: 1500, ackBytes: 52 });
  return {
    forward: linkSpec(plan.links[0]!),
    reverse: linkSpec(plan.links[1]!),
    links: plan.links.slice(2).map(linkSpec),
    flows: plan.flows.map((flow, i) => ({
      control: flow.control === "reno" ? reno : cubic,
      startNs: flow.startMs * NANOS_PER_MILLI,
      stopNs: flow.stopMs * NANOS_PER_MILLI,
      propagationNs: flow.propagationNs,
      ackPolicy: flow.ackPolicy,
      sender: { ecn: flow.ecn },
      sendJitterNs: 20_000,
      seriesBinNs: Number.POSITIVE_INFINITY,
      route: flow.route,
      ...(onStart !== undefined && { onStart: (started, network) => onStart(i, started, network) }),
    })),
    datagrams: plan.datagrams.map(({ mbps, route, poisson }, i): DatagramSpec => {
      const gaps = rng.fork(`datagrams.${i}`);
      const meanGapNs = (1500 * NANOS_PER_SEC) / fromMbps(mbps);
      return {
        startNs: 0,
        stopNs: plan.durationNs,
        gapNs: poisson ? () => meanGapNs * drawExponential(gaps) : () => meanGapNs,
        bytes: () => 1500,
        route,
        propagationNs: NANOS_PER_MILLI,
      };
    }),
  };
}
