/**
 * A tree as a datapath program: it counts ACKs, and once per round trip (or interval) computes the features that the tree looks at,
 * walks the tree and sets the window, and the pacing rate of a policy that paces. It never reports, so no agent has anything to answer.
 *
 * The language has no branches but eager `if`s, so leaves become a list of binds, `(:= leaf (if CONDITION v))`, of which the last that
 * holds counts. Of each split only the side with fewer leaves tests: the other was decided by those that did not hold. So a leaf
 * tests at most log2(leaves) times.
 */
import { CompileError } from "../../ccp-bridge/lang/compile-error.ts";
import { compileProgram } from "../../ccp-bridge/lang/compiler.ts";
import { MAX_INSTRUCTIONS } from "../../ccp-bridge/program.ts";
import { CcparkError } from "../../core/errors.ts";
import type { TreeForm } from "./features.ts";
import { neededFor, type Statement } from "./statements.ts";
import { countLeaves, featuresIn, type TreeNode } from "./tree.ts";

/** Leaves that always fit into the language's 8 intermediate results: 4 tests and the 3 products between them. */
export const MAX_LEAVES = 31;

interface Test {
  readonly name: string;
  readonly operator: "<" | ">";
  readonly bound: number;
}

interface Leaf {
  readonly value: number;
  readonly tests: readonly Test[];
}

/** Of two tests of one kind the later, which is the stricter, is enough. */
function withTest(tests: readonly Test[], test: Test): Test[] {
  const isOther = ({ name, operator }: Test): boolean => name !== test.name || operator !== test.operator;
  return [...tests.filter(isOther), test];
}

/** Register of a feature. */
function registerOf(form: TreeForm, feature: number): string {
  const { name, register = name } = form.features[feature]!;
  return register;
}

/** Leaves with the tests that tell them from those that come before in the list; most binding last. */
function leafList(form: TreeForm, tree: TreeNode, tests: readonly Test[]): Leaf[] {
  if ("value" in tree) return [{ value: tree.value, tests }];
  const { feature, threshold, below, from } = tree;
  const name = registerOf(form, feature);
  if (countLeaves(below) <= countLeaves(from)) {
    const test: Test = { name, operator: "<", bound: threshold };
    return [...leafList(form, from, tests), ...leafList(form, below, withTest(tests, test))];
  }
  const test: Test = { name, operator: ">", bound: threshold - 1 };
  return [...leafList(form, below, tests), ...leafList(form, from, withTest(tests, test))];
}

export interface TreeProgramOptions {
  readonly form: TreeForm;
  /** absent: once per round trip */
  readonly everyUs?: number;
  /** reports at each decision, with these registers beside its own counters: to look into it */
  readonly report?: readonly string[];
}

/** Names of control variables that whoever installs the program sets: window at the start, its limits, bytes. */
export const START_FIELDS: Readonly<Record<"window" | "least" | "most", number>> = {
  window: 14_480,
  least: 2896,
  most: 6_950_400,
};
/** Counted from ACK to ACK, in report variables; of the last two the newest and the least. */
const COUNTERS = ["delivered", "lost", "rttSum"];
const HELD = ["rtt", "minRtt"];
/** As many as an encoding of Portus has of each. */
const [MAX_VARIABLES, MAX_LOCALS] = [16, 6];

/** Where names live. Locals come last: the compiler warns of each, and what is kept from run to run or bound on a condition cannot be one. */
class Places {
  readonly reports: string[] = [...COUNTERS, ...HELD];
  readonly controls: string[] = Object.keys(START_FIELDS);

  constructor(statements: readonly Statement[], leaf: string, outs: number) {
    const seen = new Set<string>();
    const lasting = new Set([leaf]);
    for (const { target, reads, isPartial } of statements) {
      if (isPartial) lasting.add(target);
      // read before it was bound: of the decision before
      for (const name of reads) if (!seen.has(name)) lasting.add(name);
      seen.add(target);
    }
    const own = ["Cwnd", "Rate", ...this.reports, ...this.controls];
    const placed = [...new Set([leaf, ...seen])].filter((name) => !own.includes(name));
    let locals = 0;
    for (const isLasting of [true, false]) {
      for (const name of placed) {
        if (lasting.has(name) !== isLasting) continue;
        if (this.controls.length < MAX_VARIABLES) this.controls.push(name);
        else if (this.reports.length + outs < MAX_VARIABLES) this.reports.push(name);
        else if (isLasting || ++locals > MAX_LOCALS)
          throw new CcparkError(
            "invalid-argument",
            "[distill] tree: it needs more variables than a program has",
          );
      }
    }
  }

  readonly register = (name: string): string => (this.reports.includes(name) ? `Report.${name}` : name);
}

export function treeProgram(tree: TreeNode, { form, everyUs, report = [] }: TreeProgramOptions): string {
  const wanted = new Set([...featuresIn(tree)].map((feature) => registerOf(form, feature)));
  for (const name of ["window", "Cwnd", "Rate", ...report]) wanted.add(name);
  const needed = new Set(neededFor([...form.statements, ...form.outputs], wanted));
  const before = form.statements.filter((statement) => needed.has(statement));
  const after = form.outputs.filter((statement) => needed.has(statement));
  const { reports, controls, register } = new Places([...before, ...after], form.leaf, report.length);
  const isReporting = report.length > 0;
  const initialOf = (name: string): string =>
    name === "minRtt" ? "+infinity" : String({ ...START_FIELDS, ...form.initials }[name] ?? 0);
  const declared = reports.map((name) => {
    const volatile = isReporting && COUNTERS.includes(name) ? "volatile " : "";
    return `(${volatile}${name} ${initialOf(name)})`;
  });
  const outs = report.map((name) => ({ out: `Report.out.${name}`, name }));
  const bound = new Set([form.leaf, ...[...before, ...after].map(({ target }) => target)]);
  const given = outs.filter(({ name }) => !bound.has(name));
  const made = outs.filter(({ name }) => bound.has(name));
  const copied = ({ out, name }: { readonly out: string; readonly name: string }): string =>
    `(:= ${out} ${register(name)})`;
  const bindOf = ({ value, tests }: Leaf): string => {
    const leaf = register(form.leaf);
    if (tests.length === 0) return `(:= ${leaf} ${value})`;
    const condition = tests
      .map(({ name, operator, bound }) => `(${operator} ${register(name)} ${bound})`)
      .reduce((left, right) => `(&& ${left} ${right})`);
    return `(:= ${leaf} (if ${condition} ${value}))`;
  };
  const due = everyUs === undefined ? "(> Micros Report.rtt)" : `(> Micros ${everyUs - 1})`;
  return `(def
  (Report ${[...declared, ...outs.map(({ out }) => `(${out.replace("Report.", "")} 0)`)].join(" ")})
  ${controls.map((name) => `(${name} ${initialOf(name)})`).join(" ")}
)
(when true
  (:= Report.delivered (+ Report.delivered (+ Ack.packets_acked Ack.packets_misordered)))
  (:= Report.lost (+ Report.lost Ack.lost_pkts_sample))
  (:= Report.rttSum (+ Report.rttSum (* Flow.rtt_sample_us (+ Ack.packets_acked Ack.packets_misordered))))
  (:= Report.rtt (if (< Flow.rtt_sample_us +infinity) Flow.rtt_sample_us))
  (:= Report.minRtt (min Report.minRtt Flow.rtt_sample_us))
  (fallthrough)
)
(when (&& ${due} (> Report.rtt 0))
  ${[
    ...given.map(copied),
    ...before.map((statement) => statement.print(register)),
    ...leafList(form, tree, []).map(bindOf),
    ...after.map((statement) => statement.print(register)),
    ...made.map(copied),
    ...(isReporting ? ["(report)"] : COUNTERS.map((name) => `(:= Report.${name} 0)`)),
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
