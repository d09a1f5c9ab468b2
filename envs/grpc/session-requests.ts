/**
 * What a reset or a step asks for, checked and written into the session's arrays. Everything is checked before anything
 * happens, so a request that is refused leaves the environments as they were.
 */
import { CcparkError, unknownName } from "../../core/errors.ts";
import { type Box, checkFinite } from "../spaces.ts";
import { ENDED, NEW, type RowArrays } from "../vector/arrays.ts";
import type { ResetRequest, StepRequest } from "./generated/ccpark/v1/environment.ts";
import { checkSeed, type SlotEnvShape } from "./session-env.ts";
import { unpackLeafInto } from "./wire.ts";

const invalid = (message: string, field: string): CcparkError =>
  new CcparkError("invalid-argument", `[grpc] ${message}`, { field });

export interface RequestRules {
  readonly shape: SlotEnvShape;
  readonly rows: RowArrays;
  readonly autoreset: "next-step" | "same-step" | "disabled";
  /** an action outside the box is refused */
  readonly rejects: boolean;
  readonly isRepeated: boolean;
}

/**
 * Writes `nextSeeds`.
 * @returns whether the request gives seeds
 */
function readSeeds(seeding: ResetRequest["seeding"], { nextSeeds }: RowArrays): boolean {
  if (seeding === undefined) return false;
  const n = nextSeeds.length;
  if (seeding.$case === "seed") {
    const first = Number(seeding.value);
    checkSeed(first + (n - 1), "seed + num_envs - 1", "seed");
    for (let i = 0; i < n; i++) nextSeeds[i] = first + i;
    return true;
  }
  const { seeds } = seeding.value;
  if (seeds.length !== n)
    throw invalid(`seeds: got ${seeds.length}, expected ${n}, one per environment`, "seeds");
  for (let i = 0; i < n; i++) nextSeeds[i] = checkSeed(Number(seeds[i]), `seeds[${i}]`, "seeds");
  return true;
}

function checkMask(mask: Uint8Array, n: number): void {
  if (mask.length === 0) return;
  const field = "reset_mask";
  if (mask.length !== n) throw invalid(`reset_mask: got ${mask.length} bytes, expected 0 or ${n}`, field);
  if (mask.some((flag) => flag > 1)) throw invalid("reset_mask: a flag is neither 0 nor 1", field);
  if (!mask.includes(1)) throw invalid("reset_mask: no environment is set", field);
}

function readScenario(options: ResetRequest["options"]): unknown {
  for (const key of Object.keys(options ?? {})) {
    if (key !== "scenario") {
      const { message } = unknownName("grpc", "reset option", key, ["scenario"]);
      throw new CcparkError("invalid-argument", message, { field: `options.${key}` });
    }
  }
  const scenario: unknown = options?.["scenario"];
  if (scenario === undefined) return undefined;
  if (scenario === null || typeof scenario !== "object" || Array.isArray(scenario)) {
    throw invalid(
      "options.scenario: expected an object; a scenario by name is a kwarg of CreateSession",
      "options.scenario",
    );
  }
  return scenario;
}

/**
 * Writes `mask` and `nextSeeds`.
 * @param checkScenario throws CcparkError for a scenario that the environments would not take
 */
export function readReset(
  request: ResetRequest,
  { rows }: RequestRules,
  checkScenario: (scenario: unknown) => void,
): { readonly seeded: boolean; readonly scenario: unknown } {
  checkMask(request.resetMask, rows.mask.length);
  const scenario = readScenario(request.options);
  if (scenario !== undefined) checkScenario(scenario);
  const seeded = readSeeds(request.seeding, rows);
  if (request.resetMask.length === 0) rows.mask.fill(1);
  else rows.mask.set(request.resetMask);
  return { seeded, scenario };
}

/** Writes `actions`. */
export function readActions(request: StepRequest, rules: RequestRules): void {
  const { rows, shape, isRepeated } = rules;
  const { actions } = rows;
  if (!isRepeated) unpackLeafInto(actions, request.actions, rows.rewards.length, "actions");
  else {
    const { length } = request.actionValues;
    if (length !== actions.length) {
      throw invalid(`action_values: got ${length}, expected ${actions.length}`, "action_values");
    }
    actions.set(request.actionValues);
  }
  const slots = shape.flowIds.length;
  for (let env = 0; env < rows.phase.length; env++) {
    if (!expectsAction(env, rules)) continue;
    for (let row = env * slots; row < (env + 1) * slots; row++)
      if (rows.live[row] === 1) checkAction(row, rules);
  }
}

/** @returns false: its actions are ignored. @throws CcparkError failed-precondition */
function expectsAction(env: number, { rows, shape, autoreset }: RequestRules): boolean {
  const phase = rows.phase[env];
  const what = shape.severalFlows ? "environment" : "row";
  if (phase === NEW) {
    throw new CcparkError("failed-precondition", `[grpc] ${what} ${env}: step before the first reset`);
  }
  if (phase === ENDED && autoreset !== "next-step") {
    const message = `[grpc] ${what} ${env}: step after the episode's end; reset it first`;
    throw new CcparkError("failed-precondition", message);
  }
  return phase !== ENDED;
}

function checkAction(row: number, { rows, shape, rejects, isRepeated }: RequestRules): void {
  const box: Box = shape.actionSpace;
  const width = box.shape[0];
  const { actions } = rows;
  for (let j = 0; j < width; j++) {
    const value = actions[row * width + j]!;
    const isBelow = value < box.low[j]!;
    const isRefused = (isBelow && (rejects || shape.refusesBelow)) || (rejects && value > box.high[j]!);
    if (!isRefused && Number.isFinite(value)) continue;
    const field = isRepeated ? "action_values" : "actions";
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
    throw invalid(
      `${what} is outside the box at ${box.dimensions[j]!.name}: got ${value}, expected ${box.low[j]} to ${box.high[j]}`,
      field,
    );
  }
}
