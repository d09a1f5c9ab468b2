/**
 * Flow completion times (CCP thesis, Fig. 4.6): web-like transfers that come as a Poisson process and take half of the link,
 * under Reno over CCP and in the datapath. The same seed draws the same transfers for both.
 */
import Table from "cli-table3";
import { makeReno } from "../../../algorithms/ccp/reno.ts";
import { makeRenoInAgent } from "../../../algorithms/ccp/reno-in-agent.ts";
import { portusReno } from "../../../algorithms/portus/reno.ts";
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import type { CcpAlgorithm } from "../../../ccp-bridge/agent/algorithm.ts";
import { type FlowAlgorithm, runCcpAlgorithm } from "../../../ccp-bridge/in-process-flow.ts";
import {
  MICROS_PER_MILLI,
  type Micros,
  NANOS_PER_MICRO,
  NANOS_PER_MILLI,
  NANOS_PER_SEC,
  type Nanos,
  PACKET_BYTES,
} from "../../../core/units.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { SIMULATED } from "../../../testbeds/simulated/simulated.ts";
import { makeSizes } from "../../../testbeds/traffic/sizes.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { choice, whole } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { packetsIn } from "../shares.ts";

const MBPS = 192;
const RTT_MS = 100;
const LOAD = 0.5;
const SIZES = { kind: "web" } as const;
/** After the last one has come: the largest transfer takes some 10 s alone. */
const REST_SEC = 120;
const NATIVE = "native-reno";
const MOST_TRANSFERS = 1_000_000;

/** By bytes, as the thesis has them. */
const CLASSES = {
  all: [0, Number.POSITIVE_INFINITY],
  small: [0, 10_000],
  medium: [10_000, 1_000_000],
  large: [1_000_000, Number.POSITIVE_INFINITY],
} as const;
type ClassName = keyof typeof CLASSES;
const CLASS_NAMES = Object.keys(CLASSES) as ClassName[];

const ALGORITHM_NAMES = ["portus-reno", "reno-in-agent", "reno"] as const;
type AlgorithmName = (typeof ALGORITHM_NAMES)[number];
const REPORTS = ["rtt", "ack"] as const;

/** What decides for the transfers over CCP. */
interface AgentPlan {
  readonly algorithm: AlgorithmName;
  readonly report: (typeof REPORTS)[number];
  /** from a report's making to its answer's effect: half of it each way */
  readonly stalenessUs: Micros;
}

function algorithmOf({ algorithm, report }: AgentPlan): CcpAlgorithm {
  if (algorithm === "portus-reno") return portusReno({ report });
  if (algorithm === "reno-in-agent") return makeRenoInAgent(report === "ack" ? 0 : RTT_MS * MICROS_PER_MILLI);
  return makeReno();
}

interface Row {
  readonly algorithm: string;
  readonly size: ClassName;
  readonly transfers: number;
  /** quantiles in steps of a percent, from the least to the largest */
  readonly completionMs: readonly number[];
}

/** @param agent absent: Reno in the datapath */
function* measure(agent: AgentPlan | undefined, transfers: number, seed: number): Generator<Row> {
  const algorithm = agent?.algorithm ?? NATIVE;
  const perSec = (LOAD * MBPS * 1e6) / 8 / makeSizes(SIZES).meanBytes;
  const stopSec = transfers / perSec;
  const scenario: Scenario = {
    name: "completion-times",
    source: "CCP thesis",
    description: "web-like transfers on half of a link",
    forward: {
      rate: { kind: "constant", mbps: MBPS },
      queue: { packets: packetsIn(MBPS, RTT_MS) },
      lossRate: 0,
    },
    reverse: { rate: { kind: "unlimited" }, queue: {}, lossRate: 0 },
    propagationDelayMs: RTT_MS / 2,
    durationSec: stopSec + REST_SEC,
    ackPolicy: "delayed",
    // a scenario has a flow of its own: one packet
    application: { kind: "finite", bytes: PACKET_BYTES },
    traffic: [{ kind: "transfers", algorithm: NATIVE, sizes: SIZES, flowsPerSec: perSec, stopSec }],
  };
  const native = makeAlgorithm(resolveAlgorithm(NATIVE));
  let schedule: ((atNs: Nanos, call: () => void) => void) | undefined;
  let control: FlowAlgorithm = native;
  if (agent !== undefined) {
    control = runCcpAlgorithm(algorithmOf(agent), {
      delayUs: agent.stalenessUs / 2,
      schedule: (atUs, deliver) => schedule!(atUs * NANOS_PER_MICRO, deliver),
      maxFlows: MOST_TRANSFERS,
    });
  }
  const run = SIMULATED.open(scenario, seed, { control: () => native, algorithms: () => control });
  schedule = (atNs, call) => run.schedule(atNs, call);
  const endNs = run.startNs + stopSec * NANOS_PER_SEC;
  run.runUntil(endNs);
  const isDone = (): boolean => run.transfers.completed.length === run.transfers.started;
  while (!isDone() && run.nowNs < run.endNs) run.runUntil(run.nowNs + NANOS_PER_SEC);
  const { completed } = run.transfers;
  run.close();
  for (const size of CLASS_NAMES) {
    const [above, upTo] = CLASSES[size];
    const times = completed
      .filter(({ bytes }) => bytes > above && bytes <= upTo)
      .map(({ startNs, completedNs }) => (completedNs - startNs) / NANOS_PER_MILLI);
    const sorted = Float64Array.from(times).sort();
    const completionMs = Array.from({ length: 101 }, (_, i) => {
      return sorted[Math.min(sorted.length - 1, Math.floor((i / 100) * sorted.length))] ?? Number.NaN;
    });
    yield { algorithm, size, transfers: sorted.length, completionMs };
  }
}

/** What the thesis has, over CCP against in the datapath, percent. */
const THESIS = [
  { size: "all", percent: 50, published: "-0.02 %", required: { low: -1, high: 1 } },
  { size: "all", percent: 75, published: "+3 %" },
  { size: "all", percent: 95, published: "+30 %" },
  { size: "medium", percent: 50, published: "-7 %" },
  { size: "large", percent: 50, published: "+22 %" },
] as const;

export const completionTimes: Experiment = experiment({
  name: "completion-times",
  summary:
    "100,000 web-like transfers on half of a link: Reno over CCP against Reno in the datapath, by size",
  source: "Narayan, MIT 2022 (CCP thesis), Fig. 4.6",
  options: {
    transfers: whole(100_000, { low: 100, high: MOST_TRANSFERS, help: "how many come" }),
    seed: whole(1, { low: 0, high: 1_000_000, help: "draws their sizes and times" }),
    algorithm: choice("portus-reno", ALGORITHM_NAMES, {
      help: "the agent's: `portus-reno` as published, `reno-in-agent` by the datapath's rules, `reno` grows in the datapath",
    }),
    report: choice("rtt", REPORTS, {
      help: "the agent that grows hears once per RTT, as published, or of every ACK",
    }),
    stalenessUs: whole(0, {
      placeholder: "us",
      low: 0,
      high: 1_000_000,
      help: "from a report to its answer's effect",
    }),
  },
  count: () => 2 * CLASS_NAMES.length,
  *run({ transfers, seed, ...agent }): Generator<Row> {
    yield* measure(undefined, transfers, seed);
    yield* measure(agent, transfers, seed);
  },
  describe: ({ algorithm }) => algorithm,
  report(rows, { algorithm, report, stalenessUs, seed }) {
    const of = (name: string, size: ClassName): Row =>
      rows.find((row) => row.algorithm === name && row.size === size)!;
    const change = (size: ClassName, percent: number): number => {
      const own = of(algorithm, size).completionMs[percent]!;
      return 100 * (own / of(NATIVE, size).completionMs[percent]! - 1);
    };
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["size", "transfers", "", "p50\nms", "p75\nms", "p95\nms", "p99\nms"],
    });
    for (const size of CLASS_NAMES) {
      for (const name of [NATIVE, algorithm]) {
        const { transfers, completionMs } = of(name, size);
        table.push([size, transfers, name, ...[50, 75, 95, 99].map((q) => completionMs[q]!.toFixed(1))]);
      }
    }
    const names = [NATIVE, algorithm];
    const panels = CLASS_NAMES.map((size) => {
      const values = names.flatMap((name) =>
        of(name, size).completionMs.flatMap((ms, percent) =>
          Number.isFinite(ms) ? [{ name, ms, share: percent / 100 }] : [],
        ),
      );
      const x = axis({ field: "ms", title: "Completion, ms", log: true });
      const y = axis({ field: "share", title: "Share of transfers", domain: [0, 1] });
      return lines(names, { title: size, values, x, y, width: 200 }, { interpolate: "step-after" });
    });
    return {
      text:
        `${table.toString()}\n${MBPS} Mbit/s, ${RTT_MS} ms, drop-tail queue of 1 BDP, ${100 * LOAD} % load, seed ${seed}; ${algorithm} with a report per ${report === "rtt" ? "RTT" : "ACK"}, ${stalenessUs} us stale; small: at most ` +
        "10 kB, large: above 1 MB; from the first packet sent to the last that arrives, half a round trip at least.\n",
      claims: THESIS.map(({ size, percent, published, ...rest }) =>
        judge({
          claim: `${size}: p${percent} of completion, ${algorithm} against ${NATIVE}`,
          published,
          measured: change(size, percent),
          unit: "%",
          ...("required" in rest && { threshold: rest.required }),
        }),
      ),
      figure: page(
        {
          title: "Completion of web-like transfers",
          subtitle: [
            `${MBPS} Mbit/s, ${RTT_MS} ms, ${100 * LOAD} % load; small: at most 10 kB, large: above 1 MB`,
          ],
        },
        names,
        panels,
      ),
    };
  },
});
