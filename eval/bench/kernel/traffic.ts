/** The parts of `bench:kernel` that need traffic: each prints its rows. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { ccpAlgorithm } from "../../../algorithms/reference.ts";
import { compileAlgorithms } from "../../../ccp-bridge/agent/agent.ts";
import type { CcpAlgorithm } from "../../../ccp-bridge/agent/algorithm.ts";
import { encodeChangeProg } from "../../../ccp-bridge/wire/change-prog.ts";
import type { Libc } from "../../../testbeds/host/libc.ts";
import { LinuxAgent } from "../../../testbeds/linux/linux-agent.ts";
import { printRow, quantile } from "../console.ts";
import { type Rig, reporting, send } from "./rig.ts";

const TEN_MS = 10_000;
const FLOWS = [1, 8, 64];
const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Nanoseconds in the kernel for each ACK, by its own run-time statistics. */
async function hook(libc: Libc, rig: Rig, rounds: number): Promise<void> {
  const subjects = [
    reporting("never"),
    reporting("ack"),
    ...["reno", "cubic", "bbr"].map((name) => ccpAlgorithm(name)),
  ];
  const costs = new Map(subjects.map((subject): [CcpAlgorithm, number[]] => [subject, []]));
  const rates = new Map(subjects.map((subject): [CcpAlgorithm, number[]] => [subject, []]));
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) {
      const { hookNs, acksPerSec, reportsPerSec } = await send(libc, rig, subject, { measuresHook: true });
      costs.get(subject)!.push(hookNs ?? Number.NaN);
      rates.get(subject)!.push(reportsPerSec / acksPerSec);
    }
  }
  for (const subject of subjects) {
    printRow({
      bench: "hook",
      algorithm: subject.name,
      nsPerAck: median(costs.get(subject)!),
      reportsPerAck: median(rates.get(subject)!),
    });
  }
}

/** As fast as the machine can, in turns with Linux's Cubic: medians, and their ratios. */
async function throughput(libc: Libc, rig: Rig, rounds: number): Promise<void> {
  const subjects: (CcpAlgorithm | string)[] = ["cubic", reporting("ack"), reporting(TEN_MS), "no-agent"];
  const figures = subjects.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, subject] of subjects.entries()) figures[i]!.push((await send(libc, rig, subject)).mbps);
  }
  const own = median(figures[0]!);
  for (const [i, subject] of subjects.entries()) {
    const name = typeof subject !== "string" ? subject.name : subject === "cubic" ? "kernel-cubic" : subject;
    const mbps = median(figures[i]!);
    printRow({ bench: "throughput", algorithm: name, mbps, ofKernelCubic: mbps / own });
  }
}

/** A loop that counts beside iperf3, all on one processor at one rate: what is left for it, as eBPFCCP measured. */
async function share(libc: Libc, rig: Rig, rounds: number): Promise<void> {
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
  printRow({
    bench: "share",
    kernelCubic: median(kernels!),
    cubic: median(ours!),
    ratio: median(ours!) / median(kernels!),
  });
}

/** One, eight and 64 flows at once. */
async function flows(libc: Libc, rig: Rig, rounds: number): Promise<void> {
  for (const count of FLOWS) {
    const figures = new Map<
      string,
      { readonly mbps: number; readonly cpuSec: number; readonly reportsPerSec: number }[]
    >();
    for (let round = 0; round < rounds; round++) {
      for (const [name, by] of [
        ["kernel-cubic", "cubic"],
        ["cubic", ccpAlgorithm("cubic")],
        ["reports-10ms", reporting(TEN_MS)],
      ] as const) {
        const all = figures.get(name) ?? [];
        all.push(await send(libc, rig, by, { flows: count }));
        figures.set(name, all);
      }
    }
    for (const [algorithm, all] of figures) {
      const of = (key: "mbps" | "cpuSec" | "reportsPerSec"): number => median(all.map((each) => each[key]));
      const ratio = of("mbps") / median(figures.get("kernel-cubic")!.map(({ mbps }) => mbps));
      printRow({
        bench: "flows",
        flows: count,
        algorithm,
        mbps: of("mbps"),
        ofKernelCubic: ratio,
        reportsPerSec: of("reportsPerSec"),
        cpuSec: of("cpuSec"),
      });
    }
  }
}

/** Loading and choosing another program while ACKs come, and whether any of them found none. */
async function change(libc: Libc, rig: Rig): Promise<void> {
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
  printRow({
    bench: "switch",
    instructions: program!.compiled.instructions.length,
    switches: tookMs.length,
    medianMs: median(tookMs),
    maxMs: Math.max(...tookMs),
    acks,
    acksWithoutProgram: nativeAcks,
  });
}

/** From an ACK to this process, by reports of every ACK and every 10 ms. */
async function latency(libc: Libc, rig: Rig): Promise<void> {
  for (const every of ["ack", TEN_MS] as const) {
    const { latencyUs, reportsPerSec } = await send(libc, rig, reporting(every), { sec: 4 });
    printRow({
      bench: "latency",
      every: String(every),
      reportsPerSec,
      p50Us: latencyUs?.p50 ?? Number.NaN,
      p99Us: latencyUs?.p99 ?? Number.NaN,
    });
  }
}

export const TRAFFIC_PARTS: Readonly<
  Record<string, (libc: Libc, rig: Rig, rounds: number) => Promise<void>>
> = {
  hook,
  throughput,
  share,
  flows,
  switch: change,
  latency,
};
