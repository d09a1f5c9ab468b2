/** What traffic measures of programs in the kernel: the parts of `bench:kernel` that need it, and what experiments on Linux are made of. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { ccpAlgorithm } from "../../../algorithms/reference.ts";
import type { CcpAlgorithm } from "../../../ccp-bridge/agent/algorithm.ts";
import { compileAlgorithms } from "../../../ccp-bridge/agent/program-set.ts";
import { encodeChangeProg } from "../../../ccp-bridge/wire/change-prog.ts";
import type { Libc } from "../../../testbeds/host/libc.ts";
import { LinuxAgent } from "../../../testbeds/linux/linux-agent.ts";
import { quantile } from "../console.ts";
import { type Rig, reporting, type Sent, send } from "./rig.ts";

/** Where it runs, how often, and for how many seconds at a time. */
export interface Bench {
  readonly libc: Libc;
  readonly rig: Rig;
  readonly rounds: number;
  readonly sec: number;
}

const TEN_MS = 10_000;
const FLOWS = [1, 8, 64];
const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Nanoseconds in the kernel for each ACK, by its own run-time statistics. */
async function* hook({ libc, rig, rounds, sec }: Bench): AsyncGenerator<object> {
  const subjects = [
    reporting("never"),
    reporting("ack"),
    ...["reno", "cubic", "bbr"].map((name) => ccpAlgorithm(name)),
  ];
  const costs = new Map(subjects.map((subject): [CcpAlgorithm, number[]] => [subject, []]));
  const rates = new Map(subjects.map((subject): [CcpAlgorithm, number[]] => [subject, []]));
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) {
      const { hookNs, acksPerSec, reportsPerSec } = await send(libc, rig, subject, {
        measuresHook: true,
        sec,
      });
      costs.get(subject)!.push(hookNs ?? Number.NaN);
      rates.get(subject)!.push(reportsPerSec / acksPerSec);
    }
  }
  for (const subject of subjects) {
    yield {
      algorithm: subject.name,
      nsPerAck: median(costs.get(subject)!),
      reportsPerAck: median(rates.get(subject)!),
    };
  }
}

/** What stands for Linux's own Cubic beside ours. */
export const KERNEL_CUBIC = "kernel-cubic";

export interface Throughput {
  readonly flows: number;
  readonly algorithm: string;
  readonly mbps: number;
  readonly ofKernelCubic: number;
  readonly reportsPerSec: number;
  /** processors that were busy */
  readonly cpuShare: number;
}

/** As fast as the machine can, in turns with Linux's Cubic: medians of the rounds, and their ratios. */
async function* inTurns(
  { libc, rig, rounds, sec }: Bench,
  flows: number,
  others: readonly (readonly [string, CcpAlgorithm | string])[],
): AsyncGenerator<Throughput> {
  const subjects = [[KERNEL_CUBIC, "cubic"] as const, ...others].map(([name, by]) => ({
    name,
    by,
    sent: [] as Sent[],
  }));
  for (let round = 0; round < rounds; round++) {
    for (const { by, sent } of subjects) sent.push(await send(libc, rig, by, { flows, sec }));
  }
  const mbpsOf = (sent: readonly Sent[]): number => median(sent.map(({ mbps }) => mbps));
  for (const { name, sent } of subjects) {
    const mbps = mbpsOf(sent);
    yield {
      flows,
      algorithm: name,
      mbps,
      ofKernelCubic: mbps / mbpsOf(subjects[0]!.sent),
      reportsPerSec: median(sent.map(({ reportsPerSec }) => reportsPerSec)),
      cpuShare: median(sent.map(({ cpuShare }) => cpuShare)),
    };
  }
}

/** One flow: reports of every ACK, every 10 ms, and no agent at all. */
export function throughput(bench: Bench): AsyncGenerator<Throughput> {
  const [each, seldom] = [reporting("ack"), reporting(TEN_MS)];
  return inTurns(bench, 1, [
    [each.name, each],
    [seldom.name, seldom],
    ["no-agent", "no-agent"],
  ]);
}

/** A loop that counts beside iperf3, all on one processor at one rate: what is left for it, as eBPFCCP measured. */
async function* share({ libc, rig, rounds }: Bench): AsyncGenerator<object> {
  const LOOP = "let n=0;const e=Date.now()+2000;while(Date.now()<e)for(let i=0;i<1e5;i++)n++;console.log(n)";
  const pinned = (command: string, args: readonly string[], inside?: Rig["client"]): ChildProcess => {
    const start = (): ChildProcess =>
      spawn("taskset", ["-c", "0", command, ...args], { stdio: ["ignore", "pipe", "ignore"] });
    return inside === undefined ? start() : inside.namespace.run(start);
  };
  const counted = async (congestion: string): Promise<number> => {
    const server = pinned("iperf3", ["-s", "-1"], rig.server);
    await sleep(300);
    const client = pinned(
      "iperf3",
      ["-c", rig.server.address, "-C", congestion, "-b", "1G", "-t", "4"],
      rig.client,
    );
    await sleep(700);
    const loop = pinned(process.execPath, ["-e", LOOP]);
    let text = "";
    loop.stdout!.on("data", (chunk: Buffer) => (text += chunk));
    const ends = [client, server].map((child) => once(child, "exit"));
    await once(loop, "close");
    client.kill("SIGKILL");
    server.kill("SIGKILL");
    await Promise.all(ends);
    return Number(text);
  };
  const agent = new LinuxAgent(libc, {
    name: `ccb${process.pid}_share`,
    set: compileAlgorithms([ccpAlgorithm("cubic")]),
  });
  const [kernels, ours]: number[][] = [[], []];
  try {
    for (let round = 0; round < rounds; round++) {
      kernels!.push(await counted("cubic"));
      ours!.push(await counted(agent.datapath.name));
    }
  } finally {
    agent.close();
  }
  yield {
    kernelCubic: median(kernels!),
    cubic: median(ours!),
    ratio: median(ours!) / median(kernels!),
  };
}

/** Several flows at once. */
export async function* flows(bench: Bench, counts: readonly number[] = FLOWS): AsyncGenerator<Throughput> {
  for (const count of counts) {
    yield* inTurns(bench, count, [
      ["cubic", ccpAlgorithm("cubic")],
      ["reports-10ms", reporting(TEN_MS)],
    ]);
  }
}

export interface Change {
  /** of the program that is loaded */
  readonly instructions: number;
  readonly switches: number;
  readonly medianMs: number;
  readonly maxMs: number;
  /** that came meanwhile, and those of them that found none */
  readonly acks: number;
  readonly acksWithoutProgram: number;
}

/** Loading and choosing another program while ACKs come, and whether any of them found none. */
export async function* change({ libc, rig }: Pick<Bench, "libc" | "rig">): AsyncGenerator<Change> {
  const { programs } = compileAlgorithms([ccpAlgorithm("bbr")]);
  const [program] = programs;
  const tookMs: number[] = [];
  let nativeAcks = 0;
  let acks = 0;
  await send(libc, rig, reporting(TEN_MS), {
    during: async (agent) => {
      const look = (of: "acks" | "nativeAcks"): number =>
        agent.facts().reduce((sum, facts) => sum + facts[of], 0);
      const before = { acks: look("acks"), native: look("nativeAcks") };
      for (let uid = 100; uid < 140; uid++) {
        const install = program!.install.slice();
        new DataView(install.buffer).setUint32(8, uid, true);
        const from = performance.now();
        const code = agent.datapath.receive(install);
        if (code !== 0) throw new Error(`install: ${code}`);
        const [flow] = agent.facts();
        const changed = agent.datapath.receive(
          encodeChangeProg({ flowId: flow!.flowId, programUid: uid, updates: [] }),
        );
        if (changed !== 0) throw new Error(`change: ${changed}`);
        tookMs.push(performance.now() - from);
        await sleep(20);
      }
      acks = look("acks") - before.acks;
      nativeAcks = look("nativeAcks") - before.native;
    },
  });
  yield {
    instructions: program!.compiled.instructions.length,
    switches: tookMs.length,
    medianMs: median(tookMs),
    maxMs: Math.max(...tookMs),
    acks,
    acksWithoutProgram: nativeAcks,
  };
}

export interface Staleness {
  /** what is reported: every ACK, or the ACKs of so many microseconds together */
  readonly every: "ack" | number;
  readonly reportsPerSec: number;
  readonly acksPerReport: number;
  /** from the ACK that a report ends with to the agent, at QUANTILES */
  readonly latencyUs: readonly number[];
}

export const QUANTILES = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999] as const;

/** From an ACK to this process. */
export async function* staleness(
  { libc, rig, sec }: Omit<Bench, "rounds">,
  intervals: readonly Staleness["every"][] = ["ack", TEN_MS],
): AsyncGenerator<Staleness> {
  for (const every of intervals) {
    const { latency, reportsPerSec, acksPerSec } = await send(libc, rig, reporting(every), { sec });
    const latencyUs = QUANTILES.map((q) => latency?.quantileUs(q) ?? Number.NaN);
    yield { every, reportsPerSec, acksPerReport: acksPerSec / reportsPerSec, latencyUs };
  }
}

async function* latency(bench: Bench): AsyncGenerator<object> {
  for await (const { every, reportsPerSec, latencyUs } of staleness({ ...bench, sec: 2 * bench.sec })) {
    const at = (q: (typeof QUANTILES)[number]): number => latencyUs[QUANTILES.indexOf(q)]!;
    yield { every: String(every), reportsPerSec, p50Us: at(0.5), p99Us: at(0.99) };
  }
}

/** Each yields rows of numbers and names. */
export const TRAFFIC_PARTS: Readonly<Record<string, (bench: Bench) => AsyncGenerator<object>>> = {
  hook,
  throughput,
  share,
  flows: (bench) => flows(bench),
  switch: change,
  latency,
};
