/**
 * The incast experiment of the CCP thesis (Narayan, "The design and implementation of a congestion control plane", MIT
 * 2019, and SIGCOMM 2018): synchronized senders, one switch port, and an agent that hears of its flows only every so
 * often and late. Measured: when the last of the flows has its last byte at the receiver, beside the same congestion
 * control in the datapath.
 *
 * What the thesis leaves open is stated in `INCAST_SETTING`. Left out: the senders' own links (a window leaves at once).
 */
import { makeReno } from "../../../algorithms/ccp/reno.ts";
import { makeRenoInAgent } from "../../../algorithms/ccp/reno-in-agent.ts";
import { reno as nativeReno } from "../../../algorithms/native/reno.ts";
import { portusReno } from "../../../algorithms/portus/reno.ts";
import type { CcpAlgorithm } from "../../../ccp-bridge/agent/algorithm.ts";
import type { CongestionControlFactory } from "../../../ccp-bridge/congestion-control.ts";
import { runCcpAlgorithm } from "../../../ccp-bridge/in-process-flow.ts";
import { Rng } from "../../../core/random.ts";
import { fromMbps, type Micros, MSS_BYTES, NANOS_PER_MICRO, NANOS_PER_SEC } from "../../../core/units.ts";
import { FifoNetwork } from "../../../sim/fifo/fifo-network.ts";
import type { FlowSpec, Network } from "../../../sim/network.ts";
import { sendOnce } from "../../../testbeds/traffic/applications.ts";
import { groupBy } from "../../group-by.ts";
import { bootstrap, type Estimate, estimate, mean } from "../../statistics.ts";
import { bottleneck, flowOf, OPEN_LINK } from "../path.ts";

export interface IncastSetting {
  readonly senders: number;
  readonly rateGbps: number;
  /** data segments of each flow */
  readonly packets: number;
  readonly rttUs: Micros;
  /** of the switch port, drop-tail */
  readonly bufferPackets: number;
  /** floor under the variance term of the retransmission timer */
  readonly minRtoMs: number;
  /** each flow starts in U(0, this) */
  readonly startJitterUs: Micros;
}

/**
 * 50 senders and 20 us are the thesis's. Buffer: what a shallow-buffered switch gives to one port (700 KB, Alizadeh et al.,
 * "Data Center TCP", SIGCOMM 2010, section 2.3.4). RTO floor: 1 ms, as high-resolution timers of data centres have it
 * (Vasudevan et al., SIGCOMM 2009). Start jitter: five round trips, about the time that the
 * first windows take through the port.
 */
export const INCAST_SETTING = {
  senders: 50,
  rttUs: 20,
  bufferPackets: 466,
  minRtoMs: 1,
  startJitterUs: 100,
} as const;

/** An agent's algorithm, told of its flows every `reportEveryUs`. */
export type IncastAlgorithm = (reportEveryUs: Micros) => CcpAlgorithm;

export type IncastAlgorithmName = "reno-in-agent" | "reno" | "portus-reno";

export const INCAST_ALGORITHMS: Readonly<Record<IncastAlgorithmName, IncastAlgorithm>> = {
  /** the rules of Reno in the datapath: grows and cuts in the agent, at the interval; losses are told at once */
  "reno-in-agent": makeRenoInAgent,
  /** grows in the datapath; the agent cuts, and hears of losses only at the interval */
  reno: (reportEveryUs) => makeReno({ reportEveryUs }),
  /** the published one: grows and cuts in the agent, at the interval; losses are told at once */
  "portus-reno": (everyUs) => portusReno({ report: { everyUs } }),
};

export interface AgentPlan {
  readonly algorithm: IncastAlgorithmName;
  readonly reportEveryUs: Micros;
  /** from a report's making to its answer's effect: half of it each way */
  readonly stalenessUs: Micros;
}

export interface IncastRun {
  /** from time 0, the earliest possible start, to the arrival of the last flow's last byte */
  readonly tailUs: Micros;
  readonly droppedPackets: number;
  readonly timeouts: number;
}

/** Far beyond any run: timers back off to seconds at worst. */
const LIMIT_NS = 1000 * NANOS_PER_SEC;

/** @param agent undefined: Reno in the datapath */
export function runIncast(setting: IncastSetting, agent: AgentPlan | undefined, seed: number): IncastRun {
  const rng = Rng.fromSeed(seed);
  const starts = rng.fork("incast.start");
  let network: Network | undefined;
  const control =
    agent === undefined ? nativeReno : agentControl(agent, (atNs, run) => network!.schedule(atNs, run));
  let open = setting.senders;
  let tailNs = 0;
  const transfer = sendOnce(setting.packets * MSS_BYTES, ({ arrivedNs }) => {
    tailNs = Math.max(tailNs, arrivedNs);
    open -= 1;
    if (open === 0) network!.requestStop();
  });
  const onStart: FlowSpec["onStart"] = (flow, host) => {
    // the handshake's round trip is a sample too (RFC 6298 section 2.2): without it the first timeout comes after 1 s
    flow.sender!.rtt.onSample(setting.rttUs);
    transfer(flow, host);
  };
  const flows = Array.from({ length: setting.senders }, () =>
    flowOf(
      control,
      setting.rttUs * NANOS_PER_MICRO,
      starts.next() * setting.startJitterUs * NANOS_PER_MICRO,
      {
        sender: { minRtoMs: setting.minRtoMs },
        onStart,
      },
    ),
  );
  const forward = bottleneck(fromMbps(setting.rateGbps * 1000), setting.bufferPackets);
  const fifo = new FifoNetwork({ forward, reverse: OPEN_LINK, flows }, rng);
  network = fifo;
  fifo.runUntil(LIMIT_NS);
  for (const flow of fifo.flows) flow.control?.onClose?.();
  return {
    tailUs: tailNs / NANOS_PER_MICRO,
    droppedPackets: fifo.forward.droppedPackets,
    timeouts: fifo.flows.reduce((sum, flow) => sum + (flow.sender?.timeouts ?? 0), 0),
  };
}

/** One agent and one datapath for all flows, as on one machine each. */
function agentControl(agent: AgentPlan, schedule: Network["schedule"]): CongestionControlFactory {
  return runCcpAlgorithm(INCAST_ALGORITHMS[agent.algorithm](agent.reportEveryUs), {
    delayUs: agent.stalenessUs / 2,
    schedule: (atUs, deliver) => schedule(atUs * NANOS_PER_MICRO, deliver),
    minCwndBytes: MSS_BYTES,
  });
}

export interface IncastPlan {
  readonly ratesGbps: readonly number[];
  readonly packets: readonly number[];
  readonly intervalsUs: readonly Micros[];
  readonly seeds: readonly number[];
  readonly stalenessUs: Micros;
  readonly algorithm: IncastAlgorithmName;
  readonly setting: Omit<IncastSetting, "rateGbps" | "packets">;
}

/** One line of the results. */
export interface IncastRecord extends IncastRun {
  readonly rateGbps: number;
  readonly packets: number;
  /** the agent's algorithm, or `native-reno` in the datapath */
  readonly algorithm: string;
  /** null: in the datapath */
  readonly intervalUs: Micros | null;
  readonly seed: number;
}

export interface IncastRow {
  readonly rateGbps: number;
  readonly packets: number;
  readonly intervalUs: Micros;
  readonly nativeTailUs: Estimate;
  readonly tailUs: Estimate;
  /** mean tail completion over that of the control in the datapath; the interval is that of a ratio of paired means */
  readonly ratio: Estimate;
  /** means per run */
  readonly droppedPackets: number;
  readonly nativeDroppedPackets: number;
  readonly timeouts: number;
  readonly nativeTimeouts: number;
}

export function countIncastRuns({ ratesGbps, packets, intervalsUs, seeds }: IncastPlan): number {
  return ratesGbps.length * packets.length * (1 + intervalsUs.length) * seeds.length;
}

/** All runs, in the order of the plan: of each rate and size the datapath's own control first. */
export function* incastRuns(plan: IncastPlan): Generator<IncastRecord> {
  const { algorithm, stalenessUs, seeds } = plan;
  for (const rateGbps of plan.ratesGbps) {
    for (const packets of plan.packets) {
      const setting = { ...plan.setting, rateGbps, packets };
      for (const intervalUs of [null, ...plan.intervalsUs]) {
        const agent = intervalUs === null ? undefined : { algorithm, stalenessUs, reportEveryUs: intervalUs };
        const name = agent === undefined ? "native-reno" : algorithm;
        for (const seed of seeds) {
          const run = runIncast(setting, agent, seed);
          yield { rateGbps, packets, algorithm: name, intervalUs, seed, ...run };
        }
      }
    }
  }
}

/** The ratio of two means of pairs, with its interval by the bootstrap over pairs. */
export function ratioOfMeans(ys: readonly number[], xs: readonly number[]): Estimate {
  return bootstrap(ys.length, (picked) => {
    let [sumY, sumX] = [0, 0];
    for (const i of picked) {
      sumY += ys[i]!;
      sumX += xs[i]!;
    }
    return sumY / sumX;
  });
}

export function summariseIncast(records: readonly IncastRecord[]): IncastRow[] {
  const cells = groupBy(records, ({ rateGbps, packets }) => `${rateGbps} ${packets}`);
  return [...cells.values()].flatMap((cell) => {
    const { null: native = [], ...byInterval } = Object.fromEntries(
      groupBy(cell, (run) => `${run.intervalUs}`),
    );
    return Object.values(byInterval).map((runs) => summarise(runs, native));
  });
}

function summarise(runs: readonly IncastRecord[], native: readonly IncastRecord[]): IncastRow {
  const { rateGbps, packets, intervalUs } = runs[0]!;
  const tails = runs.map(({ tailUs }) => tailUs);
  const nativeTails = native.map(({ tailUs }) => tailUs);
  return {
    rateGbps,
    packets,
    intervalUs: intervalUs!,
    nativeTailUs: estimate(nativeTails),
    tailUs: estimate(tails),
    ratio: ratioOfMeans(tails, nativeTails),
    droppedPackets: mean(runs.map((run) => run.droppedPackets)),
    nativeDroppedPackets: mean(native.map((run) => run.droppedPackets)),
    timeouts: mean(runs.map((run) => run.timeouts)),
    nativeTimeouts: mean(native.map((run) => run.timeouts)),
  };
}
