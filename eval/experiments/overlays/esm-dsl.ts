/** A receiver with a slow uplink feeds another: what that one gets, while it stays and when it may look for a better parent. */
import Table from "cli-table3";
import { NANOS_PER_SEC } from "../../../core/units.ts";
import { workOf } from "../../../testbeds/overlays/overlay.ts";
import type { TreeWork } from "../../../testbeds/overlays/works/tree/tree.ts";
import { mean } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { OVERLAY_OPTIONS, openOverlay, overlayScenario } from "./run.ts";

const NAME = "esm-dsl-4";
const POLICIES = ["fixed", "max-throughput"] as const;
type Policy = (typeof POLICIES)[number];
const BEHIND = "h1";
/** The tree has settled. */
const SETTLED_SEC = 20;

interface Row {
  readonly policy: Policy;
  readonly node: string;
  readonly atSec: number;
  readonly mbps: number;
  /** at the end of the run */
  readonly parent: string;
}

function* measure(policy: Policy, algorithm: string, seed: number): Generator<Row> {
  const scenario = overlayScenario(NAME, (overlay) => ({ policy: { ...overlay.policy!, kind: policy } }));
  const run = openOverlay(scenario, seed, algorithm);
  const tree: TreeWork = workOf(run.overlay, "tree");
  run.runUntil(run.startNs + scenario.durationSec * NANOS_PER_SEC);
  for (const { node, atSec, mbps } of tree.samples)
    yield { policy, node, atSec, mbps, parent: tree.parents.get(node)! };
}

export const esmDsl: Experiment = experiment({
  name: NAME,
  summary: "a receiver behind a slow uplink: 0.5 Mbit/s of 2 while it stays there, all of it when it moves",
  source: "ccpark, scenario esm-dsl-4; inspired by Chu et al., SIGCOMM 2001 (end system multicast)",
  options: OVERLAY_OPTIONS,
  count: () => POLICIES.length * 90,
  *run({ algorithm, seed }): Generator<Row> {
    for (const policy of POLICIES) yield* measure(policy, algorithm, seed);
  },
  describe: ({ policy, node }) => `${policy}, ${node}`,
  report(rows) {
    const nodes = [...new Set(rows.map(({ node }) => node))];
    const of = (policy: Policy, node: string): readonly Row[] =>
      rows.filter((row) => row.policy === policy && row.node === node);
    const mbps = (policy: Policy, node: string): number =>
      mean(
        of(policy, node)
          .filter(({ atSec }) => atSec > SETTLED_SEC)
          .map((row) => row.mbps),
      );
    const table = new Table({ ...PLAIN_TABLE, head: ["policy", "node", "parent", "Mbit/s"] });
    for (const policy of POLICIES)
      for (const node of nodes)
        table.push([policy, node, of(policy, node)[0]!.parent, mbps(policy, node).toFixed(3)]);
    const names = POLICIES.map((policy) => `${BEHIND}, ${policy}`);
    const values = rows
      .filter(({ node }) => node === BEHIND)
      .map(({ policy, atSec, mbps: rate }) => ({ name: `${BEHIND}, ${policy}`, atSec, mbps: rate }));
    return {
      text: `${table.toString()}\nPayload after ${SETTLED_SEC} s, of a stream of 2 Mbit/s; the uplink of \`dsl\` has 512 kbit/s.\n`,
      claims: [
        judge({
          claim: "behind the slow uplink",
          published: "0.45 to 0.5",
          measured: mbps("fixed", BEHIND),
          unit: "Mbit/s",
          threshold: { low: 0.45, high: 0.5 },
        }),
        judge({
          claim: "the slowest receiver of a tree that adapts",
          published: "at least 1.8",
          measured: Math.min(...nodes.map((node) => mbps("max-throughput", node))),
          unit: "Mbit/s",
          threshold: { low: 1.8 },
        }),
      ],
      figure: page({ title: "Behind a slow uplink" }, names, [
        lines(names, {
          title: `what ${BEHIND} gets`,
          values,
          x: axis({ field: "atSec", title: "Time, s" }),
          y: axis({ field: "mbps", title: "Mbit/s" }),
          width: 420,
        }),
      ]),
    };
  },
});
