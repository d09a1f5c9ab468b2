/**
 * Flows of Linux TCP over an emulated link: CCP algorithms run in the kernel by their datapath programs, Linux's own by name.
 *
 *   bulk sender ─▶ TCP (program on every ACK) ─▶ TUN ─▶ link's thread ─▶ TUN ─▶ TCP ─▶ sink
 *                     └ reports ─▶ agent (this thread) ─▶ commands ┘
 */
import { existsSync, readFileSync } from "node:fs";
import { crossTrafficAlgorithm } from "../../algorithms/cross-traffic.ts";
import { KernelAlgorithm } from "../../algorithms/kernel-algorithm.ts";
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import { compileAlgorithms } from "../../ccp-bridge/agent/program-set.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { controlAsAlgorithm } from "../../ccp-bridge/control-algorithm.ts";
import type { FlowAlgorithm } from "../../ccp-bridge/in-process-flow.ts";
import type { AckObserver } from "../../ccp-bridge/observed-control.ts";
import type { Rng } from "../../core/random.ts";
import { type Bytes, NANOS_PER_MICRO, NANOS_PER_MILLI, type Nanos } from "../../core/units.ts";
import { UNDER_TEST } from "../../scenarios/flows.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { ApplicationSpec } from "../../scenarios/traffic/applications.ts";
import { type EmulatedLink, openLink } from "../emulated/open-link.ts";
import { recordLink } from "../emulated/recorded-link.ts";
import { LOGGED, LOGGED_ROWS, LOGGED_WORDS } from "../emulated/shared.ts";
import { whyNoLinks } from "../host/abilities.ts";
import { type Libc, loadLibc } from "../host/libc.ts";
import { controlsInProcess, RunPlan } from "../network-run.ts";
import { Alarm, Stopwatch } from "../real-time/alarm.ts";
import { rateRefusal, stackRefusal, withoutSendJitter } from "../real-time/real-time-run.ts";
import { Waiting } from "../real-time/waiting.ts";
import {
  expectAccepts,
  type LinkTruth,
  type OpenOptions,
  type RealTimeRun,
  type RealTimeTestbed,
  type RunTiming,
} from "../testbed.ts";
import type { TransferLog } from "../traffic/traffic.ts";
import { defaultCongestionControl, useEcn } from "./attach.ts";
import { KERNEL_BTF } from "./bpf/btf.ts";
import { Hosts } from "./hosts.ts";
import { LinuxAgent } from "./linux-agent.ts";
import { LinuxFlow } from "./linux-flow.ts";
import { PacedControl } from "./pacing.ts";
import type { KernelFlowFacts } from "./slots.ts";

/** Sockets are looked at that often. */
const LOOK_EVERY_NS = 10 * NANOS_PER_MILLI;
const AVAILABLE = "/proc/sys/net/ipv4/tcp_available_congestion_control";
/** Cross traffic of these names is Linux's own. */
const KERNELS = new Set(["reno", "cubic", "bbr"]);
/** A connection is made so long before its flow starts: a handshake, and what the agent has to say. */
const CONNECT_ROUND_TRIPS = 2;
const CONNECT_NS = 10 * NANOS_PER_MILLI;
/** A name has room for three digits beside the process id. */
const MAX_INSTANCES = 1000;

/** RFC 6928 */
const INITIAL_CWND_PACKETS = 10;

let instances = 0;

/** Never called: the flows run in Linux. */
const elsewhere: CongestionControlFactory = () => {
  throw new Error("a flow of Linux has no congestion control here");
};

/** An agent for each CCP algorithm: its flows share a datapath. */
class Agents {
  readonly #libc: Libc;
  readonly #rng: Rng;
  readonly #onError: (error: unknown) => void;
  /** id of the flow with a port */
  readonly #idOf: (port: number) => string;
  readonly #agents: Map<CcpAlgorithm | CongestionControlFactory, LinuxAgent> = new Map();

  constructor(libc: Libc, rng: Rng, idOf: (port: number) => string, onError: (error: unknown) => void) {
    this.#libc = libc;
    this.#rng = rng;
    this.#idOf = idOf;
    this.#onError = onError;
  }

  /** What a socket has to choose. @throws CcparkError in one sentence where this machine cannot */
  nameFor(algorithm: FlowAlgorithm): string {
    if (algorithm instanceof KernelAlgorithm) return algorithm.kernelName;
    const known = this.#agents.get(algorithm);
    if (known !== undefined) return known.datapath.name;
    const ccp = typeof algorithm === "function" ? controlAsAlgorithm("control", algorithm) : algorithm;
    const agent: LinuxAgent = new LinuxAgent(this.#libc, {
      name: `ccp_${process.pid}_${instances++ % MAX_INSTANCES}`,
      set: compileAlgorithms([ccp]),
      hosting: (flowId) => ({ name: this.#idOf(agent.datapath.factsOf(flowId).srcPort) }),
      rng: this.#rng.fork(`agent.${this.#agents.size}`),
      onError: this.#onError,
    });
    this.#agents.set(algorithm, agent);
    return agent.datapath.name;
  }

  facts(): KernelFlowFacts[] {
    return [...this.#agents.values()].flatMap((agent) => agent.facts());
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.close();
  }
}

class LinuxRun implements RealTimeRun {
  readonly flows: readonly LinuxFlow[];
  readonly transfers: TransferLog = { started: 0, completed: [] };
  readonly startNs: Nanos;
  readonly endNs: Nanos;
  readonly seriesBinNs: Nanos;
  readonly truth: LinkTruth;
  readonly #libc: Libc;
  readonly #link: EmulatedLink;
  readonly #agents: Agents;
  readonly #algorithms: readonly FlowAlgorithm[];
  /** of forward flows and of backward ones */
  readonly #hosts: readonly Hosts[];
  readonly #isPaced: boolean;
  /** of paced flows: their control begins with them, when the run is its owner's */
  readonly #begins: Map<LinuxFlow, () => void> = new Map();
  readonly #clock = new Stopwatch();
  readonly #alarm: Alarm;
  readonly #calls: { readonly atNs: Nanos; readonly call: () => void }[] = [];
  /** rows of the packet log that have been read */
  #read = 0;
  readonly #waiting = new Waiting();
  #closedNs: Nanos | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: {
    readonly libc: Libc;
    readonly plan: RunPlan;
    readonly link: EmulatedLink;
    readonly algorithms: readonly FlowAlgorithm[];
    readonly bytes: readonly Bytes[];
    readonly observer: OpenOptions["observer"];
    /** flows are held back by their pacing rate; else programs run in the kernel */
    readonly isPaced: boolean;
  }) {
    const { libc, plan, link, algorithms, bytes, observer, isPaced } = parts;
    this.#libc = libc;
    this.#link = link;
    this.#algorithms = algorithms;
    this.startNs = plan.startNs;
    this.endNs = plan.endNs;
    this.seriesBinNs = plan.seriesBinNs;
    this.truth = link.truth;
    const onError = (error: unknown): void => this.#fail(error);
    this.#agents = new Agents(libc, plan.rng.fork("linux"), (port) => this.#flowAt(port)?.id ?? "", onError);
    this.#alarm = new Alarm(() => this.#turn(), onError);
    link.onFailure(onError);
    this.#isPaced = isPaced;
    const inProcess = controlsInProcess();
    this.flows = plan.planned.map((planned, i) => {
      const observers: AckObserver[] = [];
      const flow: LinuxFlow = new LinuxFlow(planned, bytes[i]!, () => this.#readLog(), observers);
      const algorithm = algorithms[i]!;
      if (isPaced && !(algorithm instanceof KernelAlgorithm)) {
        this.#begins.set(flow, () => observers.unshift(this.#pacedControl(flow, inProcess(algorithm))));
      }
      const seeing = planned.algorithm === UNDER_TEST ? observer?.(planned.id) : undefined;
      if (seeing !== undefined) observers.push(seeing);
      return flow;
    });
    const { client, server } = link;
    const backward = plan.planned.filter(({ isBackward }) => isBackward).length;
    this.#hosts = [
      new Hosts(libc, client, server, plan.planned.length),
      ...(backward > 0 ? [new Hosts(libc, server, client, backward)] : []),
    ];
    for (const hosts of this.#hosts) hosts.onFailure(onError);
  }

  #pacedControl(flow: LinuxFlow, make: CongestionControlFactory): PacedControl {
    const control = make({
      nowUs: flow.startNs / NANOS_PER_MICRO,
      mssBytes: flow.mssBytes,
      initialCwndBytes: INITIAL_CWND_PACKETS * flow.mssBytes,
      hosting: {
        name: flow.id,
        schedule: (atUs, run) =>
          this.schedule(atUs * NANOS_PER_MICRO, () => run(this.nowNs / NANOS_PER_MICRO)),
      },
    });
    return new PacedControl(this.#libc, () => flow.sender!.fd, control);
  }

  /** What its socket has to choose. */
  #nameFor(algorithm: FlowAlgorithm): string {
    const isOwn = this.#isPaced && !(algorithm instanceof KernelAlgorithm);
    return isOwn ? defaultCongestionControl() : this.#agents.nameFor(algorithm);
  }

  /** Loads what the kernel needs, so that no flow waits for it. */
  async prepare(): Promise<void> {
    await Promise.all(this.#hosts.map(({ ready }) => ready));
    for (const algorithm of this.#algorithms) this.#nameFor(algorithm);
    this.flows.forEach((flow, i) => {
      // its connection is there when it starts, if there is time for that
      const roundTripNs = flow.propagationNs + flow.reversePropagationNs;
      const connectNs = Math.max(0, flow.startNs - CONNECT_ROUND_TRIPS * roundTripNs - CONNECT_NS);
      this.schedule(connectNs, () => this.#connectFlow(flow, this.#algorithms[i]!));
      this.schedule(flow.startNs, () => this.#startFlow(flow));
      if (flow.stopNs !== Number.POSITIVE_INFINITY) {
        this.schedule(flow.stopNs, () => this.#hostsOf(flow).stop(flow.sender!));
      }
    });
    this.#lookAgain(LOOK_EVERY_NS);
  }

  get nowNs(): Nanos {
    return this.#closedNs ?? this.#clock.nowNs;
  }

  get timing(): RunTiming {
    return this.#link.timing;
  }

  #flowAt(port: number): LinuxFlow | undefined {
    return this.flows.find(({ sender }) => sender?.port === port);
  }

  #hostsOf(flow: LinuxFlow): Hosts {
    return this.#hosts[flow.isBackward ? 1 : 0]!;
  }

  #connectFlow(flow: LinuxFlow, algorithm: FlowAlgorithm): void {
    this.#hostsOf(flow).connect(this.#nameFor(algorithm), flow.bytes, (sender) => {
      flow.sender = sender;
      this.#link.usePath(sender.port, flow.id);
    });
  }

  #startFlow(flow: LinuxFlow): void {
    flow.servedBytesAtStart = this.truth.forward.servedBytes(this.nowNs);
    flow.hasStarted = true;
    this.#begins.get(flow)?.();
    this.#hostsOf(flow).start(flow.sender!);
  }

  #lookAgain(atNs: Nanos): void {
    this.schedule(atNs, () => {
      this.#look();
      this.#lookAgain(Math.max(atNs, this.nowNs) + LOOK_EVERY_NS);
    });
  }

  #look(): void {
    this.#readLog();
    const facts = new Map(this.#agents.facts().map((each) => [each.srcPort, each]));
    for (const flow of this.flows) {
      if (!flow.hasStarted) continue;
      flow.look(this.#libc, facts.get(flow.sender!.port), this.nowNs);
      if (flow.isComplete && flow.life !== undefined && flow.life.completed === undefined) {
        flow.life.complete(this.nowNs, this.truth);
      }
    }
  }

  /** What became of packets since the last time; what still arrives while the hosts are being closed is none of the run's. */
  #readLog(): void {
    const { count, rows } = this.#link.log!;
    const written = Number(Atomics.load(count, 0));
    const endNs = this.#closedNs ?? Number.POSITIVE_INFINITY;
    for (; this.#read < written; this.#read++) {
      const at = LOGGED_WORDS * (this.#read % LOGGED_ROWS);
      if (rows[at + LOGGED.atNs]! > endNs) return;
      const flow = this.flows[rows[at + LOGGED.path]!];
      const onWayNs = rows[at + LOGGED.onWayNs]!;
      if (flow === undefined) continue;
      if (onWayNs < 0) flow.droppedPackets += 1;
      else flow.onArrival(rows[at + LOGGED.atNs]!, rows[at + LOGGED.queuedNs]!, onWayNs);
    }
  }

  schedule(atNs: Nanos, call: () => void): void {
    let i = this.#calls.length;
    while (i > 0 && this.#calls[i - 1]!.atNs > atNs) i -= 1;
    this.#calls.splice(i, 0, { atNs, call });
    this.#setAlarm();
  }

  requestStop(): void {
    this.#waiting.settle(this.nowNs, true);
  }

  runUntil(untilNs: Nanos): Promise<boolean> {
    if (!this.#clock.isRunning) {
      this.#clock.start();
      this.#link.start(this.#clock.absolute(0));
    }
    const reached = this.#waiting.until(untilNs);
    this.#turn();
    return reached;
  }

  /** Everything that is due happens. */
  #turn(): void {
    if (this.#closedNs !== undefined || !this.#clock.isRunning) return;
    try {
      while (this.#calls.length > 0 && this.#calls[0]!.atNs <= this.nowNs) this.#calls.shift()!.call();
    } catch (error) {
      this.#waiting.fail(error);
    }
    this.#settle();
    this.#setAlarm();
  }

  #settle(): void {
    const { nowNs } = this;
    if (nowNs >= this.#waiting.untilNs) this.#look();
    this.#waiting.settle(nowNs, false);
  }

  #setAlarm(): void {
    if (!this.#clock.isRunning || this.#closedNs !== undefined) return;
    const nextNs = Math.min(this.#calls[0]?.atNs ?? Number.POSITIVE_INFINITY, this.#waiting.untilNs);
    this.#alarm.set(nextNs === Number.POSITIVE_INFINITY ? undefined : this.#clock.absolute(nextNs));
  }

  #fail(error: unknown): void {
    this.#waiting.fail(error);
    this.#settle();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#clock.isRunning) this.#look();
    this.#link.holdTruth();
    this.#closedNs = this.#clock.nowNs;
    this.#waiting.close(LINUX.name);
    await Promise.all(this.#hosts.map((hosts) => hosts.close()));
    this.#agents.close();
    await this.#link.close();
    await this.#alarm.close();
  }
}

/** Applications in the order of the flows. */
function applicationsOf(scenario: Scenario): (ApplicationSpec | undefined)[] {
  const others = (scenario.flows ?? []).flatMap(({ application, count = 1 }) =>
    Array.from({ length: count }, () => application),
  );
  return [scenario.application, ...others];
}

function bytesOf(application: ApplicationSpec | undefined): Bytes {
  return application?.kind === "finite" ? application.bytes : Number.POSITIVE_INFINITY;
}

/** One sentence why this machine cannot run programs in its kernel; undefined: it can. */
export function whyNoKernel(): string | undefined {
  if (process.platform !== "linux") return `it needs Linux, got ${process.platform}`;
  if (!existsSync(KERNEL_BTF)) return `the kernel has no ${KERNEL_BTF} (CONFIG_DEBUG_INFO_BTF)`;
  if (process.getuid?.() !== 0) return "programs in the kernel need root: run it with sudo";
  return undefined;
}

function refuses(scenario: Scenario): string | undefined {
  const application = applicationsOf(scenario).find(
    (each) => each !== undefined && each.kind !== "bulk" && each.kind !== "finite",
  );
  if (application !== undefined) {
    return `a flow's application is ${application.kind}, expected bulk or finite: its senders are bulk senders`;
  }
  const traffic = scenario.traffic?.find(({ kind }) => kind !== "datagrams");
  if (traffic !== undefined) return `its traffic has ${traffic.kind}, expected datagrams at most`;
  const isChanged =
    scenario.changes !== undefined || scenario.flows?.some((plan) => plan.changes !== undefined);
  if (isChanged)
    return "it changes parameters of live flows, which the agents of its kernel datapaths are not told";
  return whyNoLinks() ?? stackRefusal(scenario) ?? rateRefusal(scenario);
}

/** Of a flow beside those under test: Linux's own where there is one of that name. */
function crossAlgorithm(reference: string, resolve: NonNullable<OpenOptions["algorithms"]>): FlowAlgorithm {
  const resolved = resolve(reference);
  const isKernels =
    KERNELS.has(reference) && readFileSync(AVAILABLE, "utf8").trim().split(" ").includes(reference);
  return isKernels ? new KernelAlgorithm(reference) : resolved;
}

async function open(
  testbed: RealTimeTestbed,
  [scenario, seed, options]: Parameters<RealTimeTestbed["open"]>,
  isPaced: boolean,
): Promise<LinuxRun> {
  expectAccepts(testbed, scenario);
  const real = withoutSendJitter(scenario);
  const { algorithms: resolve = crossTrafficAlgorithm, control, seriesBinSec, observer, recorder } = options;
  const plan = new RunPlan(real, seed, {
    control: () => elsewhere,
    algorithms: (reference) => {
      resolve(reference);
      return elsewhere;
    },
    seriesBinSec,
  });
  const algorithms = plan.planned.map(({ id, algorithm }) =>
    algorithm === UNDER_TEST ? control(id) : crossAlgorithm(algorithm, resolve),
  );
  const bytes = applicationsOf(real).map(bytesOf);
  const libc = await loadLibc();
  const link = await openLink(real, seed, {
    crossTraffic: "outside",
    startsLater: true,
    logsPackets: true,
    ...recordLink(recorder),
  });
  const run = new LinuxRun({ libc, plan, link, algorithms, bytes, observer, isPaced });
  try {
    for (const { namespace } of [link.client, link.server]) useEcn(real.sender?.ecn ?? "off", namespace);
    await run.prepare();
  } catch (error) {
    await run.close();
    throw error;
  }
  return run;
}

export const LINUX: RealTimeTestbed = {
  name: "linux",
  clock: "real",
  summary:
    "Linux TCP in real time, with CCP programs in its kernel on every ACK, over an emulated link; Linux 6.10 or later, root, to 200 Mbit/s",
  records: ["mahimahi", "pcap"],
  refuses: (scenario) => refuses(scenario) ?? whyNoKernel(),
  open: (...args) => open(LINUX, args, false),
};

export const LINUX_PACING: RealTimeTestbed = {
  name: "linux:pacing",
  clock: "real",
  summary:
    "Linux TCP held back by SO_MAX_PACING_RATE, on what TCP_INFO says every 10 ms: a rate only, Linux's own control beneath; no program in the kernel, over an emulated link",
  records: ["mahimahi", "pcap"],
  refuses,
  open: (...args) => open(LINUX_PACING, args, true),
};
