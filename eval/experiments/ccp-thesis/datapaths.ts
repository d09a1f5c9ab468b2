/**
 * Write once, run anywhere (CCP thesis, Fig. 4.11): Copa and Cubic, unchanged, on three datapaths: the simulator's in virtual time, the
 * UDP transport's and Linux TCP's in real time. A world that cannot run here says why.
 */
import Table from "cli-table3";
import { resolveAlgorithm } from "../../../algorithms/reference.ts";
import { makeLink } from "../../../scenarios/links.ts";
import { findTestbed } from "../../../testbeds/registry.ts";
import { type BenchmarkFailure, runBenchmark } from "../../benchmark.ts";
import { algorithmContender } from "../../contenders/algorithm-contender.ts";
import { type Claim, type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { positive } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";

const LINK = { mbps: 24, rttMs: 40, bufferBdp: 2 } as const;
const SEED = 1;
const BIN_SEC = 0.25;
const WORLDS = ["simulated", "udp", "linux"] as const;
const ALGORITHMS = ["copa", "cubic"] as const;
/** Of the goodput in the simulator: real time has its own noise. */
const WITHIN = 0.1;

interface Row {
  readonly algorithm: string;
  readonly world: string;
  /** why it could not run; the rest is absent then */
  readonly reason?: string;
  readonly goodputMbps?: number;
  readonly meanQueueDelayMs?: number;
  readonly timeSec?: readonly number[];
  readonly throughputMbps?: readonly number[];
}

const OPTIONS = { durationSec: positive(10, { placeholder: "s", help: "seconds per run" }) };

async function measure(algorithm: string, world: string, durationSec: number): Promise<Row> {
  const failures: BenchmarkFailure[] = [];
  const scenario = makeLink({ ...LINK, durationSec });
  const testbed = findTestbed(world);
  const reason = testbed.refuses(scenario);
  if (reason !== undefined) return { algorithm, world, reason };
  const contender = algorithmContender(resolveAlgorithm(algorithm));
  const plan = {
    scenarios: [scenario],
    contenders: [contender],
    seeds: [SEED],
    rewardName: "score",
    testbed,
    seriesBinSec: BIN_SEC,
  };
  for await (const { record, series } of runBenchmark(plan, (failure) => failures.push(failure))) {
    const { goodputMbps, meanQueueDelayMs } = record;
    const { timeSec, throughputMbps } = series;
    return { algorithm, world, goodputMbps, meanQueueDelayMs, timeSec, throughputMbps };
  }
  return { algorithm, world, reason: failures[0]?.message ?? "it yielded nothing" };
}

function claimsOf(rows: readonly Row[]): Claim[] {
  return rows.flatMap(({ algorithm, world, goodputMbps }) => {
    const simulated = rows.find(
      (row) => row.algorithm === algorithm && row.world === "simulated",
    )?.goodputMbps;
    if (world === "simulated" || goodputMbps === undefined || simulated === undefined) return [];
    return [
      judge({
        claim: `${algorithm} on ${world}: goodput over that in the simulator`,
        published: "the same behaviour",
        measured: goodputMbps / simulated,
        unit: "1",
        threshold: { low: 1 - WITHIN, high: 1 + WITHIN },
      }),
    ];
  });
}

export const datapaths: Experiment = experiment({
  name: "datapaths",
  summary: "Copa and Cubic, written once, on three datapaths: simulated, UDP transport, Linux TCP",
  source: "A. Narayan, thesis on CCP (MIT), Fig. 4.11",
  options: OPTIONS,
  count: () => WORLDS.length * ALGORITHMS.length,
  async *run({ durationSec }): AsyncGenerator<Row> {
    for (const algorithm of ALGORITHMS) {
      for (const world of WORLDS) yield await measure(algorithm, world, durationSec);
    }
  },
  describe: ({ algorithm, world }) => `${algorithm} on ${world}`,
  report: (rows) => {
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["algorithm", "datapath", "goodput Mbit/s", "mean queueing delay ms"],
    });
    for (const { algorithm, world, goodputMbps, meanQueueDelayMs, reason } of rows) {
      const measured = [goodputMbps?.toFixed(2) ?? "", meanQueueDelayMs?.toFixed(1) ?? ""];
      table.push([algorithm, world, ...(reason === undefined ? measured : ["not run", ""])]);
    }
    const reasons = new Map(
      rows.flatMap(({ world, reason }) => (reason === undefined ? [] : [[world, reason] as const])),
    );
    const notes = [...reasons].map(([world, reason]) => `${world}: not run: ${reason}\n`).join("");
    const panels = ALGORITHMS.map((algorithm) =>
      lines(WORLDS, {
        title: algorithm,
        values: rows
          .filter((row) => row.algorithm === algorithm)
          .flatMap(({ world, timeSec = [], throughputMbps = [] }) =>
            timeSec.map((sec, i) => ({ name: world, timeSec: sec, throughputMbps: throughputMbps[i]! })),
          ),
        x: axis({ field: "timeSec", title: "Time, s" }),
        y: axis({ field: "throughputMbps", title: "Throughput, Mbit/s" }),
      }),
    );
    return {
      text: `${table.toString()}\n${LINK.mbps} Mbit/s, ${LINK.rttMs} ms, ${LINK.bufferBdp} BDP of queue, seed ${SEED}; UDP and Linux in real time.\n${notes}`,
      claims: claimsOf(rows),
      summary: rows.map(({ timeSec: _, throughputMbps: __, ...row }) => row),
      figure: page({ title: "Written once, on three datapaths", legend: "datapath" }, WORLDS, panels),
    };
  },
});
