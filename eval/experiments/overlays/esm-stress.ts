/** Copies of one packet on one link: a star from the source, a tree of neighbours, and what a network that copies would do. */
import Table from "cli-table3";
import { NANOS_PER_SEC, PACKET_BYTES } from "../../../core/units.ts";
import type { FlowEnds } from "../../../scenarios/overlay/overlay.ts";
import { workOf } from "../../../testbeds/overlays/overlay.ts";
import type { TreeWork } from "../../../testbeds/overlays/works/tree/tree.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { OVERLAY_OPTIONS, openOverlay, overlayScenario } from "./run.ts";

const NAME = "esm-stress";
const TREES = ["star", "mesh"] as const;
type Tree = (typeof TREES)[number];
const NAMES = [...TREES, "ideal"];
/** The stream has begun on all links. */
const SETTLED_SEC = 5;

interface Row {
  readonly tree: Tree;
  readonly group: number;
  /** of each link that carries the stream, copies of a packet, from the largest on: bytes that it served by those of the stream */
  readonly stress: readonly number[];
  /** from the source along the tree, by the way of the network: the worst member */
  readonly worstPenalty: number;
  readonly worstMbps: number;
}

function measure(tree: Tree, algorithm: string, seed: number): Row {
  const scenario = overlayScenario(NAME, ({ nodes, flows }) => ({
    flows: tree === "mesh" ? flows : nodes.slice(1).map((to): FlowEnds => ({ from: nodes[0]!, to })),
  }));
  const { nodes, flows, work } = scenario.overlay;
  const run = openOverlay(scenario, seed, algorithm);
  const stream: TreeWork = workOf(run.overlay, "tree");
  const served = (): number[] => run.truth.links.map((link) => link.servedBytes(run.nowNs));
  const have = (): number[] => [...stream.havePackets.values()];
  run.runUntil(run.startNs + SETTLED_SEC * NANOS_PER_SEC);
  const [servedBefore, haveBefore] = [served(), have()];
  run.runUntil(run.endNs);
  const spanSec = scenario.durationSec - SETTLED_SEC;
  const streamMbps = work?.kind === "tree" ? work.mbps! : Number.NaN;
  const packets = (streamMbps * 1e6 * spanSec) / (8 * run.flows[0]!.mssBytes);
  const after = served();
  const stress = after.map((bytes, i) => (bytes - servedBefore[i]!) / (packets * PACKET_BYTES));
  const { graph } = run.overlay!;
  const delayMs = new Map([[nodes[0]!, 0]]);
  for (const { from, to } of flows) delayMs.set(to, delayMs.get(from)! + graph.delayMs(from, to));
  const penalties = nodes.slice(1).map((node) => delayMs.get(node)! / graph.delayMs(nodes[0]!, node));
  const least = Math.min(...have().map((count, i) => count - haveBefore[i]!));
  return {
    tree,
    group: nodes.length,
    // ACKs of the other direction are far less than half a copy
    stress: stress.filter((copies) => copies > 0.5).sort((a, b) => b - a),
    worstPenalty: Math.max(...penalties),
    worstMbps: (least / packets) * streamMbps,
  };
}

export const esmStress: Experiment = experiment({
  name: NAME,
  summary:
    "a stream to a group: copies of a packet on the worst link, from the source alone and over neighbours",
  source: "ccpark, scenario esm-stress; inspired by Chu et al., SIGMETRICS 2000 (end system multicast)",
  options: OVERLAY_OPTIONS,
  count: () => TREES.length,
  *run({ algorithm, seed }): Generator<Row> {
    for (const tree of TREES) yield measure(tree, algorithm, seed);
  },
  describe: ({ tree }) => tree,
  report(rows) {
    const of = (tree: Tree): Row => rows.find((row) => row.tree === tree)!;
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["tree", "worst\nstress", "links", "copies\nin all", "worst delay\nby direct", "slowest\nMbit/s"],
    });
    for (const { tree, stress, worstPenalty, worstMbps } of rows) {
      const all = stress.reduce((sum, copies) => sum + copies, 0);
      table.push([
        tree,
        stress[0]!.toFixed(2),
        stress.length,
        all.toFixed(1),
        worstPenalty.toFixed(2),
        worstMbps.toFixed(3),
      ]);
    }
    // each link of the ways from the source, once: those that the star uses
    const { length: links } = of("star").stress;
    table.push(["ideal", "1", links, links, "1.00", ""]);
    const { group } = of("star");
    const values = [
      ...rows.flatMap(({ tree, stress }) => stress.map((copies, i) => ({ name: tree, rank: i + 1, copies }))),
      ...Array.from({ length: links }, (_, i) => ({ name: "ideal", rank: i + 1, copies: 1 })),
    ];
    return {
      text: `${table.toString()}\nA group of ${group}, 0.5 Mbit/s; stress: what a link served by what the stream is. Ideal: a network that copies packets where ways part (not run: by definition).\n`,
      claims: [
        judge({
          claim: "star: worst stress",
          published: "group - 1",
          measured: Math.round(of("star").stress[0]!),
          unit: "copies",
          threshold: { low: group - 1, high: group - 1 },
        }),
        judge({
          claim: "mesh: worst stress, above the ideal's 1 and below the star's",
          published: "between",
          measured: Math.round(of("mesh").stress[0]!),
          unit: "copies",
          threshold: { low: 2, high: group - 2 },
        }),
        judge({
          claim: "the slowest member's stream over the mesh, by its rate",
          measured: of("mesh").worstMbps / 0.5,
          unit: "1",
          threshold: { low: 0.98 },
        }),
      ],
      figure: page({ title: "Copies of a packet on each link" }, NAMES, [
        lines(NAMES, {
          title: "links from the worst on",
          values,
          x: axis({ field: "rank", title: "Link" }),
          y: axis({ field: "copies", title: "Copies" }),
          width: 420,
        }),
      ]),
    };
  },
});
