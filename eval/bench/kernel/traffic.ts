/** What traffic measures of programs in the kernel: the parts of `bench:kernel` that need it, and what experiments on Linux are made of. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { ccpAlgorithm } from "../../../algorithms/reference.ts";
import type { CcpAlgorithm } from "../../../ccp-bridge/agent/algorithm.ts";
import { compileAlgorithms } from "../../../ccp-bridge/agent/program-set.ts";
import { compileProgram } from "../../../ccp-bridge/lang/compiler.ts";
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
/** The processor of what `share` measures. */
const MEASURED = 0;
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
  /** processors that other processes had */
  readonly otherWork: number;
}

/** As fast as the machine can, in turns with Linux's Cubic, to and fro: medians of the rounds, and of the ratios within each. */
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
    const order = round % 2 === 0 ? subjects : subjects.toReversed();
    for (const { by, sent } of order) sent.push(await send(libc, rig, by, { flows, sec }));
  }
  const own = subjects[0]!.sent;
  for (const { name, sent } of subjects) {
    yield {
      flows,
      algorithm: name,
      mbps: median(sent.map(({ mbps }) => mbps)),
      ofKernelCubic: median(sent.map(({ mbps }, round) => mbps / own[round]!.mbps)),
      reportsPerSec: median(sent.map(({ reportsPerSec }) => reportsPerSec)),
      cpuShare: median(sent.map(({ cpuShare }) => cpuShare)),
      otherWork: median(sent.map(({ otherWork }) => otherWork)),
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

/** Keeps all threads of this process off the processor that is measured, where there is another. @returns what undoes it */
function keepOff(processor: number): () => void {
  const count = cpus().length;
  const pin = (list: string): void => {
    execFileSync("taskset", ["-a", "-c", "-p", list, String(process.pid)], { stdio: "ignore" });
  };
  if (count < 2) return () => {};
  pin(
    Array.from({ length: count }, (_, i) => i)
      .filter((i) => i !== processor)
      .join(","),
  );
  return () => pin(`0-${count - 1}`);
}

/**
 * A loop that counts beside iperf3, both ends of it on one processor at one rate: what is left for it, as eBPFCCP measured. The agent
 * is on another one, where there is one.
 */
async function* share({ libc, rig, rounds }: Bench): AsyncGenerator<object> {
  const LOOP = "let n=0;const e=Date.now()+2000;while(Date.now()<e)for(let i=0;i<1e5;i++)n++;console.log(n)";
  const pinned = (command: string, args: readonly string[], inside?: Rig["client"]): ChildProcess => {
    const start = (): ChildProcess =>
      spawn("taskset", ["-c", String(MEASURED), command, ...args], { stdio: ["ignore", "pipe", "ignore"] });
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
  const undo = keepOff(MEASURED);
  try {
    for (let round = 0; round < rounds; round++) {
      kernels!.push(await counted("cubic"));
      ours!.push(await counted(agent.datapath.name));
    }
  } finally {
    undo();
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
  /** processors that other processes had */
  readonly otherWork: number;
}

/** Instructions of the programs that are loaded: as many as an early BBR's, and those of BBR as it is. */
export const CHANGED = [159, "bbr"] as const;

/** So many instructions: a program that adds up what came, over and over. */
function adding(instructions: number): CcpAlgorithm {
  const program = (sums: number, rest: number): string => `
(def (Report (volatile acked 0)) (spare 0))
(when true ${"(:= Report.acked (+ Report.acked Ack.bytes_acked))".repeat(sums)} ${"(:= spare 1)".repeat(rest)} (fallthrough))
(when (> Micros ${TEN_MS}) (:= Micros 0) (report))`;
  const lengthOf = (source: string): number => compileProgram(source).instructions.length;
  const perSum = lengthOf(program(2, 0)) - lengthOf(program(1, 0));
  const left = instructions - lengthOf(program(0, 0));
  const source = program(Math.floor(left / perSum), left % perSum);
  return { ...reporting("never"), name: `adding-${instructions}`, programs: { only: source } };
}

/** Loading and choosing other programs while ACKs come, and whether any of them found none. */
export async function* change(
  bench: Pick<Bench, "libc" | "rig">,
  programs: readonly (typeof CHANGED)[number][] = CHANGED,
): AsyncGenerator<Change> {
  for (const of of programs) yield await changeTo(bench, of === "bbr" ? ccpAlgorithm("bbr") : adding(of));
}

async function changeTo(
  { libc, rig }: Pick<Bench, "libc" | "rig">,
  algorithm: CcpAlgorithm,
): Promise<Change> {
  const { programs } = compileAlgorithms([algorithm]);
  const [program] = programs;
  const tookMs: number[] = [];
  let nativeAcks = 0;
  let acks = 0;
  const { otherWork } = await send(libc, rig, reporting(TEN_MS), {
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
  return {
    instructions: program!.compiled.instructions.length,
    switches: tookMs.length,
    medianMs: median(tookMs),
    maxMs: Math.max(...tookMs),
    acks,
    acksWithoutProgram: nativeAcks,
    otherWork,
  };
}

export interface Staleness {
  /** what is reported: every ACK, or the ACKs of so many microseconds together */
  readonly every: "ack" | number;
  /** no idle processor slept meanwhile */
  readonly isAwake: boolean;
  readonly reportsPerSec: number;
  readonly acksPerReport: number;
  /** from the ACK that a report ends with to the agent, at QUANTILES */
  readonly latencyUs: readonly number[];
  /** processors that other processes had */
  readonly otherWork: number;
}

export const QUANTILES = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999] as const;

/** From an ACK to this process: medians of rounds in turns. */
export async function* staleness(
  { libc, rig, rounds, sec }: Bench,
  asked: readonly Pick<Staleness, "every" | "isAwake">[] = [
    { every: "ack", isAwake: false },
    { every: TEN_MS, isAwake: false },
  ],
): AsyncGenerator<Staleness> {
  const subjects = asked.map((subject) => ({ ...subject, sent: [] as Sent[] }));
  for (let round = 0; round < rounds; round++) {
    for (const { every, isAwake, sent } of subjects) {
      sent.push(await send(libc, rig, reporting(every), { sec, isAwake }));
    }
  }
  for (const { every, isAwake, sent } of subjects) {
    yield {
      every,
      isAwake,
      reportsPerSec: median(sent.map(({ reportsPerSec }) => reportsPerSec)),
      acksPerReport: median(sent.map(({ acksPerSec, reportsPerSec }) => acksPerSec / reportsPerSec)),
      latencyUs: QUANTILES.map((q) =>
        median(sent.map(({ latency }) => latency?.quantileUs(q) ?? Number.NaN)),
      ),
      otherWork: median(sent.map(({ otherWork }) => otherWork)),
    };
  }
}

async function* latency(bench: Bench): AsyncGenerator<object> {
  for await (const { every, reportsPerSec, latencyUs } of staleness(bench)) {
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
  switch: (bench) => change(bench),
  latency,
};
