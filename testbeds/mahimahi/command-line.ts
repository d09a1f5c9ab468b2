/**
 * A scenario as a command line of Mahimahi's shells, `mm-delay MS mm-loss uplink RATE mm-link UP DOWN ... -- COMMAND`, and the
 * traces that it names. What they cannot do is refused: they know one link of each direction, one delay, four queues.
 */
import { join } from "node:path";
import { NANOS_PER_MILLI, PACKET_BYTES } from "../../core/units.ts";
import { DIRECTION_FIELDS, type DirectionSpec } from "../../scenarios/direction.ts";
import { mtuOf, type Scenario } from "../../scenarios/scenario.ts";
import type { LinkSpec } from "../../sim/network.ts";
import { makeServer } from "../../sim/servers/make-server.ts";
import { OPPORTUNITY_BYTES } from "../../sim/servers/opportunities.ts";
import { planLink } from "../emulated/link-plan.ts";

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
  if ((scenario.flows ?? []).length + (scenario.traffic ?? []).length > 0) {
    return "they have no cross traffic of their own";
  }
  return wayRefusal("forward", scenario.forward) ?? wayRefusal("reverse", scenario.reverse);
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

/** The opportunities of a whole run in milliseconds from the flow's start, from the very server of the simulator. */
function traceText(
  spec: LinkSpec,
  fork: ReturnType<typeof planLink>["rng"],
  startNs: number,
  durationSec: number,
): string {
  if (spec.rate.kind === "unlimited") return "1\n".repeat(UNLIMITED_PER_MS);
  const server = makeServer(spec.rate, { rng: fork, outages: spec.outages });
  // rates count packets of 1500 bytes, of which each takes one opportunity; traces and Poisson count opportunities
  const bytesEach = spec.dataBytes === PACKET_BYTES ? PACKET_BYTES : OPPORTUNITY_BYTES;
  const lines: number[] = [];
  for (let ms = 1; ms <= durationSec * 1000; ms++) {
    const possible = server.capacityBytes(startNs, startNs + ms * NANOS_PER_MILLI) / bytesEach;
    while (lines.length + 1 <= possible + 1e-6) lines.push(ms);
  }
  return `${lines.join("\n")}\n`;
}

/**
 * @param folder where traces and logs are to lie
 * @param seed draws what the scenario leaves to chance, as in simulation
 */
export function planShells(scenario: Scenario, seed: number, folder: string): MahimahiPlan {
  const { spec, rng, startNs } = planLink(scenario, seed, "simulated");
  const [up, down] = ["uplink.trace", "downlink.trace"].map((file) => join(folder, file)) as [string, string];
  const [uplinkLog, downlinkLog] = ["uplink.log", "downlink.log"].map((file) => join(folder, file)) as [
    string,
    string,
  ];
  const text = (name: "forward" | "reverse"): string =>
    traceText(spec[name], rng.fork(`${name}.rate`), startNs, scenario.durationSec);
  const loss = (side: "uplink" | "downlink", { lossRate }: DirectionSpec): string[] =>
    lossRate > 0 ? ["mm-loss", side, String(lossRate)] : [];
  const { forward, reverse, propagationDelayMs } = scenario;
  return {
    words: [
      ...(propagationDelayMs > 0 ? ["mm-delay", String(propagationDelayMs)] : []),
      ...loss("uplink", forward),
      ...loss("downlink", reverse),
      "mm-link",
      up,
      down,
      ...queueWords("uplink", forward.queue),
      ...queueWords("downlink", reverse.queue),
      `--uplink-log=${uplinkLog}`,
      `--downlink-log=${downlinkLog}`,
      "--",
    ],
    files: { [up]: text("forward"), [down]: text("reverse") },
    uplinkLog,
    downlinkLog,
  };
}
