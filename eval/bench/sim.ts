/**
 * `npm run bench:sim [-- [--json] [--algorithms] [WORD...]]`: packets per second of the simulator on one core: N flows on one drop-tail
 * bottleneck, loss detection, RTO and statistics on, a CCP program or a native control on every ACK, with delayed ACKs (the
 * simulator's default) and one per packet; then the same over five links in a row (the general network), and the memory in
 * use over an hour of simulated time. WORDs choose rows by program, number of flows and ACK policy (`w02 100 delayed`).
 *
 * One flow has 48 Mbit/s and 50 ms; of several each has 4.8 Mbit/s and 40 to 60 ms. The queue holds one BDP. What is timed
 * begins once all flows have started and filled their windows. Seconds are those of the processor. The run is timed in
 * slices by the clock too: the 2nd and 10th percentile are the speed while nothing else had the core.
 *
 * `--algorithms`: instead, each registered algorithm over CCP, and those that there are in the datapath, on the link of one flow, and its
 * cost per packet against Reno's over CCP; WORDs choose algorithms by name.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { reno } from "../../algorithms/native/reno.ts";
import { ccpAlgorithm, makeAlgorithm, resolveAlgorithm } from "../../algorithms/reference.ts";
import { ALGORITHMS } from "../../algorithms/registry.ts";
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { runCcpAlgorithm } from "../../ccp-bridge/in-process-flow.ts";
import { Rng } from "../../core/random.ts";
import {
  ACK_BYTES,
  type BytesPerSec,
  fromMbps,
  MSS_BYTES,
  NANOS_PER_MILLI,
  NANOS_PER_SEC,
  PACKET_BYTES,
} from "../../core/units.ts";
import { raiseInliningBudget } from "../../core/v8-inlining.ts";
import { scriptOptions } from "../../envs/grpc/bench/options.ts";
import { makeNetwork } from "../../sim/make-network.ts";
import type { FlowSpec, Network } from "../../sim/network.ts";
import { medianTimes, printRow, quantile } from "./console.ts";
import { ONCE_PER_RTT } from "./once-per-rtt.ts";

const REPEATS = 5;
/** Windows grow by a packet per round from 10 and are full by then; BBR has left its start-up. */
const WARM_UP_SEC = 3;
/** Thousands of flows fill their link from their first round on; a second of them is millions of packets. */
const WARM_UP_SEC_OF_MANY = 1;
/** Packets of a timed run, about: a third of a second and more. */
const PACKETS = 1_200_000;
/** Packets of a slice, about: a fraction of a millisecond, mostly without a switch to other work. */
const SLICE_PACKETS = 2000;
/** A datapath takes 1024 flows: more flows share more datapaths. */
const FLOWS_PER_DATAPATH = 1000;
const NO_LIMIT = Number.POSITIVE_INFINITY;
/** Links of a network: 0 is the data direction, 1 the ACK direction, further ones follow. */
const FIRST_FURTHER_LINK = 2;
const HOPS = 5;
const HOUR_SEC = 3600;
const MEMORY_SAMPLES = 6;

/** By then the slowest start, 8 % a second, has filled the link: what a report costs is shared by the packets between two. */
const ALGORITHM_WARM_UP_SEC = 50;
/** The least of the runs counts. */
const ALGORITHM_SEC = 60;
const ALGORITHM_RUNS = 8;
/** An algorithm that costs more has to say why: what looks ahead or transforms does. */
const MAX_RATIO_TO_RENO = 3;

/** Delayed: one per two packets. */
const ACKS = ["delayed", "per-packet"] as const;
type Acks = (typeof ACKS)[number];

interface Load {
  readonly flows: number;
  readonly rateBytesPerSec: BytesPerSec;
  /** of each flow */
  readonly bdpPackets: number;
}

function loadOf(flows: number): Load {
  const rateBytesPerSec = fromMbps(flows === 1 ? 48 : 4.8 * flows);
  return { flows, rateBytesPerSec, bdpPackets: (rateBytesPerSec * 0.05) / PACKET_BYTES / flows };
}

/**
 * Reno limited by a window of 1.5 BDP (so that the queue is half full and the link always busy): one packet more per round
 * up to the limit. Paced, it sends at 0.96 of its share.
 */
function windowLimitedReno({ flows, rateBytesPerSec, bdpPackets }: Load, paced: boolean): CcpAlgorithm {
  const limitBytes = Math.round(1.5 * bdpPackets) * MSS_BYTES;
  const rate = paced ? Math.round((0.96 * rateBytesPerSec) / flows) : 0;
  return {
    name: "once-per-rtt",
    programs: { w02: ONCE_PER_RTT },
    newFlow(control) {
      let cwndBytes = 0.75 * limitBytes;
      control.setProgram("w02", { Cwnd: cwndBytes, Rate: rate });
      return {
        onReport(report) {
          if (report.get("rtt") === 0 || cwndBytes >= limitBytes) return;
          cwndBytes = Math.min(cwndBytes + MSS_BYTES, limitBytes);
          control.updateFields({ Cwnd: cwndBytes });
        },
      };
    },
  };
}

/** A factory per flow: flows share datapaths as far as those go. */
function ccpFactories(algorithm: () => CcpAlgorithm, flows: number): CongestionControlFactory[] {
  const factories: CongestionControlFactory[] = [];
  for (let i = 0; i < flows; i++) {
    factories.push(
      i % FLOWS_PER_DATAPATH === 0 ? runCcpAlgorithm(algorithm()) : factories[factories.length - 1]!,
    );
  }
  return factories;
}

const PROGRAMS: Readonly<Record<string, (load: Load) => CongestionControlFactory[]>> = {
  w02: (load) => ccpFactories(() => windowLimitedReno(load, false), load.flows),
  "w02-paced": (load) => ccpFactories(() => windowLimitedReno(load, true), load.flows),
  "native-reno": (load) => Array.from({ length: load.flows }, () => reno),
};

/** A program of these, or a registered algorithm, over CCP or in the datapath. */
function controlsOf(program: string, load: Load): CongestionControlFactory[] {
  const known = PROGRAMS[program]?.(load);
  if (known !== undefined) return known;
  const resolved = resolveAlgorithm(program);
  if (!resolved.isNative) return ccpFactories(() => ccpAlgorithm(program), load.flows);
  const control = makeAlgorithm(resolved) as CongestionControlFactory;
  return Array.from({ length: load.flows }, () => control);
}

/** @param hops links of the rate in a row; more than one needs the general network */
function buildNetwork(load: Load, program: string, acks: Acks, hops: number): Network {
  const { flows, rateBytesPerSec, bdpPackets } = load;
  const rng = Rng.fromSeed(1);
  const draw = rng.fork("bench");
  const controls = controlsOf(program, load);
  const size = { dataBytes: PACKET_BYTES, ackBytes: ACK_BYTES, lossRate: 0 };
  const link = {
    rate: { kind: "constant" as const, rateBytesPerSec },
    queue: { packets: Math.round(bdpPackets * flows), bytes: NO_LIMIT },
    ...size,
  };
  const further = Array.from({ length: hops - 1 }, (_, i) => FIRST_FURTHER_LINK + i);
  const spec = {
    forward: link,
    links: further.map(() => link),
    reverse: {
      rate: { kind: "unlimited" as const },
      queue: { packets: NO_LIMIT, bytes: NO_LIMIT },
      ...size,
    },
    flows: controls.map(
      (control): FlowSpec => ({
        control,
        startNs: flows === 1 ? 0 : draw.uniform(0, 0.1) * NANOS_PER_SEC,
        stopNs: Number.POSITIVE_INFINITY,
        propagationNs: (flows === 1 ? 25 : draw.uniform(20, 30)) * NANOS_PER_MILLI,
        ackPolicy: acks,
        sendJitterNs: 0,
        seriesBinNs: Number.POSITIVE_INFINITY,
        ...(hops === 1 ? {} : { route: { forward: [0, ...further], reverse: [1] } }),
      }),
    ),
  };
  return makeNetwork(spec, rng);
}

function sentPackets(network: Network): number {
  let sum = 0;
  for (const flow of network.flows) sum += flow.sender?.sentPackets ?? 0;
  return sum;
}

/** Runs on by `virtualSec`; nanoseconds of the clock per packet of each slice are added to `slices`. */
function runInSlices(network: Network, virtualSec: number, packetsPerSec: number, slices: number[]): void {
  const fromNs = network.nowNs;
  const count = Math.max(1, Math.round((virtualSec * packetsPerSec) / SLICE_PACKETS));
  const sentBefore = sentPackets(network);
  const seconds: number[] = [];
  for (let k = 1; k <= count; k++) {
    const began = performance.now();
    network.runUntil(fromNs + (k / count) * virtualSec * NANOS_PER_SEC);
    seconds.push((performance.now() - began) / 1000);
  }
  // the link is busy throughout, so slices carry equally many
  const packetsPerSlice = (sentPackets(network) - sentBefore) / count;
  for (const sec of seconds) slices.push((sec * 1e9) / packetsPerSlice);
}

/** Nanoseconds per packet. */
function benchRate(program: string, flows: number, acks: Acks, hops = 1): number {
  const load = loadOf(flows);
  const packetsPerSec = load.rateBytesPerSec / PACKET_BYTES;
  const virtualSec = Math.max(1, Math.round(PACKETS / packetsPerSec));
  let packets = 0;
  let dropped = 0;
  let busy = 0;
  const slices: number[] = [];
  const { cpuSec, wallSec } = medianTimes(
    flows > 1000 ? 1 : REPEATS,
    () => {
      const network = buildNetwork(load, program, acks, hops);
      network.runUntil((flows > 1000 ? WARM_UP_SEC_OF_MANY : WARM_UP_SEC) * NANOS_PER_SEC);
      return network;
    },
    (network) => {
      const fromNs = network.nowNs;
      const servedBefore = network.forward.servedBytes(fromNs);
      const sentBefore = sentPackets(network);
      const droppedBefore = network.forward.droppedPackets;
      runInSlices(network, virtualSec, packetsPerSec, slices);
      packets = sentPackets(network) - sentBefore;
      dropped = network.forward.droppedPackets - droppedBefore;
      const served = network.forward.servedBytes(network.nowNs) - servedBefore;
      busy = served / network.forward.capacityBytes(fromNs, network.nowNs);
    },
  );
  const nanosPerPacket = (cpuSec * 1e9) / packets;
  printRow({
    program,
    flows,
    acks,
    hops,
    packets,
    dropped,
    utilisation: busy,
    cpuSec,
    wallSec,
    packetsPerSec: Math.round(packets / cpuSec),
    nanosPerPacket,
    nanosP2: quantile(slices, 0.02),
    nanosP10: quantile(slices, 0.1),
    nanosMedian: quantile(slices, 0.5),
    packetsPerSecP10: Math.round(1e9 / quantile(slices, 0.1)),
    virtualSecPerSec: virtualSec / cpuSec,
  });
  return nanosPerPacket;
}

/** Cost per packet of each algorithm, by the processor's time, in turns with Reno: both meet what others have left in the process. */
function benchAlgorithms(names: readonly string[]): void {
  const load = loadOf(1);
  const run = (name: string): { readonly packets: number; readonly nanosPerPacket: number } => {
    const network = buildNetwork(load, name, "per-packet", 1);
    network.runUntil(ALGORITHM_WARM_UP_SEC * NANOS_PER_SEC);
    const before = sentPackets(network);
    const began = process.cpuUsage();
    network.runUntil((ALGORITHM_WARM_UP_SEC + ALGORITHM_SEC) * NANOS_PER_SEC);
    const { user, system } = process.cpuUsage(began);
    const packets = sentPackets(network) - before;
    return { packets, nanosPerPacket: ((user + system) * 1000) / packets };
  };
  // the first ones warm what all share
  for (let i = 0; i < ALGORITHM_RUNS; i++) run("reno");
  for (const name of names) {
    let [base, nanosPerPacket, packets] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0];
    for (let i = 0; i < ALGORITHM_RUNS; i++) {
      base = Math.min(base, run("reno").nanosPerPacket);
      const one = run(name);
      nanosPerPacket = Math.min(nanosPerPacket, one.nanosPerPacket);
      packets = one.packets;
    }
    const ratio = nanosPerPacket / base;
    printRow({
      what: "cost per packet against reno",
      algorithm: name,
      packets,
      nanosPerPacket,
      ratio,
      within: ratio <= MAX_RATIO_TO_RENO,
    });
  }
}

/** The heap and array buffers in use after each sixth of an hour, garbage collected. */
function benchMemory(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const network = buildNetwork(loadOf(10), "native-reno", "per-packet", 1);
  const megabytes: number[] = [];
  for (let sample = 1; sample <= MEMORY_SAMPLES; sample++) {
    network.runUntil((sample / MEMORY_SAMPLES) * HOUR_SEC * NANOS_PER_SEC);
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    megabytes.push((heapUsed + arrayBuffers) / 1e6);
  }
  printRow({
    what: "memory over one simulated hour",
    flows: 10,
    packets: sentPackets(network),
    afterEachTenMinutesMB: megabytes.map((one) => one.toFixed(2)).join(" "),
    lastToFirst: megabytes[MEMORY_SAMPLES - 1]! / megabytes[0]!,
  });
}

/** Both ACK policies where an ACK's cost is what is asked for: the smallest program and the native control, up to 100 flows. */
const ROWS: readonly (readonly [program: string, acks: readonly Acks[], flows: readonly number[]])[] = [
  ["w02", ACKS, [1, 10, 100]],
  ["w02", ["per-packet"], [1000, 10_000]],
  ["w02-paced", ["per-packet"], [1, 10, 100]],
  ["bbr", ["per-packet"], [1, 10, 100]],
  ["native-reno", ACKS, [1, 10, 100]],
];

raiseInliningBudget();
const { values, words } = scriptOptions(
  "bench:sim",
  {
    json: { type: "boolean", what: "a row of JSON each" },
    algorithms: { type: "boolean", what: "each registered algorithm's cost instead" },
  },
  "WORD",
);
const chosen = (label: string): boolean =>
  words.length === 0 || words.every((word) => label.split(" ").includes(word));

if (values.algorithms) {
  const names = [...ALGORITHMS.values()].flatMap(({ name, ccp, native }) => [
    ...(ccp === undefined ? [] : [name]),
    ...(native === undefined ? [] : [`native-${name}`]),
  ]);
  benchAlgorithms(words.length === 0 ? names : names.filter((name) => words.includes(name)));
  process.exit(); // the rows below were not asked for
}

/** nanoseconds per packet, by program and ACK policy */
const ofOne = new Map<string, number>();
for (const [program, policies, counts] of ROWS) {
  for (const flows of counts) {
    for (const acks of policies) {
      if (!chosen(`${program} ${flows} ${acks}`)) continue;
      const nanos = benchRate(program, flows, acks);
      const kind = `${program} ${acks}`;
      if (flows === 1) ofOne.set(kind, nanos);
      const base = ofOne.get(kind);
      if (flows > 1000 && base !== undefined) {
        printRow({ what: "cost per packet against one flow", program, flows, ratio: nanos / base });
      }
    }
  }
}
if (chosen(`w02 hops ${HOPS} per-packet`)) benchRate("w02", 1, "per-packet", HOPS);
if (chosen("memory")) benchMemory();
