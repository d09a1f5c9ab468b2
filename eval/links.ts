/** How results name a link: short, the same on every machine, and exact enough to reproduce it. */
import { createHash } from "node:crypto";
import { type Bytes, PACKET_BYTES } from "../core/units.ts";
import type { DirectionSpec } from "../scenarios/direction.ts";
import { impairmentLabels } from "../scenarios/impairments/registry.ts";
import { meanRateBytesPerSec, type RateSpec, rateLabel } from "../scenarios/rates/registry.ts";
import { traceBaseName } from "../scenarios/rates/trace.ts";
import { mtuOf, roundTripMs, type Scenario } from "../scenarios/scenario.ts";

/** sha256 of the trace as Mahimahi writes it: one decimal number and a line feed per opportunity. */
export function traceSha256(opportunitiesMs: readonly number[]): string {
  return createHash("sha256")
    .update(opportunitiesMs.map((ms) => `${ms}\n`).join(""))
    .digest("hex");
}

/** Wire bytes in flight that fill the empty link: mean rate times two propagation delays. */
export function bdpBytes(scenario: Scenario): Bytes {
  const rate = meanRateBytesPerSec(scenario.forward.rate) ?? 0;
  return (rate * roundTripMs(scenario)) / 1000;
}

function queueLabel(direction: DirectionSpec): string {
  const { packets, bytes, discipline } = direction.queue;
  const kind = discipline === undefined || discipline.kind === "drop-tail" ? "" : ` ${discipline.kind}`;
  if (packets !== undefined) return `${packets === 1 ? "1 packet" : `${packets} packets`}${kind}`;
  return `${bytes === undefined ? "no queue limit" : `${bytes} bytes`}${kind}`;
}

function extraLabels(scenario: Scenario): string[] {
  const { forward, reverse, route, sender, application, delay, variation } = scenario;
  const hops = route?.forward.length ?? 1;
  return [
    ...(mtuOf(scenario) === PACKET_BYTES ? [] : [`packets of ${scenario.mtuBytes} bytes`]),
    ...(hops > 1 ? [`${hops} hops`] : []),
    ...impairmentLabels(forward),
    ...impairmentLabels(reverse).map((label) => `${label} of ACKs`),
    ...(delay === undefined ? [] : ["changing delay"]),
    ...(variation === undefined ? [] : ["varied"]),
    ...(application === undefined || application.kind === "bulk" ? [] : [application.kind]),
    ...(sender?.ecn === undefined || sender.ecn === "off" ? [] : [`${sender.ecn} ECN`]),
  ];
}

/** Everything else that sends: `3 flows`, `2 kinds of traffic`. */
function companyLabels({ flows = [], traffic = [] }: Scenario): string[] {
  const count = flows.reduce((sum, plan) => sum + (plan.count ?? 1), 1);
  return [
    ...(count > 1 ? [`${count} flows`] : []),
    ...(traffic.length > 0 ? [`traffic: ${traffic.map((spec) => spec.kind).join(", ")}`] : []),
  ];
}

/** One line for a reader: `48 Mbit/s, 50 ms, 400 packets`. */
export function linkLabel(scenario: Scenario): string {
  const parts = [
    rateLabel(scenario.forward.rate),
    `${roundTripMs(scenario)} ms`,
    queueLabel(scenario.forward),
  ];
  if (scenario.forward.lossRate > 0)
    parts.push(`loss ${+(100 * scenario.forward.lossRate).toPrecision(3)} %`);
  return [...parts, ...extraLabels(scenario), ...companyLabels(scenario)].join(", ");
}

/** A rate as results store it: a trace by its base name and digest instead of its thousands of entries. */
export type StoredRate =
  | Exclude<RateSpec, { kind: "trace" }>
  | {
      readonly kind: "trace";
      readonly name: string;
      readonly sha256: string;
      readonly opportunities: number;
      readonly periodMs: number;
    };

type StoredDirection = Omit<DirectionSpec, "rate"> & { readonly rate: StoredRate };

export type StoredScenario = Omit<Scenario, "forward" | "reverse" | "links"> & {
  readonly forward: StoredDirection;
  readonly reverse: StoredDirection;
  readonly links?: Readonly<Record<string, StoredDirection>>;
};

function storedRate(rate: RateSpec): StoredRate {
  if (rate.kind !== "trace") return rate;
  return {
    kind: "trace",
    name: traceBaseName(rate),
    sha256: traceSha256(rate.opportunitiesMs),
    opportunities: rate.opportunitiesMs.length,
    periodMs: rate.opportunitiesMs[rate.opportunitiesMs.length - 1] ?? 0,
  };
}

function storedDirection(direction: DirectionSpec): StoredDirection {
  return { ...direction, rate: storedRate(direction.rate) };
}

/** What results keep of the scenarios: each once, and one per seed where seeds draw it. */
export function storedScenarios(
  entries: readonly {
    readonly name: string;
    readonly drawn: boolean;
    readonly of: (seed: number) => Scenario;
  }[],
  seeds: readonly number[],
): StoredScenario[] {
  return entries.flatMap(({ drawn, of }) => {
    if (!drawn) return [storedScenario(of(0))];
    return seeds.map((seed) => {
      const scenario = storedScenario(of(seed));
      return { ...scenario, name: `${scenario.name} (seed ${seed})` };
    });
  });
}

export function storedScenario(scenario: Scenario): StoredScenario {
  const { forward, reverse, links, ...rest } = scenario;
  const further = Object.entries(links ?? {}).map(([name, link]) => [name, storedDirection(link)] as const);
  return {
    ...rest,
    forward: storedDirection(forward),
    reverse: storedDirection(reverse),
    ...(links === undefined ? {} : { links: Object.fromEntries(further) }),
  };
}
