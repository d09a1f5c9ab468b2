/**
 * A flow whose two ends are stacks of chunnels (`transport/`) instead of the engine's sender and receiver: a list, top first, as
 * `ccpark stack draw` takes it. Its `cc` is the flow's algorithm; flows whose `cc` names the same group share one window, which
 * is that of the first of them in the scenario's order.
 */
import * as z from "zod";
import { text } from "../schema/ranges.ts";
import { type Complaints, complain, type Schema } from "../schema/shapes.ts";

export type ChunnelEntry = string | { readonly chunnel: string; readonly [option: string]: unknown };

/** Top first; the last is `simulated`. */
export type StackSpec = readonly ChunnelEntry[];

/** Far more than any order of chunnels that says something. */
const MAX_CHUNNELS = 32;
const BASE = "simulated";
const CONTROL = "cc";

function nameOf(entry: ChunnelEntry): string {
  return typeof entry === "string" ? entry : entry.chunnel;
}

function controlAt(stack: StackSpec): number {
  return stack.findIndex((entry) => nameOf(entry) === CONTROL);
}

/** The group whose window the flow shares; undefined: it has its own. */
export function stackGroup(stack: StackSpec | undefined): string | undefined {
  const control = stack?.[controlAt(stack)];
  if (control === undefined || typeof control === "string") return undefined;
  const { group } = control;
  return typeof group === "string" && group !== "" ? group : undefined;
}

export const STACK_SCHEMA: Schema = z
  .array(
    z.union([text, z.looseObject({ chunnel: text })], {
      error: 'a name of a chunnel, or { "chunnel": NAME, ...options }',
    }),
    { error: `a list of chunnels, top first, the last of them \`${BASE}\`` },
  )
  .min(1)
  .max(MAX_CHUNNELS)
  .superRefine((value, complaints) => {
    const stack = value as StackSpec;
    if (stack.length === 0) return;
    if (nameOf(stack[stack.length - 1]!) !== BASE)
      complain(complaints, [stack.length - 1], `\`${BASE}\` at the end: the stack is in the simulator`);
    const controls = stack.filter((entry) => nameOf(entry) === CONTROL).length;
    const at = controlAt(stack);
    if (controls !== 1) complain(complaints, [], `one \`${CONTROL}\` in it, which the flow's algorithm is`);
    else if (typeof stack[at] === "object" && "algorithm" in stack[at])
      complain(complaints, [at, "algorithm"], "none: it is the flow's `algorithm`");
  });

/** A flow as far as its stack is concerned. */
export interface StackFlow {
  /** where it is in the scenario; empty: the flow under test */
  readonly at: readonly (string | number)[];
  readonly stack?: StackSpec | undefined;
  readonly algorithm: string;
  readonly startSec?: number | undefined;
  readonly startJitterSec?: number | undefined;
  /** what a stack cannot have beside it, by its name; undefined: absent */
  readonly others: Readonly<Record<string, unknown>>;
}

/** Who shares a window has the algorithm of the first, and starts no earlier. @param flows in the scenario's order */
export function checkStacks(complaints: Complaints, flows: readonly StackFlow[]): void {
  const firsts = new Map<string, StackFlow>();
  for (const flow of flows) {
    if (flow.stack === undefined) continue;
    for (const [name, value] of Object.entries(flow.others)) {
      if (value !== undefined) complain(complaints, [...flow.at, name], "none beside `stack`");
    }
    const group = stackGroup(flow.stack);
    if (group === undefined) continue;
    const first = firsts.get(group);
    if (first === undefined) firsts.set(group, flow);
    else if (flow.algorithm !== first.algorithm)
      complain(
        complaints,
        [...flow.at, "algorithm"],
        `\`${first.algorithm}\`, as of the first flow of group ${group}`,
      );
    else if ((flow.startSec ?? 0) < (first.startSec ?? 0) + (first.startJitterSec ?? 0))
      complain(
        complaints,
        [...flow.at, "startSec"],
        `no start before that of the first flow of group ${group}`,
      );
  }
}
