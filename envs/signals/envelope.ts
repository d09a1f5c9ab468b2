/**
 * How far window and observations reach. Links within the range that all was tuned on have Park's 4,800 packets and features
 * within +-1; a link beyond it has room for its own, so that a policy is not held where an algorithm is not.
 */
import { log2 } from "../../core/math.ts";
import type { BytesPerSec, Micros } from "../../core/units.ts";
import { fromMbps } from "../../core/units.ts";
import { bdpPackets } from "../../scenarios/links.ts";
import { peakMbps } from "../../scenarios/rates/registry.ts";
import { mtuOf, roundTripMs, type Scenario } from "../../scenarios/scenario.ts";
import { drawScenario, type ScenarioSource } from "../steps/scenario-source.ts";

/** Limits of the two features that give the scale of a path, `minRttLog` and `maxRateLog`: they stay within +- this. */
export interface Spans {
  readonly rtt: number;
  readonly rate: number;
}

export interface Envelope extends Spans {
  /** of the forms of action that have a limit */
  readonly maxCwndPackets: number;
}

/** Park's bound of the absolute form; 4800 packets are 6.9 MB in flight. */
export const DEFAULT_ENVELOPE: Envelope = { maxCwndPackets: 4800, rtt: 1, rate: 1 };

/** Reference points of the two features, and the octaves from there on to their ends at +-1: 2.5 to 640 ms, 0.6 to 2,560 Mbit/s. */
export const REFERENCE_RTT_US: Micros = 40_000;
export const RTT_OCTAVES = 4;
export const REFERENCE_RATE_BYTES_PER_SEC: BytesPerSec = 5e6;
export const RATE_OCTAVES = 6;

/** Spans come in these, so that links of one kind have one space. */
const SPAN_STEP = 0.5;

function span(ratio: number, octaves: number): number {
  const reach = Math.abs(log2(ratio)) / octaves;
  return reach <= 1 ? 1 : Math.ceil(reach / SPAN_STEP) * SPAN_STEP;
}

/** Of a link whose window of one bandwidth-delay product is no more than half of the default's, the default. */
export function envelopeOf(scenario: Scenario): Envelope {
  const { forward, links = {} } = scenario;
  const rttMs = roundTripMs(scenario);
  const peaks = [forward, ...Object.values(links)].map(({ rate }) => peakMbps(rate) ?? 0);
  const mbps = Math.max(...peaks);
  const spans = {
    rtt: rttMs > 0 ? span((rttMs * 1000) / REFERENCE_RTT_US, RTT_OCTAVES) : 1,
    rate: mbps > 0 ? span(Math.max(1, fromMbps(mbps) / REFERENCE_RATE_BYTES_PER_SEC), RATE_OCTAVES) : 1,
  };
  const bdp = bdpPackets(mbps, rttMs, mtuOf(scenario));
  const most = Math.ceil(4 * bdp);
  const isWithin = 2 * bdp <= DEFAULT_ENVELOPE.maxCwndPackets;
  return { maxCwndPackets: isWithin ? DEFAULT_ENVELOPE.maxCwndPackets : most, ...spans };
}

/** Draws that are looked at where episodes draw their scenario. */
const DRAWS = 16;
const ofSources = new WeakMap<ScenarioSource, Envelope>();

/** The widest of what episodes draw. */
export function envelopeOfSource(source: ScenarioSource): Envelope {
  let envelope = ofSources.get(source);
  if (envelope === undefined) {
    const draws = typeof source === "function" ? DRAWS : 1;
    const all = Array.from({ length: draws }, (_, seed) => envelopeOf(drawScenario(source, seed)));
    const widest = (of: (each: Envelope) => number): number => Math.max(...all.map(of));
    envelope = {
      maxCwndPackets: widest((each) => each.maxCwndPackets),
      rtt: widest((each) => each.rtt),
      rate: widest((each) => each.rate),
    };
    ofSources.set(source, envelope);
  }
  return envelope;
}

interface Limits {
  readonly dimensions: readonly { readonly name: string; readonly high: number }[];
}

/** What a policy was made for, by the spaces that it was stored with. */
export function envelopeOfSpaces(observation: Limits, action: Limits | undefined): Envelope {
  const atLeast = (least: number, space: Limits | undefined, dimension: string): number => {
    const found = space?.dimensions.find(
      ({ name }) => name === dimension || name.startsWith(`${dimension}[`),
    );
    return Math.max(least, found?.high ?? least);
  };
  return {
    maxCwndPackets: atLeast(DEFAULT_ENVELOPE.maxCwndPackets, action, "cwndPackets"),
    rtt: atLeast(DEFAULT_ENVELOPE.rtt, observation, "minRttLog"),
    rate: atLeast(DEFAULT_ENVELOPE.rate, observation, "maxRateLog"),
  };
}
