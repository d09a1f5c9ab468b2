/** Wiring: what `train --dataset` gives a learner, and what does not go together. */

import type { LearnerSpec } from "../../agents/learner.ts";
import { CcparkError } from "../../core/errors.ts";
import type { EnvOptions } from "../../envs/options.ts";
import { type Dataset, loadDataset } from "../../training/datasets/dataset-files.ts";

export interface OpenDataset {
  readonly path: string;
  readonly data: Dataset;
}

/**
 * @param path undefined: none was named
 * @throws CcparkError (invalid-argument) where the learner needs one and there is none, or has no use for it; as `loadDataset`
 */
export function openDataset(path: unknown, { name, needs }: LearnerSpec): OpenDataset | undefined {
  if (typeof path !== "string") {
    if (needs?.dataset !== "required") return undefined;
    const message = `[train] --learner ${name}: got no --dataset, expected the folder that \`ccpark dataset\` made`;
    throw new CcparkError("invalid-argument", message);
  }
  if (needs?.dataset === undefined) {
    const message = `[train] --dataset: got one for ${name}, which learns from no recorded runs, expected bc, dagger or iql`;
    throw new CcparkError("invalid-argument", message);
  }
  return { path, data: loadDataset(path) };
}

/**
 * Numbers of the same shape may be other features.
 * @throws CcparkError (invalid-argument) that names both
 */
export function expectSameSignals({ path, data }: OpenDataset, env: EnvOptions): void {
  for (const name of ["observation", "action"] as const) {
    const recorded = data.header.env[name];
    if (recorded === env[name]) continue;
    throw new CcparkError(
      "invalid-argument",
      `[train] ${name}: got \`${env[name]}\`, expected \`${recorded}\`, which the dataset \`${path}\` is of`,
    );
  }
}
