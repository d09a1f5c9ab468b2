/** What every learner refuses in the same words. */
import { CcparkError } from "../../core/errors.ts";

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

/** @throws CcparkError (invalid-argument) for another shape of networks than the checkpoint's */
export function expectSameHidden(stored: readonly number[], wanted: readonly number[]): void {
  if (wanted.join() === stored.join()) return;
  throw new CcparkError(
    "invalid-argument",
    `[checkpoint] other hidden layers than the checkpoint: got [${wanted}], expected [${stored}]`,
  );
}
