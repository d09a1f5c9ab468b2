/** What the owner of a flow changes while it lives: parameters of its algorithm, such as a priority, at points of time. */
import * as z from "zod";
import { anyTimeSec, list, text } from "../schema/ranges.ts";
import { complain, fields, type Schema, withRule } from "../schema/shapes.ts";

export interface ParameterChange {
  /** from the start of the flow under test; before the flow's own start: from its start on */
  readonly atSec: number;
  /** by name; the algorithm says which may change, and their ranges */
  readonly params: Readonly<Record<string, number>>;
}

const CHANGES = list(
  fields<ParameterChange>({
    atSec: anyTimeSec,
    params: z
      .record(text, z.number())
      .refine((params) => Object.keys(params).length > 0, { error: "at least one parameter" }),
  }),
);

/** In the order of time. */
export const PARAMETER_CHANGES_SCHEMA: Schema = withRule<ParameterChange[]>(
  CHANGES,
  (changes, complaints) => {
    for (let i = 1; i < changes.length; i++) {
      const beforeSec = changes[i - 1]!.atSec;
      if (changes[i]!.atSec > beforeSec) continue;
      complain(complaints, [i, "atSec"], `more than ${beforeSec}, the time of the change before`);
      return;
    }
  },
);
