/** How much memory a run of a scenario takes, before it runs: packets in queues and in flight, flows, traces, series. */
import type { Bytes } from "../../core/units.ts";
import { fromMbps } from "../../core/units.ts";
import type { DirectionSpec } from "../direction.ts";
import { leadSec } from "../flows.ts";
import { overlayDirections } from "../overlay/overlay.ts";
import { peakMbps, rateMemoryBytes } from "../rates/registry.ts";
import { mtuOf, type Scenario } from "../scenario.ts";
import { transfersPerSec } from "../traffic/arrivals.ts";

/** One packet: its rows in queue and rings, which double, and the sender's record of it until it is acknowledged: 140 to 290. */
const BYTES_PER_PACKET = 300;
/** One flow: mostly its histogram of delays, 22 Ki counters of 4 bytes. */
const BYTES_PER_FLOW = 120_000;
/** One finished transfer: size, times, a few counters. */
const BYTES_PER_TRANSFER = 400;
/** Six series of numbers per flow. */
const BYTES_PER_BIN = 48;
/** The shortest bins that results use, seconds. */
const BIN_SEC = 0.05;
const MAX_BINS = 2_000;
/**
 * Packets that fit into the queue, or that the link passes in the whole run if it has no limit: a sender sends at most one
 * packet more per acknowledged one, so what waits is at most what has been delivered.
 */
function queuePackets({ queue, rate }: DirectionSpec, durationSec: number, mtuBytes: Bytes): number {
  const limit = Math.min(
    queue.packets ?? Number.POSITIVE_INFINITY,
    (queue.bytes ?? Number.POSITIVE_INFINITY) / mtuBytes,
  );
  const mbps = peakMbps(rate);
  return mbps === undefined ? 0 : Math.min(limit, (fromMbps(mbps) * durationSec) / mtuBytes);
}

/** An upper estimate, bytes; the simulator's own code and tables are not counted. */
export function estimateMemoryBytes(scenario: Scenario): Bytes {
  const { forward, reverse, links = {}, durationSec, flows = [], traffic = [] } = scenario;
  const all = [forward, reverse, ...Object.values(links), ...overlayDirections(scenario.overlay)];
  const rttSec =
    (scenario.propagationDelayMs + (scenario.reversePropagationDelayMs ?? scenario.propagationDelayMs)) /
    1000;
  // others begin before the flow under test, which begins up to a second later unless that is fixed
  const totalSec = durationSec + leadSec(scenario) + (scenario.fixed?.startSec ?? 1);
  const mtuBytes = mtuOf(scenario);
  let packets = 0;
  let rateBytes = 0;
  for (const link of all) {
    const mbps = peakMbps(link.rate) ?? 0;
    const inFlight = (fromMbps(mbps) * rttSec) / mtuBytes;
    packets += queuePackets(link, totalSec, mtuBytes) + inFlight;
    rateBytes += rateMemoryBytes(link.rate, totalSec);
  }
  let flowCount = 1;
  for (const plan of flows) flowCount += plan.count ?? 1;
  let transfers = 0;
  for (const spec of traffic) {
    if (spec.kind === "incast") flowCount += spec.senders;
    transfers += transfersPerSec(spec, forward) * totalSec;
  }
  const bins = Math.min(MAX_BINS, durationSec / BIN_SEC);
  return (
    packets * BYTES_PER_PACKET +
    flowCount * (BYTES_PER_FLOW + bins * BYTES_PER_BIN) +
    transfers * BYTES_PER_TRANSFER +
    rateBytes
  );
}
