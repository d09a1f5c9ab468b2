/** Rewards that are formulas over the facts of a step (`facts.ts`): known by their text, wherever a name is taken. */
import { CcparkError, nearestName, unknownName } from "../../core/errors.ts";
import { compileFormula, type Formula, type Owner, type Variable } from "../../core/formula.ts";
import { isModuleFile } from "../../core/module-path.ts";
import { emptyInterval, type Interval } from "./interval.ts";

const OWNER: Owner = { part: "env", what: "reward", listedBy: "ccpark explain facts" };

/** Steps that every formula must survive: silence before the first RTT, and the usual. */
export const PROBES: readonly Interval[] = [
  { ...emptyInterval(1448), stepUs: 100_000 },
  {
    ...emptyInterval(1448),
    report: true,
    stepUs: 100_000,
    ackedBytes: 144_800,
    ackedPackets: 100,
    lostPackets: 1,
    inflightPackets: 100,
    rttUs: 62_000,
    meanRttUs: 60_000,
    minRttUs: 50_000,
    sendRateBytesPerSec: 1_500_000,
    deliveryRateBytesPerSec: 1_448_000,
  },
];

/** What a formula's reward has, whatever it is a function of. */
interface FormulaReward<S> {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly definition: string;
  readonly source: string;
  readonly components: readonly {
    readonly name: string;
    readonly definition: string;
    of(subject: S): number;
  }[];
  of(subject: S): number;
}

/** No fact's name is longer. */
const LONGEST_NAME = 100;
/** An identifier, or several with hyphens between, as names of rewards are. */
const NAME = /^[A-Za-z]\w*(-\w+)*$/;

/**
 * The reward that a name stands for which no registry has.
 * @param known names of rewards
 * @throws CcparkError (not-found) for a name that is neither, and a wrong name in a formula; (invalid-argument) for what is
 *   no formula, or has no finite value in one of the probes
 */
export function formulaReward<S>(
  text: string,
  variables: readonly Variable<S>[],
  known: readonly string[],
  probes: readonly S[],
): FormulaReward<S> {
  const facts = variables.map(({ name }) => name);
  const isName =
    NAME.test(text) && !text.split("-").every((part) => facts.includes(part) || /^\d/.test(part));
  if (isModuleFile(text) || text.trim() === "") throw unknownName("env", "reward", text, known, "reward");
  if (isName && (text.length > LONGEST_NAME || nearestName(text, known) !== undefined))
    throw unknownName("env", "reward", text, known, "reward");
  const formula = compileFormula(text, variables, OWNER);
  const of = finite(formula);
  for (const probe of probes) of(probe);
  return {
    name: text,
    low: Number.NEGATIVE_INFINITY,
    high: Number.POSITIVE_INFINITY,
    definition: text,
    source: "a formula",
    components: formula.terms.map((term, i) => ({
      name: `term${i + 1}`,
      definition: term.text,
      of: term.of,
    })),
    of,
  };
}

/** What has no value is its author's to mend: it is named, with what it was made of. */
function finite<S>({ text, variables, of }: Formula<S>): (subject: S) => number {
  return (subject) => {
    const value = of(subject);
    if (Number.isFinite(value)) return value;
    const facts = variables.map((variable) => `${variable.name} = ${variable.of(subject)}`);
    const where = facts.length === 0 ? "" : ` where ${facts.join(", ")}`;
    throw new CcparkError(
      "invalid-argument",
      `[env] reward \`${text}\`: got ${value}${where}, expected a finite number: max(x, 1) keeps x away from 0`,
      { field: "reward" },
    );
  };
}
