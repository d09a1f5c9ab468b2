/** The thread of one emulated link: says when it is ready, carries packets until it is to end, and says how that went. */
import { writeFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { raiseInliningBudget } from "../../core/v8-inlining.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { MahimahiLog } from "../exports/mahimahi-log.ts";
import { loadLibc } from "../host/libc.ts";
import { type LinkEnds, LinkLoop } from "./link-loop.ts";
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
}

export type LinkThreadMessage = { readonly kind: "ready" } | { readonly kind: "done" };

async function carry(data: LinkThreadData): Promise<void> {
  raiseInliningBudget();
  const { scenario, seed, crossTraffic, ends, shared, mtuBytes, startsByItself } = data;
  const plan = planLink(scenario, seed, crossTraffic);
  const loop = new LinkLoop({
    libc: await loadLibc(),
    ends,
    shared,
    plan,
    mtuBytes,
    startsByItself,
    pcap: data.pcap === undefined ? undefined : new PcapFile(data.pcap),
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
    writeFileSync(file, log.text(link, plan.startNs, loop.network.nowNs, comments));
  }
  say({ kind: "done" });
}

void carry(workerData as LinkThreadData);
