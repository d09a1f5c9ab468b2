/** A chain of relays with a flow per hop: as fast as its slowest hop, whatever the algorithm. */
import Table from "cli-table3";
import { NANOS_PER_SEC, toMbps } from "../../../core/units.ts";
import { workOf } from "../../../testbeds/overlays/overlay.ts";
import type { TreeWork } from "../../../testbeds/overlays/works/tree/tree.ts";
import { algorithms } from "../algorithm-options.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, nameColour, type Panel, page, panelTitle } from "../figures.ts";
import { whole } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { payloadMbps } from "../shares.ts";
import { openOverlay, overlayScenario } from "./run.ts";

const NAME = "relay-chain";
/** Beginnings are another matter. */
const SETTLED_SEC = 10;
const SLOWEST_MBPS = 8;

interface Row {
  readonly algorithm: string;
  readonly seed: number;
  readonly mbps: number;
  /** of each hop in its order, packets that it has and has not given on at the end */
  readonly waiting: readonly number[];
}

function measure(algorithm: string, seed: number): Row {
  const scenario = overlayScenario(NAME);
  const run = openOverlay(scenario, seed, algorithm);
  const tree: TreeWork = workOf(run.overlay, "tree");
  const sink = scenario.overlay.nodes.at(-1)!;
  run.runUntil(run.startNs + SETTLED_SEC * NANOS_PER_SEC);
  const before = tree.havePackets.get(sink)!;
  run.runUntil(run.endNs);
  const have = [...tree.havePackets.values()];
  const bytes = (have.at(-1)! - before) * run.flows[0]!.mssBytes;
  return {
    algorithm,
    seed,
    mbps: toMbps(bytes / (scenario.durationSec - SETTLED_SEC)),
    waiting: have.slice(0, -1).map((packets, i) => packets - have[i + 1]!),
  };
}

/** A place for each algorithm and in it one for each seed, since the throughputs are about the same. */
function picture(names: readonly string[], values: readonly object[], leastMbps: number): Panel {
  const y = axis({ field: "mbps", title: "Mbit/s of payload", domain: [0, Math.ceil(1.1 * leastMbps)] });
  return {
    title: panelTitle(`dashed: the slowest hop's ${leastMbps.toFixed(2)} Mbit/s`),
    width: 360,
    height: 220,
    layer: [
      {
        data: { values: [{ mbps: leastMbps }] },
        mark: { type: "rule", strokeDash: [5, 4] },
        encoding: { y },
      },
      {
        data: { values },
        mark: { type: "point", filled: true, size: 55, opacity: 1 },
        encoding: {
          x: {
            field: "name",
            type: "nominal",
            title: null,
            scale: { domain: names },
            axis: { labelAngle: 0 },
          },
          xOffset: { field: "seed", type: "nominal" },
          y,
          color: nameColour(names),
        },
      },
    ],
  };
}

export const relayChain: Experiment = experiment({
  name: NAME,
  summary: "three relays with a flow per hop: throughput is that of the slowest hop",
  source: "ccpark, scenario relay-chain",
  options: {
    algorithms: algorithms(["cubic", "reno", "bbr", "copa"], "of the hops, each in a run"),
    seeds: whole(2, { low: 1, high: 100, help: "runs of each" }),
  },
  count: ({ algorithms, seeds }) => algorithms.length * seeds,
  *run({ algorithms, seeds }): Generator<Row> {
    for (const algorithm of algorithms)
      for (let seed = 1; seed <= seeds; seed++) yield measure(algorithm, seed);
  },
  describe: ({ algorithm, seed }) => `${algorithm}, seed ${seed}`,
  report(rows) {
    const least = payloadMbps(SLOWEST_MBPS);
    const table = new Table({ ...PLAIN_TABLE, head: ["", "seed", "Mbit/s", "of slowest", "waiting"] });
    for (const { algorithm, seed, mbps, waiting } of rows)
      table.push([algorithm, seed, mbps.toFixed(2), (mbps / least).toFixed(3), waiting.join(", ")]);
    const names = [...new Set(rows.map(({ algorithm }) => algorithm))];
    const values = rows.map(({ algorithm, seed, mbps }) => ({ name: algorithm, seed, mbps }));
    return {
      text: `${table.toString()}\nHops of 20, 12, 8 and 16 Mbit/s; payload after ${SETTLED_SEC} s; waiting: packets in each relay at the end.\n`,
      claims: names.map((name) => {
        const ratios = rows.filter(({ algorithm }) => algorithm === name).map(({ mbps }) => mbps / least);
        return judge({
          claim: `${name}: throughput by the payload of the slowest hop, the run farthest from it`,
          published: "1",
          measured: ratios.reduce((far, each) => (Math.abs(each - 1) > Math.abs(far - 1) ? each : far)),
          unit: "1",
          threshold: { low: 0.95, high: 1.05 },
        });
      }),
      figure: page({ title: "Throughput of a chain of relays" }, names, [picture(names, values, least)]),
    };
  },
});
