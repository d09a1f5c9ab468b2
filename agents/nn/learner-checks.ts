/** Options that every learner has, and what every learner refuses in the same words. */
import { CcparkError } from "../../core/errors.ts";
import type { Space } from "../../envs/spaces.ts";
import { GRADIENTS_REQUESTS } from "../gradients.ts";
import type { CommonOptions } from "../learner.ts";
import { choice, type OptionKind, whole } from "./options.ts";

/** Of every learner. */
export const COMMON_KINDS: { readonly [Name in keyof CommonOptions]: OptionKind } = {
  resetEvery: whole(
    1,
    1e9,
    "updates between two resets of the environments with a fresh seed; a checkpoint there resumes to the same bytes; `train --checkpoint-every` sets it",
  ),
  backend: choice(
    GRADIENTS_REQUESTS,
    "who computes gradients: `simd`, the learner itself, or TensorFlow.js on one of its backends; `auto` is the fastest that the learner has; `train --backend` sets it",
  ),
};

/** @throws CcparkError (invalid-argument) for an array of a checkpoint that cannot be what it is called */
export function expectSquares(name: string, array: Float32Array | Float64Array): void {
  const negative = array.find((x) => x < 0);
  if (negative === undefined) return;
  throw new CcparkError(
    "invalid-argument",
    `[checkpoint] array \`${name}\`: got ${negative}, expected sums of squares, 0 or more`,
  );
}

/** @throws CcparkError (failed-precondition) of a training that has diverged */
export function expectFinite(
  { name, updates, steps }: { readonly name: string; readonly updates: number; readonly steps: number },
  { loss, norm }: { readonly loss: number; readonly norm: number },
): void {
  if (Number.isFinite(loss) && Number.isFinite(norm)) return;
  throw new CcparkError(
    "failed-precondition",
    `[${name}] training diverged in update ${updates + 1}, after ${steps} steps: got a loss of ${loss} and a gradient of norm ${norm}, expected finite numbers; try a smaller learning rate`,
  );
}

/** @throws CcparkError (invalid-argument) for a kind of action space that the learner does not learn over */
export function expectActions(name: string, expected: Space["kind"], { kind }: Space): void {
  if (kind === expected) return;
  const said = { box: "a box", discrete: "choices" };
  const example = { box: "multiplicative", discrete: "indigo" };
  throw new CcparkError(
    "invalid-argument",
    `[${name}] action: got ${said[kind]}, expected ${said[expected]}, such as --action ${example[expected]}`,
  );
}

/** @throws CcparkError (invalid-argument) for another shape of networks than the checkpoint's */
export function expectSameHidden(stored: readonly number[], wanted: readonly number[]): void {
  if (wanted.join() === stored.join()) return;
  throw new CcparkError(
    "invalid-argument",
    `[checkpoint] other hidden layers than the checkpoint: got [${wanted}], expected [${stored}]`,
  );
}
