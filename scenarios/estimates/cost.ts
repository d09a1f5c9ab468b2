/**
 * How much a run of a scenario has to do, before it runs, in units of one packet's way through the network: packets, and
 * everything else that has a clock. Times are the simulator's, not the machine's: who knows the machine multiplies.
 */
import { type Bytes, fromMbps } from "../../core/units.ts";
import type { DelaySpecs } from "../delays/registry.ts";
import type { DirectionSpec } from "../direction.ts";
import { leadSec } from "../flows.ts";
import { overlayDirections } from "../overlay/overlay.ts";
import { peakMbps, rateChangesPerSec } from "../rates/registry.ts";
import { mtuOf, type Scenario } from "../scenario.ts";
import type { ApplicationSpec } from "../traffic/applications.ts";
import { datagramsPerSec, transfersPerSec } from "../traffic/arrivals.ts";

/** Of a link without limit, or of flows that something else holds. */
const ASSUMED_MBPS = 100;
/** A transfer is a flow that is made, measured and taken away again. */
const PACKETS_PER_TRANSFER = 120;
/** A flow that is there from the beginning: its sender, receiver and histograms. */
const PACKETS_PER_FLOW = 150;
const PACKETS_PER_LINK = 25;
/** A bucket of a queue, a point of a schedule. */
const PACKETS_PER_PART = 0.25;
/** RFC 8033. */
const PIE_UPDATE_MS = 15;
/** Packets that a change of SFQ's hash moves, where nothing limits the queue. */
const ASSUMED_QUEUE_PACKETS = 1_000;
const BUCKETS = 1_024;

function packetsPerSec({ rate }: DirectionSpec, mtuBytes: Bytes): number {
  return fromMbps(peakMbps(rate) ?? ASSUMED_MBPS) / mtuBytes;
}

/** Of its rate and its queue, beside packets. */
function clocksOfLink({ rate, queue }: DirectionSpec): number {
  const { discipline } = queue;
  const changes = rateChangesPerSec(rate);
  if (discipline?.kind === "pie") return changes + 1_000 / (discipline.updateMs ?? PIE_UPDATE_MS);
  if (discipline?.kind === "sfq" && discipline.perturbSec) {
    return changes + (queue.packets ?? ASSUMED_QUEUE_PACKETS) / discipline.perturbSec;
  }
  return changes;
}

function clocksOfDelay(delay: DelaySpecs | undefined): number {
  return [delay?.forward, delay?.reverse]
    .map((each) => {
      if (each === undefined) return 0;
      if (each.kind === "random-walk") return 1_000 / each.everyMs;
      return each.periodSec === undefined ? 0 : each.points.length / each.periodSec;
    })
    .reduce((sum, each) => sum + each, 0);
}

function clocksOfApplication(spec: ApplicationSpec | undefined, mtuBytes: Bytes): number {
  switch (spec?.kind) {
    case "on-off":
      return 2 / (spec.meanOnSec + spec.meanOffSec);
    case "constant-rate":
      return fromMbps(spec.mbps) / mtuBytes;
    case "video":
      return spec.framesPerSec ?? 30;
    case "media":
      return 1_000 + spec.streams.reduce((sum, { framesPerSec }) => sum + framesPerSec, 0);
    case "short-transfers":
      return 1 / spec.meanOffSec;
    default:
      return 0;
  }
}

function isBackward({ flows = [], traffic = [] }: Scenario): boolean {
  return [...flows, ...traffic].some((each) => "direction" in each && each.direction === "backward");
}

/** Events in a second of the run, in packets. */
export function eventsPerSec(scenario: Scenario): number {
  const { forward, reverse, links = {}, flows = [], traffic = [] } = scenario;
  const further = [...Object.values(links), ...overlayDirections(scenario.overlay)];
  const mtuBytes = mtuOf(scenario);
  // ACKs are part of the packets that they answer
  const data = isBackward(scenario) ? [forward, reverse, ...further] : [forward, ...further];
  let events = 0;
  for (const link of data) events += packetsPerSec(link, mtuBytes);
  for (const link of [forward, reverse, ...further]) events += clocksOfLink(link);
  events += clocksOfDelay(scenario.delay) + clocksOfApplication(scenario.application, mtuBytes);
  for (const { count = 1, delay = scenario.delay, application } of flows) {
    events += count * (clocksOfDelay(delay) + clocksOfApplication(application, mtuBytes));
  }
  for (const spec of traffic) {
    events += PACKETS_PER_TRANSFER * transfersPerSec(spec, forward) + datagramsPerSec(spec, mtuBytes);
  }
  return events;
}

/** What is done before the first packet, in packets. */
function toBuild(scenario: Scenario): number {
  const { forward, reverse, links = {}, flows = [], traffic = [] } = scenario;
  const further = [...Object.values(links), ...overlayDirections(scenario.overlay)];
  let made = 0;
  for (const { rate, queue, outages = [], blackholes = [] } of [forward, reverse, ...further]) {
    const { discipline } = queue;
    const parts = discipline !== undefined && "buckets" in discipline ? (discipline.buckets ?? BUCKETS) : 0;
    const points = "points" in rate ? rate.points.length : "states" in rate ? rate.states.length : 0;
    made += PACKETS_PER_LINK + PACKETS_PER_PART * (parts + points + outages.length + blackholes.length);
  }
  for (const { count = 1 } of flows) made += PACKETS_PER_FLOW * count;
  for (const spec of traffic) if (spec.kind === "incast") made += PACKETS_PER_TRANSFER * spec.senders;
  return made;
}

/** What a reset does, in packets: it builds the run, and others run until the flow under test begins. */
export function eventsOfReset(scenario: Scenario): number {
  const { flows = [], traffic = [], fixed } = scenario;
  // the flow under test starts half a second later on average
  const alone = flows.length + traffic.length === 0;
  const leads = alone ? 0 : leadSec(scenario) + (fixed?.startSec ?? 0.5);
  return toBuild(scenario) + eventsPerSec(scenario) * leads;
}
