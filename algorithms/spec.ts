/**
 * An algorithm as data: what it is, what it reads, which of its constants may be varied, and how one with given constants
 * is made. Everything that lists, explains or runs algorithms reads these; a user's module has one as default export.
 */
import type { CcpAlgorithm } from "../ccp-bridge/agent/algorithm.ts";
import type { CongestionControlFactory } from "../ccp-bridge/congestion-control.ts";
import { CcparkError, Mistakes, unknownName } from "../core/errors.ts";

export interface AlgorithmParam {
  readonly name: string;
  /** `1`: none */
  readonly unit: string;
  /** inclusive, as `high` */
  readonly low: number;
  readonly high: number;
  readonly default: number;
  /** what it does, why this default, and its source */
  readonly why: string;
  /** only whole numbers; a switch is 0 or 1 */
  readonly whole?: true;
  /** what the numbers from 0 to `high` mean, where they stand for names: users write and read the names */
  readonly choices?: readonly string[];
  /** may change while a flow lives (`CcpFlow.onParams`): scenario files by time, `ccpark agent` by message */
  readonly live?: true;
}

/** A value for each parameter of the spec. */
export type ParamValues = Readonly<Record<string, number>>;

/** What an algorithm decides by. */
export type Signal = "loss" | "timeout" | "rtt" | "delivery-rate" | "ecn" | "packets" | "nothing";

export interface AlgorithmSpec {
  /** lower case letters, digits and hyphens */
  readonly name: string;
  /** one sentence: what it reacts to and how */
  readonly summary: string;
  readonly source: string;
  readonly reads: readonly Signal[];
  readonly params: readonly AlgorithmParam[];
  /** One sentence where values that are right one by one do not fit together. */
  readonly refuses?: (params: ParamValues) => string | undefined;
  /** over CCP: datapath program and reactions; runs on any datapath */
  readonly ccp?: (params: ParamValues) => CcpAlgorithm;
  /** in the datapath, without an agent */
  readonly native?: (params: ParamValues) => CongestionControlFactory;
  /** why it is not back at half of the link 10 s after an outage; absent: it is */
  readonly recovery?: string;
}

/** The values of all parameters where none is given. */
export function defaultParams({ params }: Pick<AlgorithmSpec, "params">): ParamValues {
  return Object.fromEntries(params.map((param) => [param.name, param.default]));
}

/** A value as users write it. */
export function paramText({ choices }: Pick<AlgorithmParam, "choices">, value: number): string {
  return choices?.[value] ?? String(value);
}

/** `alpha: 0 to 1000 packets`, for messages and help. */
export function paramRange({ low, high, unit, whole, choices }: AlgorithmParam): string {
  if (choices !== undefined) return `one of ${choices.join(", ")}`;
  const number = whole ? "a whole number from" : "a number from";
  return `${number} ${low} to ${high}${unit === "1" ? "" : ` ${unit}`}`;
}

/**
 * The values of all parameters, as text where they are given.
 * @throws CcparkError (invalid-argument, not-found) naming the parameter, its unit and range
 */
export function readParams(spec: AlgorithmSpec, given: ReadonlyMap<string, string>): ParamValues {
  const values: Record<string, number> = { ...defaultParams(spec) };
  for (const [name, text] of given) {
    const param = spec.params.find((each) => each.name === name);
    if (param === undefined) {
      const known = spec.params.map((each) => each.name);
      if (known.length > 0) throw unknownName("algorithm", `parameter of ${spec.name}`, name, known);
      throw new CcparkError(
        "invalid-argument",
        `[algorithm] ${spec.name} has no parameters, got \`${name}\``,
      );
    }
    if (param.choices !== undefined && !param.choices.includes(text)) {
      throw unknownName("algorithm", `${name} of ${spec.name}`, text, param.choices);
    }
    const value = param.choices?.indexOf(text) ?? (text.trim() === "" ? Number.NaN : Number(text));
    const isRight = value >= param.low && value <= param.high && (!param.whole || Number.isInteger(value));
    if (!isRight) {
      const message = `${spec.name}: ${name}: got \`${text}\`, expected ${paramRange(param)}`;
      throw new CcparkError("invalid-argument", `[algorithm] ${message}`);
    }
    values[name] = value;
  }
  const refused = spec.refuses?.(values);
  if (refused !== undefined) {
    throw new CcparkError("invalid-argument", `[algorithm] ${spec.name}: ${refused}`);
  }
  return values;
}

const NAME = /^[a-z][a-z0-9-]*$/;
const SIGNALS: readonly Signal[] = ["loss", "timeout", "rtt", "delivery-rate", "ecn", "packets", "nothing"];

function checkParams(params: readonly (Partial<AlgorithmParam> | null)[], mistakes: Mistakes): void {
  for (const [i, param] of params.entries()) {
    const at = `params.${i}`;
    if (typeof param?.name !== "string" || !/^[A-Za-z]\w*$/.test(param.name)) {
      mistakes.add(`${at}.name`, "a letter, then letters, digits and underscores");
    }
    if (typeof param?.unit !== "string" || typeof param.why !== "string")
      mistakes.add(at, "a unit and a why");
    const { low, high, default: preset, choices } = param ?? {};
    if (!(Number.isFinite(low) && Number.isFinite(high) && preset! >= low! && preset! <= high!)) {
      mistakes.add(at, "numbers low <= default <= high");
    }
    if (choices !== undefined && !(Array.isArray(choices) && low === 0 && high === choices.length - 1)) {
      mistakes.add(`${at}.choices`, "a name for each number from low, 0, to high");
    }
  }
}

/**
 * Checks what a module calls an AlgorithmSpec.
 * @param where for messages, such as the module's path
 * @throws CcparkError (invalid-argument) naming the fields that are wrong
 */
export function checkSpec(input: unknown, where: string): AlgorithmSpec {
  const mistakes = new Mistakes("algorithm", where);
  const spec = mistakes.expectObject<AlgorithmSpec>(input, "an AlgorithmSpec");
  if (typeof spec.name !== "string" || !NAME.test(spec.name)) {
    mistakes.add("name", "lower case letters, digits and hyphens, such as `mine`");
  }
  if (typeof spec.summary !== "string") mistakes.add("summary", "one sentence");
  if (typeof spec.source !== "string") mistakes.add("source", "where it is from");
  const { reads, params } = spec;
  if (!Array.isArray(reads) || !reads.every((each) => SIGNALS.includes(each))) {
    mistakes.add("reads", `a list of ${SIGNALS.join(", ")}`);
  }
  if (!Array.isArray(params)) mistakes.add("params", "a list, empty where there are none");
  else checkParams(params, mistakes);
  if (typeof spec.ccp !== "function" && typeof spec.native !== "function") {
    mistakes.add("ccp, native", "at least one of them, a function of the parameters");
  }
  mistakes.tell();
  return input as AlgorithmSpec;
}
