/**
 * A tree as a datapath program: it counts ACKs, and once per round trip (or interval) computes the features that the tree looks at,
 * walks the tree and sets the window. It never reports, so no agent has anything to answer.
 *
 * The language has no branches but eager `if`s, so leaves become a list of binds, `(:= Report.gain (if CONDITION g))`, of which the last that
 * holds counts. Of each split only the side with fewer leaves tests: the other was decided by those that did not hold. So a leaf
 * tests at most log2(leaves) times.
 */
import { CompileError } from "../../ccp-bridge/lang/compile-error.ts";
import { compileProgram } from "../../ccp-bridge/lang/compiler.ts";
import { MAX_INSTRUCTIONS } from "../../ccp-bridge/program.ts";
import { MICROS_PER_SEC } from "../../core/units.ts";
import { FEATURES, HELD, ONE, RATE_WINDOW_US } from "./features.ts";
import { countLeaves, featuresIn, type TreeNode } from "./tree.ts";

/** Leaves that always fit into the language's 8 intermediate results: 4 tests and the 3 products between them. */
export const MAX_LEAVES = 31;

/** Register of a feature. */
function register(feature: number): string {
  const { name } = FEATURES[feature]!;
  return HELD[name] ?? name;
}

interface Test {
  readonly register: string;
  readonly operator: "<" | ">";
  readonly bound: number;
}

interface Leaf {
  readonly gain: number;
  readonly tests: readonly Test[];
}

/** Of two tests of one kind the later, which is the stricter, is enough. */
function withTest(tests: readonly Test[], test: Test): Test[] {
  const isOther = ({ register: name, operator }: Test): boolean =>
    name !== test.register || operator !== test.operator;
  return [...tests.filter(isOther), test];
}

/** Leaves with the tests that tell them from those that come before in the list; most binding last. */
function leafList(tree: TreeNode, tests: readonly Test[]): Leaf[] {
  if ("gain" in tree) return [{ gain: tree.gain, tests }];
  const { feature, threshold, below, from } = tree;
  const name = register(feature);
  if (countLeaves(below) <= countLeaves(from)) {
    const test: Test = { register: name, operator: "<", bound: threshold };
    return [...leafList(from, tests), ...leafList(below, withTest(tests, test))];
  }
  const test: Test = { register: name, operator: ">", bound: threshold - 1 };
  return [...leafList(below, tests), ...leafList(from, withTest(tests, test))];
}

function bindOf({ gain, tests }: Leaf): string {
  if (tests.length === 0) return `(:= Report.gain ${gain})`;
  const condition = tests
    .map(({ register: name, operator, bound }) => `(${operator} ${name} ${bound})`)
    .reduce((left, right) => `(&& ${left} ${right})`);
  return `(:= Report.gain (if ${condition} ${gain}))`;
}

/** What features are computed from features. */
const NEEDS: Readonly<Record<string, string>> = {
  lastQueueRatio: "queueRatio",
  lastDelivery: "delivery",
  lastFill: "fill",
};

export interface TreeProgramOptions {
  /** absent: once per round trip */
  readonly everyUs?: number;
  /** whether the window is spread over a round trip, as of a policy that paces; default false */
  readonly isPaced?: boolean;
  /** reports at each decision, with these registers beside its own: to look into it */
  readonly report?: readonly string[];
}

/** Names of control variables that whoever installs the program sets: window at the start, its limits, bytes. */
export const START_FIELDS = ["window", "least", "most"] as const;

export function treeProgram(
  tree: TreeNode,
  { everyUs, isPaced = false, report = [] }: TreeProgramOptions = {},
): string {
  const used = new Set([...featuresIn(tree)].map((feature) => FEATURES[feature]!.name));
  for (const name of [...used]) if (NEEDS[name] !== undefined) used.add(NEEDS[name]);
  const computed = FEATURES.filter(({ name }) => used.has(name) && HELD[name] === undefined);
  const needsRate = used.has("maxRate") || used.has("delivery") || used.has("fill");
  const features = computed.map(({ name, expression }) => `(:= ${name} ${expression})`);
  const rate = [
    "(:= sinceUs (+ sinceUs Micros))",
    "(:= maxNow (max maxNow Report.rateIn))",
    "(:= Report.maxRate (max maxNow maxBefore))",
    `(:= maxBefore (if (> sinceUs ${RATE_WINDOW_US}) maxNow))`,
    `(:= maxNow (if (> sinceUs ${RATE_WINDOW_US}) 0))`,
    `(:= sinceUs (if (> sinceUs ${RATE_WINDOW_US}) 0))`,
  ];
  const controls = [
    ...["(window 14480)", "(least 2896)", "(most 6950400)"],
    ...(needsRate ? ["(sinceUs 0)", "(maxNow 0)", "(maxBefore 0)"] : []),
    ...computed.map(({ name }) => `(${name} 0)`),
  ];
  const due = everyUs === undefined ? "(> Micros Report.rtt)" : `(> Micros ${everyUs - 1})`;
  const isReporting = report.length > 0;
  const counter = (name: string): string => `(${isReporting ? "volatile " : ""}${name} 0)`;
  const counters = ["delivered", "lost", "rttSum"];
  const outs = report.map((name) => ({ out: `out.${name.replace(/^Report\./, "")}`, name }));
  return `(def
  (Report ${counters.map(counter).join(" ")} (rtt 0) (minRtt +infinity) (rateIn 0) (meanRtt 0) (maxRate 0) (gain ${ONE})${outs.map(({ out }) => ` (${out} 0)`).join("")})
  ${controls.join(" ")}
)
(when true
  (:= Report.delivered (+ Report.delivered (+ Ack.packets_acked Ack.packets_misordered)))
  (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
  (:= Report.rttSum (+ Report.rttSum (* Flow.rtt_sample_us (+ Ack.packets_acked Ack.packets_misordered))))
  (:= Report.rtt (if (< Flow.rtt_sample_us +infinity) Flow.rtt_sample_us))
  (:= Report.minRtt (min Report.minRtt Flow.rtt_sample_us))
  (:= Report.rateIn Flow.rate_incoming)
  (fallthrough)
)
(when (&& ${due} (> Report.rtt 0))
  ${[
    "(:= Report.meanRtt (max Report.minRtt (/ Report.rttSum (max Report.delivered 1))))",
    ...outs.filter(({ name }) => name === "Micros").map(({ out, name }) => `(:= Report.${out} ${name})`),
    ...(needsRate ? rate : []),
    ...features,
    ...leafList(tree, []).map(bindOf),
    `(:= window (max least (min most (/ (* window Report.gain) ${ONE}))))`,
    "(:= Cwnd window)",
    ...(isPaced ? [`(:= Rate (/ (* window ${MICROS_PER_SEC}) Report.meanRtt))`] : []),
    ...outs.filter(({ name }) => name !== "Micros").map(({ out, name }) => `(:= Report.${out} ${name})`),
    ...(isReporting ? ["(report)"] : counters.map((name) => `(:= Report.${name} 0)`)),
    "(:= Micros 0)",
  ].join("\n  ")}
)
`;
}

/** @returns undefined where it has more than any datapath could hold */
export function countInstructions(program: string): number | undefined {
  try {
    return compileProgram(program).instructions.length;
  } catch (error) {
    if (error instanceof CompileError && error.message.includes(`at most ${MAX_INSTRUCTIONS}`))
      return undefined;
    throw error;
  }
}
