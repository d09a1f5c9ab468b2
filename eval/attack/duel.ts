/** One environment, both contenders. */
import { crossTrafficAlgorithm } from "../../algorithms/cross-traffic.ts";
import { Rng } from "../../core/random.ts";
import { DEFAULT_REWARD } from "../../envs/signals/rewards.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { checkTemplate, type ScenarioInput, sampleScenario } from "../../scenarios/template.ts";
import type { Contender } from "../contenders/contender.ts";
import { type Duel, duelOf, type Utility, utilityOf } from "./utility.ts";

/** Of every run: what an environment leaves to it are losses alone. */
export const RUN_SEED = 1;
const SERIES_BIN_SEC = 0.5;

/** @throws ScenarioError */
export function environmentScenario(input: ScenarioInput): Scenario {
  const name = input.name ?? "attack";
  return sampleScenario(checkTemplate(input, { name }), Rng.fromSeed(RUN_SEED).fork("scenario"), { name });
}

export async function runDuel(
  scenario: Scenario,
  {
    target,
    reference,
    weight,
  }: { readonly target: Contender; readonly reference: Contender; readonly weight: number },
): Promise<Duel> {
  const utility = async (contender: Contender): Promise<Utility> => {
    const result = await contender.run({
      scenario,
      seed: RUN_SEED,
      rewardName: DEFAULT_REWARD,
      seriesBinSec: SERIES_BIN_SEC,
      algorithms: crossTrafficAlgorithm,
    });
    return utilityOf(scenario, result, weight);
  };
  return duelOf(await utility(target), await utility(reference));
}
