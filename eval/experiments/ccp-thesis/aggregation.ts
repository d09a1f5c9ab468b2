/**
 * Aggregation (CCP thesis, section 4.7.3, Fig. 4.10): five flows of one host that start 10 s apart and stay 20 s each. Under one
 * window for all of them a flow that joins has its share at once; under Reno each one begins anew. Measured from each flow's
 * start, in steps of a quarter of the round trip: what it has in flight of all that is in flight, and what each flow delivers.
 */

import Table from "cli-table3";
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import { runCcpAlgorithm } from "../../../ccp-bridge/in-process-flow.ts";
import { Rng } from "../../../core/random.ts";
import {
  fromMbps,
  MSS_BYTES,
  NANOS_PER_MICRO,
  NANOS_PER_MILLI,
  NANOS_PER_SEC,
  toMbps,
} from "../../../core/units.ts";
import { FifoNetwork } from "../../../sim/fifo/fifo-network.ts";
import { jainIndex } from "../../../testbeds/fairness.ts";
import { seedsText } from "../../seeds.ts";
import { mean } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { positive, seeds, whole } from "../options.ts";
import { bottleneck, flowOf, OPEN_LINK } from "../path.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { packetsIn } from "../shares.ts";

const FLOWS = 5;
const EVERY_SEC = 10;
/** What counts as having one's share. */
const ENOUGH = 0.9;
/** Bins of the picture. */
const BIN_SEC = 0.25;
const ALGORITHMS = ["aggregate", "reno"] as const;
type Name = (typeof ALGORITHMS)[number];

interface Setting {
  readonly mbps: number;
  readonly rttMs: number;
  readonly queueMs: number;
}

interface JoinRow {
  readonly kind: "join";
  readonly algorithm: Name;
  readonly seed: number;
  /** from 1 on */
  readonly flow: number;
  /** others that are there */
  readonly others: number;
  /** as long as the others' were then, until it had its share in flight; null: never */
  readonly rtts: number | null;
  /** of all that are there, by what they deliver in the first second */
  readonly jainFirstSec: number;
}

interface RateRow {
  readonly kind: "rate";
  readonly algorithm: Name;
  readonly seed: number;
  readonly flow: number;
  readonly atSec: number;
  readonly mbps: number;
}

type Row = JoinRow | RateRow;

function* runFlows(algorithm: Name, setting: Setting, seed: number): Generator<Row> {
  const { mbps, rttMs, queueMs } = setting;
  const rng = Rng.fromSeed(seed);
  const made = makeAlgorithm(resolveAlgorithm(algorithm));
  const control = typeof made === "function" ? made : runCcpAlgorithm(made);
  // against the others' sawteeth each seed has another phase
  const phaseSec = rng.fork("aggregation.start").next();
  const flows = Array.from({ length: FLOWS }, (_, i) => {
    const startNs = i * (EVERY_SEC + phaseSec) * NANOS_PER_SEC;
    return flowOf(control, rttMs * NANOS_PER_MILLI, startNs, {
      // until the next but one starts
      stopNs: startNs + 2 * (EVERY_SEC + phaseSec) * NANOS_PER_SEC,
      sendJitterNs: 20_000,
      ackPolicy: "delayed",
    });
  });
  const forward = bottleneck(fromMbps(mbps), packetsIn(mbps, queueMs));
  const network = new FifoNetwork({ forward, reverse: OPEN_LINK, flows }, rng);
  const arrived = (): number[] =>
    network.flows.map((flow) => {
      flow.advance(network.nowNs);
      return flow.firstArrivedPackets;
    });
  const stepNs = (rttMs * NANOS_PER_MILLI) / 4;
  for (let i = 0; i < FLOWS; i++) {
    const { startNs } = flows[i]!;
    const here = flows.flatMap((flow, j) => (j <= i && flow.stopNs > startNs + NANOS_PER_SEC ? [j] : []));
    network.runUntil(startNs);
    const before = arrived();
    const rttUs = Math.max(...here.map((j) => network.flows[j]!.sender?.rtt.srttUs ?? 0));
    let rtts: number | null = null;
    const untilNs = (flows[i + 1]?.startNs ?? startNs + EVERY_SEC * NANOS_PER_SEC) - stepNs;
    let jainFirstSec = Number.NaN;
    let bin = { atNs: startNs, arrived: before };
    // the flow's window and its share are looked at four times per RTT of the empty path
    for (let step = 1; startNs + step * stepNs < untilNs; step++) {
      network.runUntil(startNs + step * stepNs);
      const sinceNs = step * stepNs;
      if (here.length > 1 && rtts === null && holdsShare(network, i, here))
        rtts = sinceNs / NANOS_PER_MICRO / rttUs;
      if (Number.isNaN(jainFirstSec) && sinceNs >= NANOS_PER_SEC) {
        const now = arrived();
        jainFirstSec = jainIndex(here.map((j) => now[j]! - before[j]!));
      }
      if (network.nowNs - bin.atNs >= BIN_SEC * NANOS_PER_SEC) {
        const now = arrived();
        const sec = (network.nowNs - bin.atNs) / NANOS_PER_SEC;
        for (const j of here) {
          const rate = toMbps(((now[j]! - bin.arrived[j]!) * MSS_BYTES) / sec);
          yield { kind: "rate", algorithm, seed, flow: j + 1, atSec: bin.atNs / NANOS_PER_SEC, mbps: rate };
        }
        bin = { atNs: network.nowNs, arrived: now };
      }
    }
    if (here.length === 1) continue;
    yield { kind: "join", algorithm, seed, flow: i + 1, others: here.length - 1, rtts, jainFirstSec };
  }
  for (const flow of network.flows) flow.control?.onClose?.();
}

/** Its part of what is in flight is that of its like. */
function holdsShare(network: FifoNetwork, i: number, here: readonly number[]): boolean {
  const inflight = here.map((j) => network.flows[j]!.sender?.inflightPackets ?? 0);
  const all = inflight.reduce((sum, packets) => sum + packets, 0);
  return inflight[here.indexOf(i)]! >= (ENOUGH * all) / here.length;
}

/** Never counts as the whole time until the next flow, in RTTs of the empty path. */
function rttsOf({ rtts }: JoinRow, rttMs: number): number {
  return rtts ?? (EVERY_SEC * 1000) / rttMs;
}

export const aggregation: Experiment = experiment({
  name: "aggregation",
  summary:
    "one window for five flows of a host, 10 s apart and 20 s each: how soon has a flow that joins its share?",
  source: "Narayan, MIT 2022 (CCP thesis), section 4.7.3, Fig. 4.10",
  options: {
    seeds: seeds(5),
    mbps: positive(48, { placeholder: "mbps", help: "rate of the bottleneck" }),
    rttMs: positive(40, { placeholder: "ms", help: "round trip of the path with an empty queue" }),
    queueMs: whole(40, {
      placeholder: "ms",
      low: 1,
      high: 10_000,
      help: "drop-tail queue, in time to drain",
    }),
  },
  count: ({ seeds: seedList }) => ALGORITHMS.length * seedList.length,
  *run(
    settings,
  ): Generator<{ readonly rows: readonly Row[] } & { readonly algorithm: Name; readonly seed: number }> {
    for (const algorithm of ALGORITHMS) {
      for (const seed of settings.seeds) {
        yield { algorithm, seed, rows: [...runFlows(algorithm, settings, seed)] };
      }
    }
  },
  describe: ({ algorithm, seed }) => `${algorithm}, seed ${seed}`,
  report(runs, { mbps, rttMs, queueMs, seeds: seedList }) {
    const rows = runs.flatMap((run) => run.rows);
    const joins = rows.filter((row) => row.kind === "join");
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["", "joins of\nflow", "others", "RTTs to 90 %\nof its share", "Jain,\nfirst second"],
    });
    const summary = ALGORITHMS.map((algorithm) => {
      const own = joins.filter((row) => row.algorithm === algorithm);
      for (const flow of new Set(own.map((row) => row.flow))) {
        const of = own.filter((row) => row.flow === flow);
        table.push([
          algorithm,
          flow,
          of[0]!.others,
          mean(of.map((row) => rttsOf(row, rttMs))).toFixed(2),
          mean(of.map((row) => row.jainFirstSec)).toFixed(3),
        ]);
      }
      return {
        algorithm,
        worstRtts: Math.max(...own.map((row) => rttsOf(row, rttMs))),
        // the later ones find half of the link left by one that stops then
        intoFullLink: mean(own.filter(({ flow }) => flow === 2).map((row) => rttsOf(row, rttMs))),
        jain: mean(own.map((row) => row.jainFirstSec)),
      };
    });
    const [aggregate, reno] = summary as [(typeof summary)[0], (typeof summary)[0]];
    const names = Array.from({ length: FLOWS }, (_, i) => `flow ${i + 1}`);
    const panels = ALGORITHMS.map((algorithm) => {
      const values = rows
        .filter((row) => row.kind === "rate")
        .filter((row) => row.algorithm === algorithm && row.seed === seedList[0])
        .map(({ flow, atSec, mbps: rate }) => ({ name: `flow ${flow}`, atSec, mbps: rate }));
      const x = axis({ field: "atSec", title: "Time, s" });
      return lines(names, {
        title: algorithm,
        values,
        x,
        y: axis({ field: "mbps", title: "Throughput, Mbit/s" }),
        width: 400,
      });
    });
    return {
      text:
        `${table.toString()}\n${mbps} Mbit/s, ${rttMs} ms, drop-tail queue of ${queueMs} ms; means over ${seedsText(seedList.length)}; ` +
        "RTTs as the flows that were there had them.\n",
      claims: [
        judge({
          claim: "aggregate: the slowest join, RTTs to 90 % of its share",
          published: "at once",
          measured: aggregate.worstRtts,
          unit: "RTTs",
          threshold: { high: 2 },
        }),
        judge({
          claim: "reno: flow 2, which joins a full link",
          published: "many",
          measured: reno.intoFullLink,
          unit: "RTTs",
          threshold: { low: 10 },
        }),
        judge({
          claim: "aggregate: Jain's index over the first second",
          measured: aggregate.jain,
          unit: "1",
          threshold: { low: 0.95 },
        }),
        judge({ claim: "reno: Jain's index over the first second", measured: reno.jain, unit: "1" }),
      ],
      summary,
      figure: page(
        {
          title: "Flows that join, under one window and under Reno",
          subtitle: [`${mbps} Mbit/s, ${rttMs} ms, seed ${seedList[0]}`],
          columns: 1,
        },
        names,
        panels,
      ),
    };
  },
});
