/** Whether a step may be taken: checked of all rows before any moves, so a step that is refused has changed nothing. */
import { CcparkError } from "../../core/errors.ts";
import { type Box, checkFinite } from "../spaces.ts";
import { ENDED, NEW, type RowArrays } from "./arrays.ts";
import type { Autoreset } from "./block.ts";
import type { SlotEnvShape } from "./slot-env.ts";

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
 *   that is not finite, or outside the box where that is refused
 */
export function checkActions(rules: RowRules, field: string): void {
  const { rows, shape } = rules;
  const slots = shape.flowIds.length;
  for (let env = 0; env < rows.phase.length; env++) {
    if (!expectsAction(env, rules)) continue;
    for (let row = env * slots; row < (env + 1) * slots; row++)
      if (rows.live[row] === 1) checkAction(row, rules, field);
  }
}

/** @returns false: its actions are ignored. @throws CcparkError failed-precondition */
function expectsAction(env: number, { rows, shape, autoreset }: RowRules): boolean {
  const phase = rows.phase[env];
  const what = shape.severalFlows ? "environment" : "row";
  if (phase === NEW) {
    throw new CcparkError("failed-precondition", `[env] ${what} ${env}: step before the first reset`);
  }
  if (phase === ENDED && autoreset !== "next-step") {
    const message = `[env] ${what} ${env}: step after the episode's end; reset it first`;
    throw new CcparkError("failed-precondition", message);
  }
  return phase !== ENDED;
}

function checkAction(row: number, { rows, shape, rejects }: RowRules, field: string): void {
  const box: Box = shape.actionSpace;
  const width = box.shape[0];
  const { actions } = rows;
  for (let j = 0; j < width; j++) {
    const value = actions[row * width + j]!;
    const isBelow = value < box.low[j]!;
    const isRefused = (isBelow && (rejects || shape.refusesBelow)) || (rejects && value > box.high[j]!);
    if (!isRefused && Number.isFinite(value)) continue;
    const what = shape.severalFlows
      ? `the action of row ${row} (${shape.flowIds[row % shape.flowIds.length]})`
      : `the action of row ${row}`;
    if (!Number.isFinite(value)) {
      try {
        checkFinite(box, actions.subarray(row * width, (row + 1) * width), what);
      } catch (error) {
        throw new CcparkError("invalid-argument", (error as Error).message, { field });
      }
    }
    throw new CcparkError(
      "invalid-argument",
      `[env] ${what} is outside the box at ${box.dimensions[j]!.name}: got ${value}, expected ${box.low[j]} to ${box.high[j]}`,
      { field },
    );
  }
}
