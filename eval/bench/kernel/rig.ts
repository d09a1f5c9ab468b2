/** Two hosts joined by a cable of the kernel's own, for what programs cost under traffic; gone with the process. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { CcpAlgorithm } from "../../../ccp-bridge/agent/algorithm.ts";
import { compileAlgorithms } from "../../../ccp-bridge/agent/program-set.ts";
import type { DelayHistogram } from "../../../sim/delay-histogram.ts";
import { keepAwake } from "../../../testbeds/host/awake.ts";
import type { Libc } from "../../../testbeds/host/libc.ts";
import { makeNamespace } from "../../../testbeds/host/namespaces.ts";
import { type Host, Hosts } from "../../../testbeds/linux/hosts.ts";
import { LinuxAgent } from "../../../testbeds/linux/linux-agent.ts";
import { tcpInfo } from "../../../testbeds/linux/tcp-info.ts";

const BPF_STATS = "/proc/sys/kernel/bpf_stats_enabled";
/** A window that the cable never limits. */
const CWND_BYTES = 579_200;

export interface Rig {
  readonly client: Host & { readonly name: string };
  readonly server: Host & { readonly name: string };
  close(): void;
}

export function makeRig(libc: Libc): Rig {
  const spaces = ["a", "b"].map((role) => makeNamespace(libc, `bench-${role}`));
  const [a, b] = spaces.map(({ name }) => name!) as [string, string];
  const ip = (command: string): void => {
    execFileSync("ip", command.split(" "), { stdio: "pipe" });
  };
  const cable = `cb${process.pid}`;
  ip(`link add ${cable}a netns ${a} type veth peer name ${cable}b netns ${b}`);
  ip(`-n ${a} address add 100.64.10.1/24 dev ${cable}a`);
  ip(`-n ${b} address add 100.64.10.2/24 dev ${cable}b`);
  ip(`-n ${a} link set ${cable}a up`);
  ip(`-n ${b} link set ${cable}b up`);
  return {
    client: { namespace: spaces[0]!, address: "100.64.10.1", name: a },
    server: { namespace: spaces[1]!, address: "100.64.10.2", name: b },
    close: () => {
      for (const space of spaces) space.close();
    },
  };
}

/** A fixed window, and reports: of every ACK, every so many microseconds, or none. */
export function reporting(every: "ack" | number | "never"): CcpAlgorithm {
  const when = every === "ack" ? "true" : every === "never" ? "(< Micros 0)" : `(> Micros ${every})`;
  const program = `
(def (Report (volatile acked 0)))
(when true (:= Report.acked (+ Report.acked Ack.bytes_acked)) (fallthrough))
(when ${when} (:= Micros 0) (report))`;
  return {
    name: `reports-${every}`,
    programs: { only: program },
    newFlow: (control) => {
      control.setProgram("only", { Cwnd: CWND_BYTES });
      return { onReport: () => {} };
    },
  };
}

export interface Sent {
  readonly mbps: number;
  /** of all flows together */
  readonly reportsPerSec: number;
  readonly acksPerSec: number;
  /** of this process for each second, all its threads: the agent's, and those that move data */
  readonly cpuShare: number;
  /** processors that other processes had meanwhile, and the hypervisor */
  readonly otherWork: number;
  /** in the kernel for each ACK, programs and reports included; absent: no program of ours ran */
  readonly hookNs?: number;
  /** from an ACK to the agent; absent: there were no reports */
  readonly latency?: DelayHistogram;
}

/** USER_HZ of Linux. */
const TICKS_PER_SEC = 100;
/** Fields of the first line of /proc/stat, behind its name: user, nice, system, steal. */
const BUSY_FIELDS = [0, 1, 2, 7];

/** Processor seconds of all processes since the machine began, and of who has taken it away. */
function machineBusySec(): number {
  const [, ...ticks] = readFileSync("/proc/stat", "utf8").split("\n", 1)[0]!.split(/\s+/);
  return BUSY_FIELDS.reduce((sum, field) => sum + Number(ticks[field]), 0) / TICKS_PER_SEC;
}

let instances = 0;

/** Runs and run time of this process' busiest program in the kernel. */
function busiest(): { readonly runs: number; readonly ns: number } {
  let most = { runs: 0, ns: 0 };
  for (const fd of readdirSync("/proc/self/fdinfo")) {
    let text = "";
    try {
      text = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
    } catch {
      continue;
    }
    const number = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(text)?.[1]);
    const runs = number("run_cnt");
    if (runs > most.runs) most = { runs, ns: number("run_time_ns") };
  }
  return most;
}

/**
 * Sends in bulk for a while.
 * @param by an algorithm of ours, `no-agent` for a datapath that nobody drives, or Linux's own by name
 */
export async function send(
  libc: Libc,
  rig: Rig,
  by: CcpAlgorithm | string,
  options: {
    readonly flows?: number;
    readonly sec?: number;
    readonly measuresHook?: boolean;
    /** no idle processor sleeps meanwhile */
    readonly isAwake?: boolean;
    readonly during?: (agent: LinuxAgent) => Promise<void>;
  } = {},
): Promise<Sent> {
  const { flows = 1, sec = 2, measuresHook = false, isAwake = false, during } = options;
  const isOurs = typeof by !== "string" || by === "no-agent";
  const agent = isOurs
    ? new LinuxAgent(libc, {
        name: `ccb${process.pid}_${instances++}`,
        set: compileAlgorithms([typeof by === "string" ? reporting("never") : by]),
      })
    : undefined;
  if (by === "no-agent") agent!.datapath.loseAgent();
  const silence = by === "no-agent" ? setInterval(() => agent!.datapath.loseAgent(), 10) : undefined;
  const hosts = new Hosts(libc, rig.client, rig.server, flows);
  if (measuresHook) writeFileSync(BPF_STATS, "1");
  const sleepAgain = isAwake ? keepAwake() : undefined;
  try {
    await hosts.ready;
    const senders = Array.from({ length: flows }, () =>
      hosts.connect(agent?.datapath.name ?? (by as string), Number.POSITIVE_INFINITY),
    );
    for (const sender of senders) hosts.start(sender);
    await sleep(300);
    const look = () => {
      const facts = agent?.facts() ?? [];
      const sum = (of: (each: (typeof facts)[number]) => number): number =>
        facts.reduce((all, each) => all + of(each), 0);
      return {
        acked: senders.reduce((all, { fd }) => all + tcpInfo(libc, fd).ackedBytes, 0),
        acks: sum(({ acks }) => acks),
        reports: sum(({ reports }) => reports),
        at: performance.now(),
        cpu: process.cpuUsage(),
        busySec: machineBusySec(),
        hook: busiest(),
      };
    };
    const before = look();
    await (during?.(agent!) ?? sleep(1000 * sec));
    const after = look();
    const took = (after.at - before.at) / 1000;
    const cpu = process.cpuUsage(before.cpu);
    const runs = after.hook.runs - before.hook.runs;
    const { latency } = agent ?? {};
    const cpuSec = (cpu.user + cpu.system) / 1e6;
    return {
      mbps: ((after.acked - before.acked) * 8) / took / 1e6,
      reportsPerSec: (after.reports - before.reports) / took,
      acksPerSec: (after.acks - before.acks) / took,
      cpuShare: cpuSec / took,
      otherWork: Math.max(0, after.busySec - before.busySec - cpuSec) / took,
      ...(measuresHook && runs > 0 ? { hookNs: (after.hook.ns - before.hook.ns) / runs } : {}),
      ...(latency !== undefined && latency.count > 0 && { latency }),
    };
  } finally {
    if (measuresHook) writeFileSync(BPF_STATS, "0");
    sleepAgain?.();
    clearInterval(silence);
    await hosts.close();
    agent?.close();
  }
}
