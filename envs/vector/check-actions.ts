/** Whether a step may be taken: checked of all rows before any moves, so a step that is refused has changed nothing. */
import { CcparkError } from "../../core/errors.ts";
import { boundsOf, checkFinite, noChoice } from "../spaces.ts";
import { NEW, type RowArrays, RUNNING } from "./arrays.ts";
import type { Autoreset } from "./block.ts";
import type { SlotEnvShape } from "./slots/slot-env.ts";

export interface RowRules {
  readonly shape: SlotEnvShape;
  readonly rows: RowArrays;
  readonly autoreset: Autoreset;
  /** an action outside the box is refused */
  readonly rejects: boolean;
}

/**
 * Looks at `actions` and `phase`.
 * @param field to blame
 * @throws CcparkError: failed-precondition for an environment that has to be reset first, invalid-argument for an action
 *   that is not finite, outside the box where that is refused, or none of the choices
 */
export function checkActions(rules: RowRules, field: string): void {
  const { shape, rejects } = rules;
  const { actions, live, phase } = rules.rows;
  const { low, high } = boundsOf(shape.actionSpace);
  const isDiscrete = shape.actionSpace.kind === "discrete";
  const refusesAbove = rejects || isDiscrete;
  const refusesBelow = refusesAbove || shape.refusesBelow;
  const slots = shape.flowIds.length;
  const width = low.length;
  for (let env = 0; env < phase.length; env++) {
    if (phase[env] !== RUNNING && isIgnored(env, rules)) continue;
    for (let row = env * slots; row < (env + 1) * slots; row++) {
      if (live[row] === 0) continue;
      for (let j = 0; j < width; j++) {
        const value = actions[row * width + j]!;
        const isRefused = (refusesBelow && value < low[j]!) || (refusesAbove && value > high[j]!);
        if (isRefused || !Number.isFinite(value) || (isDiscrete && !Number.isInteger(value))) {
          throw wrongAction(row, j, rules, field);
        }
      }
    }
  }
}

/**
 * Of an environment that does not run: the actions of one that is reset by this step are ignored.
 * @throws CcparkError failed-precondition
 */
function isIgnored(env: number, { rows, shape, autoreset }: RowRules): boolean {
  const what = shape.severalFlows ? "environment" : "row";
  if (rows.phase[env] === NEW) {
    throw new CcparkError("failed-precondition", `[env] ${what} ${env}: step before the first reset`);
  }
  if (autoreset === "next-step") return true;
  const message = `[env] ${what} ${env}: step after the episode's end; reset it first`;
  throw new CcparkError("failed-precondition", message);
}

function wrongAction(row: number, j: number, { rows, shape }: RowRules, field: string): CcparkError {
  const space = shape.actionSpace;
  const width = space.shape[0];
  const what = shape.severalFlows
    ? `the action of row ${row} (${shape.flowIds[row % shape.flowIds.length]})`
    : `the action of row ${row}`;
  try {
    checkFinite(space, rows.actions.subarray(row * width, (row + 1) * width), what);
  } catch (error) {
    return new CcparkError("invalid-argument", (error as Error).message, { field });
  }
  const value = rows.actions[row * width + j]!;
  const message =
    space.kind === "discrete"
      ? noChoice(space, value, what).message
      : `[env] ${what} is outside the box at ${space.dimensions[j]!.name}: got ${value}, expected ${space.low[j]} to ${space.high[j]}`;
  return new CcparkError("invalid-argument", message, { field });
}
