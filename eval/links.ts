/** How results name a link: short, the same on every machine, and exact enough to reproduce it. */
import { createHash } from "node:crypto";
import { type Bytes, type BytesPerSec, fromMbps, PACKET_BYTES, TUN_HEADER_BYTES } from "../core/units.ts";
import type { DirectionSpec, RateSpec, Scenario } from "../envs/scenario.ts";

/** Wire bytes of one opportunity of a trace (mm-link counts the TUN header). */
const OPPORTUNITY_BYTES = PACKET_BYTES + TUN_HEADER_BYTES;

function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

/** sha256 of the trace as Mahimahi writes it: one decimal number and a line feed per opportunity. */
export function traceSha256(opportunitiesMs: readonly number[]): string {
  return createHash("sha256")
    .update(opportunitiesMs.map((ms) => `${ms}\n`).join(""))
    .digest("hex");
}

/** Long-term rate of a link on the wire; undefined where it is unlimited. */
export function meanRateBytesPerSec(rate: RateSpec): BytesPerSec | undefined {
  if (rate.kind === "constant") return fromMbps(rate.mbps);
  if (rate.kind !== "trace") return undefined;
  const periodMs = rate.opportunitiesMs[rate.opportunitiesMs.length - 1] ?? 0;
  return periodMs > 0 ? (rate.opportunitiesMs.length * OPPORTUNITY_BYTES * 1000) / periodMs : undefined;
}

/** Wire bytes in flight that fill the empty link: mean rate times two propagation delays. */
export function bdpBytes(scenario: Scenario): Bytes {
  const rate = meanRateBytesPerSec(scenario.forward.rate) ?? 0;
  return (rate * 2 * scenario.propagationDelayMs) / 1000;
}

function rateLabel(rate: RateSpec): string {
  if (rate.kind === "constant") return `${rate.mbps} Mbit/s`;
  return rate.kind === "trace" ? baseName(rate.name) : "unlimited";
}

function queueLabel(direction: DirectionSpec): string {
  const { packets, bytes } = direction.queue;
  if (packets !== undefined) return packets === 1 ? "1 packet" : `${packets} packets`;
  return bytes === undefined ? "no queue limit" : `${bytes} bytes`;
}

/** One line for a reader: `48 Mbit/s, 50 ms, 400 packets`. */
export function linkLabel(scenario: Scenario): string {
  const parts = [
    rateLabel(scenario.forward.rate),
    `${2 * scenario.propagationDelayMs} ms`,
    queueLabel(scenario.forward),
  ];
  if (scenario.forward.lossRate > 0)
    parts.push(`loss ${+(100 * scenario.forward.lossRate).toPrecision(3)} %`);
  return parts.join(", ");
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

export type StoredScenario = Omit<Scenario, "forward" | "reverse"> & {
  readonly forward: Omit<DirectionSpec, "rate"> & { readonly rate: StoredRate };
  readonly reverse: Omit<DirectionSpec, "rate"> & { readonly rate: StoredRate };
};

function storedRate(rate: RateSpec): StoredRate {
  if (rate.kind !== "trace") return rate;
  return {
    kind: "trace",
    name: baseName(rate.name),
    sha256: traceSha256(rate.opportunitiesMs),
    opportunities: rate.opportunitiesMs.length,
    periodMs: rate.opportunitiesMs[rate.opportunitiesMs.length - 1] ?? 0,
  };
}

export function storedScenario(scenario: Scenario): StoredScenario {
  return {
    ...scenario,
    forward: { ...scenario.forward, rate: storedRate(scenario.forward.rate) },
    reverse: { ...scenario.reverse, rate: storedRate(scenario.reverse.rate) },
  };
}
