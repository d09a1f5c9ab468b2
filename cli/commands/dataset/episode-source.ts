/** What episodes of a dataset run on: scenarios by name, or a new link of the training range for each seed. */
import { CcparkError } from "../../../core/errors.ts";
import { Rng } from "../../../core/random.ts";
import { parseOverride } from "../../../scenarios/overrides.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { resolveScenarios } from "../../../scenarios/scenario-files.ts";
import { sampleTrainingScenario } from "../../../scenarios/training.ts";
import { TRAINING_DEFAULTS } from "../../../training/defaults.ts";
import { TRAINING_RANGE_NAME } from "../../../training/described-env.ts";

/** The scenario of a seed. */
export type EpisodeSource = (seed: number) => Scenario;

/** @throws CcparkError as `resolveScenarios`, and for options that the training range does not take */
export function episodeSource(options: {
  readonly scenario: readonly string[];
  readonly set?: readonly string[];
  readonly trace?: string;
  readonly duration?: number;
}): EpisodeSource[] {
  const { scenario: names, set = [], trace: tracePath, duration: durationSec } = options;
  const named = names.filter((name) => name !== TRAINING_RANGE_NAME);
  if (named.length === 0 && (set.length > 0 || tracePath !== undefined)) {
    const got = set.length > 0 ? "--set" : "--trace";
    throw new CcparkError(
      "invalid-argument",
      `[dataset] ${TRAINING_RANGE_NAME}: got ${got}, expected scenarios by name for it`,
    );
  }
  const range: EpisodeSource = (seed) =>
    sampleTrainingScenario(Rng.fromSeed(seed).fork("dataset"), {
      durationSec: durationSec ?? TRAINING_DEFAULTS.episodeSec,
    });
  const overrides = set.map(parseOverride);
  const entries =
    named.length === 0 ? [] : resolveScenarios(named, { tracePath, durationSec, vary: false, overrides });
  return [
    ...(named.length < names.length ? [range] : []),
    ...entries.map(
      (entry): EpisodeSource =>
        (seed) =>
          entry.of(seed),
    ),
  ];
}
