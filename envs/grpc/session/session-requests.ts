/**
 * What a reset or a step asks for, checked and written into the session's arrays. Everything is checked before anything
 * happens, so a request that is refused leaves the environments as they were.
 */
import { CcparkError, unknownName } from "../../../core/errors.ts";
import type { RowArrays } from "../../vector/arrays.ts";
import { checkActions, type RowRules } from "../../vector/check-actions.ts";
import { checkSeed, writeFirstSeeds } from "../../vector/episode-seeds.ts";
import type { ResetRequest, StepRequest } from "../generated/ccpark/v1/environment.ts";
import { unpackLeafInto } from "../wire.ts";

const invalid = (message: string, field: string): CcparkError =>
  new CcparkError("invalid-argument", `[grpc] ${message}`, { field });

export interface RequestRules extends RowRules {
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
    writeFirstSeeds(Number(seeding.value), nextSeeds);
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
 * @returns scenario: not checked yet beyond its being an object
 */
export function readReset(
  request: ResetRequest,
  { rows }: RequestRules,
): { readonly seeded: boolean; readonly scenario: unknown } {
  checkMask(request.resetMask, rows.mask.length);
  const scenario = readScenario(request.options);
  const seeded = readSeeds(request.seeding, rows);
  if (request.resetMask.length === 0) rows.mask.fill(1);
  else rows.mask.set(request.resetMask);
  return { seeded, scenario };
}

/** Writes `actions`. */
export function readActions(request: StepRequest, rules: RequestRules): void {
  const { rows, isRepeated, shape } = rules;
  const { actions } = rows;
  if (!isRepeated) {
    const of = { rows: rows.rewards.length, space: shape.actionSpace };
    unpackLeafInto(actions, request.actions, of, "actions");
  } else {
    const { length } = request.actionValues;
    if (length !== actions.length) {
      throw invalid(`action_values: got ${length}, expected ${actions.length}`, "action_values");
    }
    actions.set(request.actionValues);
  }
  checkActions(rules, isRepeated ? "action_values" : "actions");
}
