/** Wiring: `train --adversary` searches links against the policy as `ccpark attack` does, and gives them to the training. */

import { restoreSpaces } from "../../agents/checkpoint.ts";
import { policyFromCheckpoint } from "../../agents/registry.ts";
import { Rng } from "../../core/random.ts";
import type { EnvOptions } from "../../envs/options.ts";
import { envelopeOfSpaces } from "../../envs/signals/envelope.ts";
import { attack, type Evaluate } from "../../eval/attack/attack.ts";
import { environmentScenario, runDuel } from "../../eval/attack/duel.ts";
import type { Contender } from "../../eval/contenders/contender.ts";
import { agentContender } from "../../eval/contenders/policy-contender.ts";
import { linkSha256 } from "../../eval/league/splits.ts";
import type { Chosen, FocusChooser } from "../../training/focus/focus.ts";

/** As `config.json` has it. */
export interface Adversary {
  /** a contender that shows what is possible */
  readonly reference: string;
  /** tried at each search */
  readonly environments: number;
}

/** Part of the episodes that links of searches have, and how many of the latest are kept. */
const SHARE = 0.3;
const KEPT = 8;
/** As those of `ccpark attack`. */
const METHOD = "genetic";
const DURATION_SEC = 6;
const WEIGHT = 0.9;
const TARGET = "policy";

/**
 * @param seed of the training
 * @param sealed digests of links that no training may see
 */
export function adversaryChooser(
  env: EnvOptions,
  reference: Contender,
  { environments }: Adversary,
  seed: number,
  sealed: ReadonlyMap<string, string>,
): FocusChooser {
  return async (checkpoint, before): Promise<Chosen> => {
    const { observationSpace, actionSpace } = restoreSpaces(checkpoint.header);
    const spans = envelopeOfSpaces(observationSpace, actionSpace.kind === "box" ? actionSpace : undefined);
    const agent = policyFromCheckpoint(checkpoint);
    const target = agentContender(TARGET, "", agent, env, spans);
    const evaluate: Evaluate = async (scenarios) => {
      const duels = [];
      for (const input of scenarios)
        duels.push(await runDuel(environmentScenario(input), { target, reference, weight: WEIGHT }));
      return duels;
    };
    const searchSeed = Rng.fromSeed(seed)
      .fork(`adversary.${checkpoint.header.updates}`)
      .integer(2 ** 32);
    const { simplified } = await attack(
      {
        target: TARGET,
        reference: reference.name,
        method: METHOD,
        seed: searchSeed,
        environments,
        durationSec: DURATION_SEC,
      },
      evaluate,
    );
    agent.dispose();
    const { scenario, duel } = simplified;
    const earlier = before?.links.flatMap((link) => ("scenario" in link ? [link.scenario] : [])) ?? [];
    const isWorse = duel.gap > 0 && !sealed.has(linkSha256(environmentScenario(scenario)));
    const found = [...earlier, ...(isWorse ? [scenario] : [])].slice(-KEPT);
    return {
      links: found.map((each) => ({ scenario: each, probability: SHARE / found.length })),
      facts: { adversaryGap: duel.gap },
    };
  };
}
