/** The thread of one emulated link: says when it is ready, carries packets until it is to end, and says how that went. */
import { parentPort, workerData } from "node:worker_threads";
import { raiseInliningBudget } from "../../core/v8-inlining.ts";
import { writeFilesWhole } from "../../core/whole-files.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { MahimahiLog } from "../exports/mahimahi-log.ts";
import { loadLibc } from "../host/libc.ts";
import { hurry } from "./hurry.ts";
import { type LinkEnds, LinkLoop, type PacketEntry } from "./link-loop.ts";
import { type CrossTraffic, planLink } from "./link-plan.ts";
import { PcapFile } from "./pcap.ts";
import type { SharedLink } from "./shared.ts";

export interface LinkThreadData {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly crossTraffic: CrossTraffic;
  readonly ends: LinkEnds;
  readonly shared: SharedLink;
  readonly mtuBytes: number;
  readonly startsByItself: boolean;
  /** files */
  readonly pcap: string | undefined;
  readonly forwardLog: string | undefined;
  readonly reverseLog: string | undefined;
  readonly packetLog: string | undefined;
}

export type LinkThreadMessage = { readonly kind: "ready" } | { readonly kind: "done" };

async function carry(data: LinkThreadData): Promise<void> {
  raiseInliningBudget();
  const { scenario, seed, crossTraffic, ends, shared, mtuBytes, startsByItself } = data;
  const plan = planLink(scenario, seed, crossTraffic);
  const entries: PacketEntry[] | undefined = data.packetLog === undefined ? undefined : [];
  const libc = await loadLibc();
  hurry(libc);
  const loop = new LinkLoop({
    libc,
    ends,
    shared,
    plan,
    mtuBytes,
    startsByItself,
    pcap: data.pcap === undefined ? undefined : new PcapFile(data.pcap),
    entries,
  });
  const [forward, reverse] = loop.network.hops;
  const logs = [
    { link: forward!, file: data.forwardLog, name: "uplink" },
    { link: reverse!, file: data.reverseLog, name: "downlink" },
  ].flatMap(({ link, file, name }) => {
    if (file === undefined) return [];
    const log = new MahimahiLog();
    link.tracer = log;
    return [{ link, file, name, log }];
  });
  const say = (message: LinkThreadMessage): void => parentPort!.postMessage(message);
  say({ kind: "ready" });
  loop.run();
  loop.tellLateness();
  for (const { link, file, name, log } of logs) {
    const comments = [`mahimahi mm-link (${name})`, `${scenario.name}, seed ${seed}`];
    writeFilesWhole({ [file]: log.text(link, plan.startNs, loop.network.nowNs, comments) });
  }
  if (entries !== undefined) writeFilesWhole({ [data.packetLog!]: packetRows(entries) });
  say({ kind: "done" });
}

const COLUMNS = ["atNs", "way", "flow", "bytes", "ecn", "isAck", "fate", "leftNs"] as const;

function packetRows(entries: readonly PacketEntry[]): string {
  const rows = entries.map((entry) => COLUMNS.map((column) => entry[column]).join(","));
  return `${[COLUMNS.join(","), ...rows].join("\n")}\n`;
}

void carry(workerData as LinkThreadData);
