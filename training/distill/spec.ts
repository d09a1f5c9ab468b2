/** A tree's program as an algorithm, in this process and as the text of a module that needs nothing of ours. */
import type { AlgorithmSpec } from "../../algorithms/spec.ts";

export interface TreeSpecOptions {
  /** lower case letters, digits and hyphens */
  readonly name: string;
  readonly program: string;
  readonly maxCwndPackets: number;
  readonly summary?: string;
  readonly source?: string;
}

const SUMMARY =
  "a policy distilled into a decision tree, which the datapath walks by itself once per round trip";
const SOURCE = "ccpark distill";

export function treeSpec({
  name,
  program,
  maxCwndPackets,
  summary = SUMMARY,
  source = SOURCE,
}: TreeSpecOptions): AlgorithmSpec {
  return {
    name,
    summary,
    source,
    reads: ["rtt", "delivery-rate", "loss"],
    params: [],
    ccp: () => ({
      name,
      programs: { tree: program },
      newFlow(control, { mssBytes, initCwndBytes }) {
        control.setProgram("tree", {
          Cwnd: initCwndBytes,
          window: initCwndBytes,
          least: 2 * mssBytes,
          most: maxCwndPackets * mssBytes,
        });
        return { onReport() {} }; // the program never reports
      },
    }),
  };
}

/** Of a comment: no end of one. */
const said = (text: string): string => text.replaceAll("*/", "* /").replaceAll("\n", " ");

/**
 * The same as a module of JavaScript for `--algorithm ./FILE.js`.
 * @param facts lines for its head: where it is from, and what it loses
 */
export function treeModule(options: TreeSpecOptions, facts: readonly string[]): string {
  const { name, program, maxCwndPackets, summary = SUMMARY, source = SOURCE } = options;
  return `/**
${facts.map((fact) => ` * ${said(fact)}\n`).join("")} */
const PROGRAM = \`
${program.trimEnd()}
\`;

/** @type {import("ccpark/algorithms").AlgorithmSpec} */
export default {
  name: ${JSON.stringify(name)},
  summary: ${JSON.stringify(summary)},
  source: ${JSON.stringify(source)},
  reads: ["rtt", "delivery-rate", "loss"],
  params: [],
  ccp: () => ({
    name: ${JSON.stringify(name)},
    programs: { tree: PROGRAM },
    newFlow(control, { mssBytes, initCwndBytes }) {
      control.setProgram("tree", {
        Cwnd: initCwndBytes,
        window: initCwndBytes,
        least: 2 * mssBytes,
        most: ${maxCwndPackets} * mssBytes,
      });
      return { onReport() {} }; // the program never reports: the datapath decides by itself
    },
  }),
};
`;
}
