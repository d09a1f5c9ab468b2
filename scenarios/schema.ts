/**
 * The scenario's type as a schema: every field with its range, no unknown ones, and what must hold between fields. An
 * issue's message ends the sentence `<path>: got X, expected ...`; validate.ts writes the sentence.
 */
import { z } from "zod";
import { nearestName } from "../core/errors.ts";
import { checkOpportunities, TraceError } from "../traces/mahimahi.ts";
import type { DisciplineSpec } from "./discipline.ts";
import {
  type ApplicationSpec,
  type DelayPoint,
  type DelaySpec,
  type DirectionSpec,
  FIRST_FLOW,
  type FlowPlan,
  type JitterSpec,
  type MarkovState,
  type QueueSpec,
  type RatePoint,
  type RateSpec,
  type RouteSpec,
  type Scenario,
  type SizeSpec,
  type TimeSpan,
  type TrafficSpec,
} from "./scenario.ts";
import type { AckPolicy, SenderOptions } from "./sender-options.ts";

/** Mbit/s; above it one packet takes less than the simulator's nanosecond fractions are tested for. */
export const MAX_MBPS = 100_000;
/** One day. */
export const MAX_DURATION_SEC = 86_400;
/** Farther than any satellite. */
export const MAX_PROPAGATION_DELAY_MS = 10_000;
/** Flows of one plan, senders of one incast: beyond what the engines are measured with. */
export const MAX_FLOWS = 100_000;
/** The longest list of points, flows or links: beyond any source, far below what a mistake in a generator makes. */
const MAX_ENTRIES = 100_000;
/** 1 TB: a transfer at 100 Gbit/s for over a minute. */
const MAX_BYTES = 1e12;

type Schema = z.ZodType;
/** One schema per field; every field of the type must be there. */
type Shape<T> = { readonly [F in keyof T]-?: Schema };
type ShapesByKind<T extends { readonly kind: string }> = {
  readonly [K in T["kind"]]: Shape<Omit<Extract<T, { readonly kind: K }>, "kind">>;
};

function quoted(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(", ");
}

function noSuchField(typed: string, known: readonly string[]): string {
  // `rateMbs` means `mbps`: the last word carries the unit
  const unit = /[A-Z][a-z]*$/.exec(typed)?.[0] ?? typed;
  const near = nearestName(typed, known) ?? nearestName(unit, known);
  return near === undefined
    ? `no such field; known: ${known.join(", ")}`
    : `no such field; did you mean \`${near}\`?`;
}

/** An object with these fields only. */
function fields<T>(shape: Shape<T>): z.ZodObject {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? noSuchField(issue.keys[0] ?? "", known) : undefined,
  });
}

/** One of several objects, told apart by `kind`. */
function byKind<T extends { readonly kind: string }>(shapes: ShapesByKind<T>): Schema {
  const kinds = Object.keys(shapes);
  const options = Object.entries<Shape<object>>(shapes as Record<string, Shape<object>>).map(
    ([kind, shape]) => fields({ kind: z.literal(kind), ...shape }),
  );
  return z.discriminatedUnion("kind", options as [z.ZodObject, ...z.ZodObject[]], {
    error: (issue) => (issue.code === "invalid_union" ? `one of ${quoted(kinds)}` : undefined),
  });
}

/** Says at `path` below the value what was expected. */
function complain(context: z.core.$RefinementCtx, path: (string | number)[], message: string): void {
  context.addIssue({ code: "custom", path, message });
}

/** The second field of each pair must be at least the first (`strictly`: more), where both are there. */
function ordered(schema: Schema, pairs: readonly (readonly [string, string])[], strictly = false): Schema {
  return schema.superRefine((value, context) => {
    for (const [low, high] of pairs) {
      const { [low]: a, [high]: b } = value as Record<string, number | undefined>;
      if (a === undefined || b === undefined) continue;
      if (strictly ? b <= a : b < a) complain(context, [high], `${strictly ? ">" : ">="} ${a} (${low})`);
    }
  });
}

/** Points in the order of time, and a period that does not cut them off. */
function inTime(
  context: z.core.$RefinementCtx,
  points: readonly { atSec: number }[],
  periodSec?: number,
): void {
  for (let i = 1; i < points.length; i++) {
    const beforeSec = points[i - 1]!.atSec;
    if (points[i]!.atSec <= beforeSec) {
      complain(context, ["points", i, "atSec"], `more than ${beforeSec}, the time of the point before`);
      return;
    }
  }
  const lastSec = points.at(-1)?.atSec ?? 0;
  if (periodSec !== undefined && periodSec <= lastSec) {
    complain(context, ["periodSec"], `more than ${lastSec}, the time of the last point`);
  }
}

const text = z.string().min(1);
const fraction = z.number().min(0).max(1);
const lossRate = z.number().min(0).lt(1);
const mbps = z.number().gt(0).max(MAX_MBPS);
const mbpsOrZero = z.number().min(0).max(MAX_MBPS);
const timeSec = z.number().min(0).max(MAX_DURATION_SEC);
const spanSec = z.number().gt(0).max(MAX_DURATION_SEC);
const anyTimeSec = z.number().min(-MAX_DURATION_SEC).max(MAX_DURATION_SEC);
const delayMs = z.number().min(0).max(MAX_PROPAGATION_DELAY_MS);
const flowDelayMs = z.number().gt(0).max(MAX_PROPAGATION_DELAY_MS);
const spanMs = z.number().gt(0).max(MAX_PROPAGATION_DELAY_MS);
const count = z.number().int().min(1);
const bytes = z.number().int().min(1).max(MAX_BYTES);
const flows = count.max(MAX_FLOWS);

function list(entry: Schema): z.ZodArray<Schema> {
  return z.array(entry).max(MAX_ENTRIES);
}
function nonEmpty(entry: Schema): z.ZodArray<Schema> {
  return list(entry).min(1);
}

const opportunities = z
  .custom<number[]>((value) => Array.isArray(value), { error: "a list of whole milliseconds" })
  .superRefine((value, context) => {
    try {
      checkOpportunities(value, "opportunitiesMs");
    } catch (error) {
      if (!(error instanceof TraceError)) throw error;
      complain(context, [error.line - 1], error.message.split(", expected ").at(-1)!);
    }
  });

const ratePoint = fields<RatePoint>({ atSec: timeSec, mbps: mbpsOrZero });

export const RATE_SCHEMA: Schema = byKind<RateSpec>({
  constant: { mbps },
  trace: { name: text, opportunitiesMs: opportunities, end: z.enum(["loop", "stop"]).optional() },
  unlimited: {},
  steps: { points: nonEmpty(ratePoint), periodSec: spanSec.optional() },
  ramp: { points: nonEmpty(ratePoint), periodSec: spanSec.optional() },
  markov: { states: list(fields<MarkovState>({ mbps: mbpsOrZero, meanSec: spanSec })).min(2) },
  "random-steps": { minMbps: mbpsOrZero, maxMbps: mbps, everySec: spanSec },
  poisson: { mbps },
}).superRefine((value, context) => {
  const spec = value as RateSpec;
  if (spec.kind === "random-steps" && spec.maxMbps < spec.minMbps) {
    complain(context, ["maxMbps"], `>= ${spec.minMbps} (minMbps)`);
  }
  if (spec.kind === "markov" && spec.states.every((state) => state.mbps === 0)) {
    complain(context, ["states", 0, "mbps"], "a rate above 0 in at least one state");
  }
  if (spec.kind !== "steps" && spec.kind !== "ramp") return;
  inTime(context, spec.points, spec.periodSec);
  if (spec.points.every((point) => point.mbps === 0)) {
    complain(context, ["points", 0, "mbps"], "a rate above 0 in at least one point");
  }
});

const discipline = byKind<DisciplineSpec>({
  "drop-tail": {},
  "drop-head": {},
  red: {
    minPackets: z.number().gt(0).optional(),
    maxPackets: z.number().gt(0).optional(),
    maxProbability: z.number().gt(0).max(1).optional(),
    weight: z.number().gt(0).max(1).optional(),
    gentle: z.boolean().optional(),
    ecn: z.boolean().optional(),
  },
  codel: { targetMs: spanMs.optional(), intervalMs: spanMs.optional(), ecn: z.boolean().optional() },
  pie: {
    targetMs: spanMs.optional(),
    updateMs: spanMs.optional(),
    burstMs: delayMs.optional(),
    ecn: z.boolean().optional(),
  },
  "fq-codel": {
    buckets: count.max(65_536).optional(),
    quantumBytes: bytes.optional(),
    targetMs: spanMs.optional(),
    intervalMs: spanMs.optional(),
    ecn: z.boolean().optional(),
  },
  sfq: {
    buckets: count.max(65_536).optional(),
    quantumBytes: bytes.optional(),
    perturbSec: timeSec.optional(),
  },
  drr: { quantumBytes: bytes.optional() },
  "strict-priority": { bands: count.max(256).optional() },
  "step-mark": { thresholdPackets: count.optional(), thresholdBytes: bytes.optional() },
}).superRefine((value, context) => {
  const spec = value as DisciplineSpec;
  if (spec.kind === "red" && (spec.maxPackets ?? Number.POSITIVE_INFINITY) <= (spec.minPackets ?? 0)) {
    complain(context, ["maxPackets"], `> ${spec.minPackets} (minPackets)`);
  }
  if (spec.kind === "codel" || spec.kind === "fq-codel") {
    const { targetMs, intervalMs } = spec;
    if (targetMs !== undefined && intervalMs !== undefined && intervalMs <= targetMs) {
      complain(context, ["intervalMs"], `> ${targetMs} (targetMs)`);
    }
  }
  if (spec.kind === "step-mark" && spec.thresholdPackets !== undefined && spec.thresholdBytes !== undefined) {
    complain(context, ["thresholdBytes"], "thresholdPackets or thresholdBytes, not both");
  }
});

const queue = fields<QueueSpec>({
  packets: count.optional(),
  bytes: bytes.optional(),
  discipline: discipline.optional(),
});

const timeSpan = ordered(
  fields<TimeSpan>({ fromSec: timeSec, toSec: spanSec }),
  [["fromSec", "toSec"]],
  true,
);

/** Spans that do not overlap, in the order of time. */
const timeSpans = list(timeSpan).superRefine((value, context) => {
  const spans = value as TimeSpan[];
  for (let i = 1; i < spans.length; i++) {
    const endSec = spans[i - 1]!.toSec;
    if (spans[i]!.fromSec < endSec) {
      complain(context, [i, "fromSec"], `>= ${endSec}, the end of the span before`);
      return;
    }
  }
});

const jitter = byKind<JitterSpec>({
  uniform: { maxMs: delayMs, reorder: z.boolean().optional() },
  exponential: { meanMs: delayMs, reorder: z.boolean().optional() },
});

const direction = fields<DirectionSpec>({
  policer: fields({ mbps, burstBytes: bytes.min(1504) }).optional(),
  blackholes: timeSpans.optional(),
  lossRate,
  gilbertElliott: fields({
    goodToBad: fraction,
    badToGood: fraction,
    lossInGood: fraction.optional(),
    lossInBad: fraction.optional(),
  })
    .superRefine((value, context) => {
      if (value["badToGood"] === 0 && (value["goodToBad"] as number) > 0) {
        complain(context, ["badToGood"], "> 0, or the bad state never ends");
      }
    })
    .optional(),
  periodicLoss: fields({
    everyPackets: z.number().int().min(2),
    offsetPackets: z.number().int().min(0).optional(),
  }).optional(),
  ackThinning: z.boolean().optional(),
  queue,
  rate: RATE_SCHEMA,
  outages: timeSpans.optional(),
  corruptionRate: lossRate.optional(),
  duplicationRate: lossRate.optional(),
  slots: fields({ everyMs: spanMs, maxPackets: count.optional() }).optional(),
  delayMs: delayMs.optional(),
  jitter: jitter.optional(),
});

const delayPoint = fields<DelayPoint>({ atSec: timeSec, delayMs });

const delay = byKind<DelaySpec>({
  steps: { points: nonEmpty(delayPoint), periodSec: spanSec.optional() },
  trace: { points: nonEmpty(delayPoint), periodSec: spanSec.optional() },
  "random-walk": { startMs: delayMs, everyMs: spanMs, stepMs: delayMs, minMs: delayMs, maxMs: delayMs },
}).superRefine((value, context) => {
  const spec = value as DelaySpec;
  if (spec.kind !== "random-walk") inTime(context, spec.points, spec.periodSec);
  else if (spec.maxMs < spec.minMs) complain(context, ["maxMs"], `>= ${spec.minMs} (minMs)`);
  else if (spec.startMs < spec.minMs || spec.startMs > spec.maxMs) {
    complain(context, ["startMs"], `${spec.minMs} (minMs) to ${spec.maxMs} (maxMs)`);
  }
});

const delays = fields({ forward: delay.optional(), reverse: delay.optional() });
const route = fields<RouteSpec>({ forward: nonEmpty(text), reverse: nonEmpty(text) });

const sender = fields<SenderOptions>({
  lossDetection: z.enum(["packet-threshold", "rack-tlp"]).optional(),
  prr: z.enum(["off", "rfc6937", "rfc9937"]).optional(),
  undo: z.boolean().optional(),
  ecn: z.enum(["off", "classic", "accurate"]).optional(),
  receiveWindowPackets: count.optional(),
  initialCwndPackets: count.max(1_000_000).optional(),
  minRtoMs: z.number().min(0).max(60_000).optional(),
});

const NAMED_ACK_POLICIES = ["delayed", "per-packet"] as const;
const ackPolicy = z.union(
  [
    z.enum(NAMED_ACK_POLICIES),
    fields<Exclude<AckPolicy, string>>({ packets: count, delayMs: z.number().min(0).max(1_000) }),
  ],
  { error: `one of ${quoted(NAMED_ACK_POLICIES)}, or an object with packets and delayMs` },
);

const application = byKind<ApplicationSpec>({
  bulk: {},
  finite: { bytes },
  "on-off": { meanOnSec: spanSec, meanOffSec: spanSec },
  "constant-rate": { mbps },
  video: {
    mbps,
    framesPerSec: z.number().gt(0).max(1_000).optional(),
    keyFrameEvery: count.optional(),
    keyFrameRatio: z.number().min(1).max(100).optional(),
    sigma: z.number().min(0).max(3).optional(),
  },
  "short-transfers": { minBytes: bytes, maxBytes: bytes, meanOffSec: spanSec },
  pauses: { pauses: timeSpans },
}).superRefine((value, context) => {
  const spec = value as ApplicationSpec;
  if (spec.kind === "short-transfers" && spec.maxBytes < spec.minBytes) {
    complain(context, ["maxBytes"], `>= ${spec.minBytes} (minBytes)`);
  }
});

const flowDirection = z.enum(["forward", "backward"]);

const flowPlan = ordered(
  fields<FlowPlan>({
    id: text.optional(),
    count: flows.optional(),
    algorithm: text,
    direction: flowDirection.optional(),
    startSec: anyTimeSec.optional(),
    startJitterSec: timeSec.optional(),
    startEverySec: timeSec.optional(),
    stopSec: anyTimeSec.optional(),
    propagationDelayMs: flowDelayMs.optional(),
    propagationSpread: z.number().min(0).lt(1).optional(),
    delay: delays.optional(),
    route: route.optional(),
    application: application.optional(),
    sender: sender.optional(),
    ackPolicy: ackPolicy.optional(),
    priority: z.number().int().min(0).max(255).optional(),
  }),
  [["startSec", "stopSec"]],
  true,
);

const sizes = byKind<SizeSpec>({
  fixed: { bytes },
  uniform: { minBytes: bytes, maxBytes: bytes },
  exponential: { meanBytes: z.number().gt(0).max(MAX_BYTES) },
  pareto: { shape: z.number().gt(0).max(100), minBytes: bytes, maxBytes: bytes },
  web: {},
  empirical: { points: list(fields({ bytes, probability: fraction })).min(2) },
}).superRefine((value, context) => {
  const spec = value as SizeSpec;
  if ((spec.kind === "uniform" || spec.kind === "pareto") && spec.maxBytes < spec.minBytes) {
    complain(context, ["maxBytes"], `>= ${spec.minBytes} (minBytes)`);
  }
  if (spec.kind !== "empirical") return;
  const { points } = spec;
  for (let i = 1; i < points.length; i++) {
    for (const key of ["bytes", "probability"] as const) {
      const before = points[i - 1]![key];
      if (points[i]![key] < before) {
        complain(context, ["points", i, key], `>= ${before}, as in the point before`);
        return;
      }
    }
  }
  if (points.at(-1)?.probability !== 1) {
    complain(context, ["points", points.length - 1, "probability"], "1 at the last point");
  }
});

const traffic = ordered(
  byKind<TrafficSpec>({
    transfers: {
      algorithm: text,
      sizes,
      load: z.number().gt(0).max(10).optional(),
      flowsPerSec: z.number().gt(0).max(10_000_000).optional(),
      direction: flowDirection.optional(),
      startSec: anyTimeSec.optional(),
      stopSec: anyTimeSec.optional(),
      propagationDelayMs: flowDelayMs.optional(),
      route: route.optional(),
      sender: sender.optional(),
      ackPolicy: ackPolicy.optional(),
    },
    incast: {
      algorithm: text,
      senders: flows,
      bytes,
      jitterUs: z.number().min(0).max(10_000_000).optional(),
      startSec: anyTimeSec.optional(),
      everySec: spanSec.optional(),
      propagationDelayMs: flowDelayMs.optional(),
      sender: sender.optional(),
      ackPolicy: ackPolicy.optional(),
    },
    datagrams: {
      arrivals: z.enum(["constant", "poisson"]),
      mbps,
      sizes: sizes.optional(),
      direction: flowDirection.optional(),
      startSec: anyTimeSec.optional(),
      stopSec: anyTimeSec.optional(),
      propagationDelayMs: flowDelayMs.optional(),
      route: route.optional(),
      priority: z.number().int().min(0).max(255).optional(),
    },
  }),
  [["startSec", "stopSec"]],
  true,
).superRefine((value, context) => {
  const spec = value as TrafficSpec;
  if (spec.kind !== "transfers") return;
  if (spec.load !== undefined && spec.flowsPerSec !== undefined) {
    complain(context, ["flowsPerSec"], "load or flowsPerSec, not both");
  } else if (spec.load === undefined && spec.flowsPerSec === undefined) {
    complain(context, ["load"], "a load, or flowsPerSec");
  }
});

/** The two links that every scenario has. */
const OWN_LINKS = ["forward", "reverse"] as const;

/** Every link of a route exists, and none comes twice in one direction. */
function checkRoute(
  context: z.core.$RefinementCtx,
  at: readonly (string | number)[],
  spec: RouteSpec | undefined,
  known: readonly string[],
): void {
  for (const way of OWN_LINKS) {
    spec?.[way].forEach((link, i, links) => {
      if (!known.includes(link)) complain(context, [...at, "route", way, i], `one of ${quoted(known)}`);
      else if (links.indexOf(link) < i) complain(context, [...at, "route", way, i], "each link at most once");
    });
  }
}

/** A link that no route takes is a mistake: it would do nothing. */
function checkUse(context: z.core.$RefinementCtx, scenario: Scenario, further: readonly string[]): void {
  const { route: own, flows = [], traffic = [] } = scenario;
  const routes = [own, ...flows.map((plan) => plan.route)].concat(
    traffic.map((spec) => ("route" in spec ? spec.route : undefined)),
  );
  const used = new Set(
    routes.flatMap((each) => (each === undefined ? [] : [...each.forward, ...each.reverse])),
  );
  for (const name of further) {
    if (!used.has(name)) complain(context, ["links", name], "a link that some route takes");
  }
}

export const SCENARIO_SCHEMA: Schema = fields<Scenario>({
  name: text,
  source: z.string(),
  description: z.string(),
  forward: direction,
  reverse: direction,
  links: z.record(text, direction).optional(),
  route: route.optional(),
  propagationDelayMs: flowDelayMs,
  reversePropagationDelayMs: flowDelayMs.optional(),
  delay: delays.optional(),
  durationSec: spanSec,
  ackPolicy,
  sender: sender.optional(),
  application: application.optional(),
  flows: list(flowPlan).optional(),
  traffic: list(traffic).optional(),
  fixed: fields({
    startSec: timeSec.optional(),
    traceOffsetMs: z.number().min(0).optional(),
    sendJitterUs: z.number().min(0).max(1_000_000).optional(),
  }).optional(),
}).superRefine((value, context) => {
  const scenario = value as unknown as Scenario;
  const further = Object.keys(scenario.links ?? {});
  for (const name of OWN_LINKS) {
    if (further.includes(name))
      complain(context, ["links", name], `another name: \`${name}\` is always there`);
  }
  const known = [...OWN_LINKS, ...further];
  checkRoute(context, [], scenario.route, known);
  for (const way of OWN_LINKS) {
    if (scenario.route !== undefined && !scenario.route[way].includes(way))
      complain(context, ["route", way], `a route with \`${way}\`, the link that is measured, in it`);
  }
  const ids = new Set([FIRST_FLOW]);
  scenario.flows?.forEach((plan, i) => {
    checkRoute(context, ["flows", i], plan.route, known);
    if (plan.id === undefined) return;
    if (ids.has(plan.id)) complain(context, ["flows", i, "id"], "an id that no flow before has");
    ids.add(plan.id);
  });
  scenario.traffic?.forEach((spec, i) => {
    if (spec.kind !== "incast") checkRoute(context, ["traffic", i], spec.route, known);
    if (spec.kind === "transfers" && spec.load !== undefined && scenario.forward.rate.kind === "unlimited") {
      complain(context, ["traffic", i, "load"], "flowsPerSec, since the forward link is unlimited");
    }
  });
  checkUse(context, scenario, further);
});
