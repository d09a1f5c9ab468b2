/** A tree that nodes find by themselves: how they choose, what it carries, and who comes after a parent that has gone. */
import Table from "cli-table3";
import { NANOS_PER_SEC } from "../../../core/units.ts";
import type { OverlaySpec } from "../../../scenarios/overlay/overlay.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { workOf } from "../../../testbeds/overlays/overlay.ts";
import type { GoodputSample, ParentDecision, TreeWork } from "../../../testbeds/overlays/works/tree/tree.ts";
import { mean } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { OVERLAY_OPTIONS, openOverlay, overlayScenario } from "./run.ts";

const NAME = "overcast-60";
/** All have joined. */
const SETTLED_SEC = 100;
const KILLED_SEC = 120;
/** Bins of the picture. */
const BIN_SEC = 10;
const TREES = ["star", "tree"] as const;
type TreeName = (typeof TREES)[number];

interface Row {
  readonly tree: TreeName;
  readonly samples: readonly Pick<GoodputSample, "atSec" | "mbps">[];
  readonly decisions: readonly ParentDecision[];
  /** of the tree: the node whose link is dead from KILLED_SEC on, and how long its children took to find another parent */
  readonly killed?: string;
  readonly orphans: readonly { readonly node: string; readonly parent: string; readonly afterSec: number }[];
  /** children of the killed node that have none at the end */
  readonly lost: readonly string[];
}

type Overcast = Scenario & { readonly overlay: OverlaySpec };

/** All that reaches or leaves a node is lost from a time on. */
function without(scenario: Overcast, node: string): Overcast {
  const blackholes = [{ fromSec: KILLED_SEC, toSec: 86_400 }];
  const links = scenario.overlay.links.map((link) =>
    link.from === node || link.to === node ? { ...link, there: { ...link.there, blackholes } } : link,
  );
  return { ...scenario, overlay: { ...scenario.overlay, links } };
}

function childrenOf(tree: TreeWork, node: string): string[] {
  return [...tree.parents].filter(([, parent]) => parent === node).map(([child]) => child);
}

/** Who has most children when it is to go: the same run up to there. */
function busiest(scenario: Overcast, algorithm: string, seed: number): string {
  const run = openOverlay(scenario, seed, algorithm);
  const tree: TreeWork = workOf(run.overlay, "tree");
  run.runUntil(run.startNs + KILLED_SEC * NANOS_PER_SEC);
  const [, ...others] = scenario.overlay.nodes;
  return others.reduce((most, node) =>
    childrenOf(tree, node).length > childrenOf(tree, most).length ? node : most,
  );
}

function measure(name: TreeName, algorithm: string, seed: number): Row {
  const plain = overlayScenario(NAME, ({ policy }) =>
    name === "star" ? { policy: { ...policy!, kind: "fixed" } } : {},
  );
  const killed = name === "tree" ? busiest(plain, algorithm, seed) : undefined;
  const run = openOverlay(killed === undefined ? plain : without(plain, killed), seed, algorithm);
  const tree: TreeWork = workOf(run.overlay, "tree");
  run.runUntil(run.startNs + KILLED_SEC * NANOS_PER_SEC);
  const orphans = killed === undefined ? [] : childrenOf(tree, killed);
  run.runUntil(run.endNs);
  /** Whether it lost its parent or left it by choice: the first one after it. */
  const found = orphans.flatMap((node) => {
    const moves = [
      ...tree.reattachments.map(({ node: child, parent, atSec }) => ({ child, parent, atSec })),
      ...tree.decisions
        .filter(({ isMove }) => isMove)
        .map(({ node: child, chosen: parent, atSec }) => ({ child, parent, atSec })),
    ].filter(({ child, atSec }) => child === node && atSec > KILLED_SEC);
    moves.sort((a, b) => a.atSec - b.atSec);
    const [first] = moves;
    return first === undefined ? [] : [{ node, parent: first.parent, afterSec: first.atSec - KILLED_SEC }];
  });
  return {
    tree: name,
    samples: tree.samples.filter(({ node }) => node !== killed).map(({ atSec, mbps }) => ({ atSec, mbps })),
    decisions: tree.decisions,
    ...(killed !== undefined && { killed }),
    orphans: found,
    lost: killed === undefined ? [] : childrenOf(tree, killed),
  };
}

/** Of decisions with several within 10 % of the best: the share whose choice has the fewest links of them. */
function fewestLinks(decisions: readonly ParentDecision[]): {
  readonly count: number;
  readonly share: number;
} {
  const open = decisions.flatMap(({ candidates, chosen }) => {
    const best = Math.max(...candidates.map(({ mbps }) => mbps));
    const good = candidates.filter(({ mbps }) => mbps > 0 && mbps >= 0.9 * best);
    if (good.length < 2) return [];
    const own = good.find(({ node }) => node === chosen);
    return [own !== undefined && own.links === Math.min(...good.map(({ links }) => links))];
  });
  return { count: open.length, share: open.filter(Boolean).length / open.length };
}

export const overcast: Experiment = experiment({
  name: NAME,
  summary:
    "60 nodes find a tree by measured bandwidth: fewer links where it is the same, and a parent that goes",
  source: "ccpark, scenario overcast-60; inspired by Jannotti et al., OSDI 2000 (Overcast)",
  options: OVERLAY_OPTIONS,
  count: () => TREES.length,
  *run({ algorithm, seed }): Generator<Row> {
    for (const tree of TREES) yield measure(tree, algorithm, seed);
  },
  describe: ({ tree }) => tree,
  report(rows) {
    const of = (tree: TreeName): Row => rows.find((row) => row.tree === tree)!;
    const mbps = (tree: TreeName): number =>
      mean(
        of(tree)
          .samples.filter(({ atSec }) => atSec > SETTLED_SEC)
          .map((sample) => sample.mbps),
      );
    const table = new Table({ ...PLAIN_TABLE, head: ["", "mean\nMbit/s", "decisions", "moves"] });
    for (const { tree, decisions } of rows) {
      const moves = decisions.filter(({ isMove }) => isMove).length;
      table.push([tree, mbps(tree).toFixed(3), decisions.length, moves]);
    }
    const { killed, orphans, lost, decisions } = of("tree");
    const left = orphans.map(
      ({ node, parent, afterSec }) => `${node} to ${parent} after ${afterSec.toFixed(1)} s`,
    );
    const chosen = fewestLinks(decisions);
    const values = rows.flatMap(({ tree, samples }) => {
      const bins = Math.ceil(Math.max(...samples.map(({ atSec }) => atSec)) / BIN_SEC);
      return Array.from({ length: bins }, (_, i) => {
        const within = samples.filter(({ atSec }) => Math.ceil(atSec / BIN_SEC) === i + 1);
        return { name: tree, atSec: (i + 1) * BIN_SEC, mbps: mean(within.map((sample) => sample.mbps)) };
      });
    });
    return {
      text: `${table.toString()}\nA stream of 1 Mbit/s for 60 nodes, one more each second; means after ${SETTLED_SEC} s. ${killed} had most children and goes at ${KILLED_SEC} s: ${left.join(", ")}. Leases of 10 s.\n`,
      claims: [
        judge({
          claim: `of ${chosen.count} decisions with several within 10 % of the best, those for the fewest links`,
          published: "fewer hops win",
          measured: chosen.share,
          unit: "1",
          threshold: { low: 1 },
        }),
        judge({
          claim: "until the last child of a killed parent is attached again",
          published: "within its lease",
          measured: Math.max(...orphans.map(({ afterSec }) => afterSec)),
          unit: "s",
          threshold: { high: 10 },
        }),
        judge({
          claim: "children that the killed parent still has at the end",
          published: "none",
          measured: lost.length,
          unit: "nodes",
          threshold: { high: 0 },
        }),
        judge({
          claim: "mean goodput of the tree by that of the star",
          measured: mbps("tree") / mbps("star"),
          unit: "1",
          threshold: { low: 1.5 },
        }),
      ],
      figure: page({ title: "A tree that nodes find" }, TREES, [
        lines(TREES, {
          title: "mean of all nodes",
          values,
          x: axis({ field: "atSec", title: "Time, s" }),
          y: axis({ field: "mbps", title: "Mbit/s" }),
          width: 480,
        }),
      ]),
    };
  },
});
