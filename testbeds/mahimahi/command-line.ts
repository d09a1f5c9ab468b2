/**
 * A scenario as a command line of Mahimahi's shells, `mm-delay MS mm-loss downlink RATE mm-link UP DOWN ... -- mm-loss uplink RATE
 * COMMAND`, and the traces that it names. As in simulation a packet is lost before the queue, not behind it. What they cannot do
 * is refused: they know one link of each direction, one delay, four queues.
 */
import { join } from "node:path";
import type { Rng } from "../../core/random.ts";
import { type Bytes, NANOS_PER_MILLI, type Nanos, PACKET_BYTES } from "../../core/units.ts";
import { DIRECTION_FIELDS, type DirectionSpec } from "../../scenarios/direction.ts";
import { mtuOf, type Scenario } from "../../scenarios/scenario.ts";
import type { LinkSpec } from "../../sim/network.ts";
import { makeServer } from "../../sim/servers/make-server.ts";
import { OPPORTUNITY_BYTES } from "../../sim/servers/opportunities.ts";
import type { LinkPlan } from "../emulated/link-plan.ts";

/** What of a direction the shells can do. */
const KNOWN_FIELDS = ["lossRate", "queue", "rate", "outages"];
const QUEUES: Readonly<Record<string, string>> = {
  "drop-tail": "droptail",
  "drop-head": "drophead",
  codel: "codel",
  pie: "pie",
};
/** A trace for a link without a limit: so many packets in each millisecond, 1.2 Gbit/s. */
const UNLIMITED_PER_MS = 100;

/** Opportunities of both ways in whole milliseconds from a point of time, in their order; undefined: without a limit. */
export type Opportunities = Readonly<Record<"forward" | "reverse", readonly number[] | undefined>>;

export interface MahimahiPlan {
  /** what stands before the command of the user */
  readonly words: readonly string[];
  /** traces by path, to be written before */
  readonly files: Readonly<Record<string, string>>;
  readonly uplinkLog: string;
  readonly downlinkLog: string;
}

/** One sentence why Mahimahi's shells cannot do the scenario; undefined: they can. */
export function shellsRefuse(scenario: Scenario): string | undefined {
  if (mtuOf(scenario) !== PACKET_BYTES)
    return `the device of mm-link carries packets of ${PACKET_BYTES} bytes, got mtuBytes ${scenario.mtuBytes}`;
  if (scenario.links !== undefined || scenario.route !== undefined)
    return "they know one link of each direction";
  if (scenario.delay !== undefined) return "mm-delay has one constant delay";
  if (!Number.isInteger(scenario.propagationDelayMs)) {
    return `mm-delay takes whole milliseconds, got ${scenario.propagationDelayMs}`;
  }
  const { reversePropagationDelayMs = scenario.propagationDelayMs } = scenario;
  if (reversePropagationDelayMs !== scenario.propagationDelayMs)
    return "mm-delay delays both directions alike";
  return wayRefusal("forward", scenario.forward) ?? wayRefusal("reverse", scenario.reverse);
}

/** Why they cannot run the scenario with all that is in it, where nobody else sends its cross traffic. */
export function crossTrafficRefusal({ flows = [], traffic = [] }: Scenario): string | undefined {
  return flows.length + traffic.length > 0 ? "they have no cross traffic of their own" : undefined;
}

/** How many shells stand around the command. */
export function shellsOf({ propagationDelayMs, forward, reverse }: Scenario): number {
  return [true, propagationDelayMs > 0, forward.lossRate > 0, reverse.lossRate > 0].filter(Boolean).length;
}

function wayRefusal(name: string, direction: DirectionSpec): string | undefined {
  const set = DIRECTION_FIELDS.filter((field) => Boolean(direction[field as keyof DirectionSpec]));
  const unknown = set.find((field) => !KNOWN_FIELDS.includes(field));
  if (unknown !== undefined) return `they have nothing like ${name}.${unknown}`;
  const { discipline, packets, bytes } = direction.queue;
  const kind = discipline?.kind ?? "drop-tail";
  if (QUEUES[kind] === undefined) {
    return `mm-link has no ${kind} for ${name}.queue, only ${Object.keys(QUEUES).join(", ")}`;
  }
  if (discipline !== undefined && "ecn" in discipline && discipline.ecn === true)
    return "mm-link does not mark";
  if (packets !== undefined && bytes !== undefined)
    return `mm-link limits ${name}.queue by packets or by bytes, not both`;
  return undefined;
}

function queueWords(
  side: "uplink" | "downlink",
  { packets, bytes, discipline }: DirectionSpec["queue"],
): string[] {
  const isEndless = packets === undefined && bytes === undefined && discipline === undefined;
  if (isEndless) return [`--${side}-queue=infinite`];
  const args: string[] = [];
  if (packets !== undefined) args.push(`packets=${packets}`);
  if (bytes !== undefined) args.push(`bytes=${bytes}`);
  // RFC 8289 and 8033, as our own queues have them where the scenario says nothing
  if (discipline?.kind === "codel") {
    args.push(`target=${discipline.targetMs ?? 5}`, `interval=${discipline.intervalMs ?? 100}`);
  } else if (discipline?.kind === "pie") {
    args.push(`qdelay_ref=${discipline.targetMs ?? 15}`, `max_burst=${discipline.burstMs ?? 150}`);
  }
  const queue = QUEUES[discipline?.kind ?? "drop-tail"]!;
  return [
    `--${side}-queue=${queue}`,
    ...(args.length === 0 ? [] : [`--${side}-queue-args=${args.join(",")}`]),
  ];
}

/** Bytes of an opportunity, as the simulator counts packets: rates count packets of 1500 bytes, of which each takes one. */
export function opportunityBytes({ dataBytes }: LinkSpec): Bytes {
  return dataBytes === PACKET_BYTES ? PACKET_BYTES : OPPORTUNITY_BYTES;
}

function opportunitiesMs(spec: LinkSpec, fork: Rng, fromNs: Nanos, spanMs: number): number[] | undefined {
  if (spec.rate.kind === "unlimited") return undefined;
  const server = makeServer(spec.rate, { rng: fork, outages: spec.outages });
  const bytesEach = opportunityBytes(spec);
  const times: number[] = [];
  for (let ms = 1; ms <= spanMs; ms++) {
    const possible = server.capacityBytes(fromNs, fromNs + ms * NANOS_PER_MILLI) / bytesEach;
    while (times.length + 1 <= possible + 1e-6) times.push(ms);
  }
  return times;
}

/** From the very servers of the simulator, between two points of its time. */
export function findOpportunities(
  { spec, rng }: Pick<LinkPlan, "spec" | "rng">,
  fromNs: Nanos,
  spanMs: number,
): Opportunities {
  const of = (name: "forward" | "reverse"): number[] | undefined =>
    opportunitiesMs(spec[name], rng.fork(`${name}.rate`), fromNs, spanMs);
  return { forward: of("forward"), reverse: of("reverse") };
}

/** @param leadMs before the first of them, in which each millisecond has one */
function traceText(times: readonly number[] | undefined, leadMs: number): string {
  if (times === undefined) return "1\n".repeat(UNLIMITED_PER_MS);
  const lead = Array.from({ length: leadMs }, (_, i) => i + 1);
  return `${[...lead, ...times.map((ms) => leadMs + ms)].join("\n")}\n`;
}

/**
 * @param folder where traces and logs are to lie
 * @param leadMs for which mm-link runs before the first opportunity's time begins
 */
export function planShells(
  { forward, reverse, propagationDelayMs }: Scenario,
  opportunities: Opportunities,
  folder: string,
  leadMs = 0,
): MahimahiPlan {
  const [up, down, uplinkLog, downlinkLog] = [
    "uplink.trace",
    "downlink.trace",
    "uplink.log",
    "downlink.log",
  ].map((file) => join(folder, file)) as [string, string, string, string];
  const loss = (side: "uplink" | "downlink", { lossRate }: DirectionSpec): string[] =>
    lossRate > 0 ? ["mm-loss", side, String(lossRate)] : [];
  return {
    words: [
      ...(propagationDelayMs > 0 ? ["mm-delay", String(propagationDelayMs)] : []),
      ...loss("downlink", reverse),
      "mm-link",
      up,
      down,
      ...queueWords("uplink", forward.queue),
      ...queueWords("downlink", reverse.queue),
      `--uplink-log=${uplinkLog}`,
      `--downlink-log=${downlinkLog}`,
      "--",
      ...loss("uplink", forward),
    ],
    files: {
      [up]: traceText(opportunities.forward, leadMs),
      [down]: traceText(opportunities.reverse, leadMs),
    },
    uplinkLog,
    downlinkLog,
  };
}
