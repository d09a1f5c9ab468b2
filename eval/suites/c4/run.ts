/** Runs a simulation of draft-huitema-ccwg-c4-test with any contender. */
import { crossTrafficAlgorithm } from "../../../algorithms/cross-traffic.ts";
import { CcparkError } from "../../../core/errors.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { NO_SERIES } from "../../../testbeds/testbed.ts";
import type { CaseContender, CaseRun, CaseSuite } from "../case-suite.ts";
import { check, thresholdText, verdictOf } from "../thresholds.ts";
import { C4_CASES, type C4Case } from "./cases.ts";

const NAME = "c4";

function caseOf({ name }: Scenario): C4Case {
  const found = C4_CASES[name.replace(`${NAME}/`, "")];
  if (found !== undefined) return found;
  throw new CcparkError("not-found", `[suite] ${name} is no test case of ${NAME}`);
}

async function run(
  scenario: Scenario,
  { contender }: CaseContender,
  { seed }: { readonly seed: number },
): Promise<CaseRun> {
  const { metrics, testbed } = await contender.run({
    scenario,
    seed,
    rewardName: "score",
    seriesBinSec: NO_SERIES,
    algorithms: crossTrafficAlgorithm,
  });
  const checks = caseOf(scenario).checks.map(({ of, ...made }) => check(made, of(metrics)));
  return {
    record: {
      suite: NAME,
      scenario: scenario.name,
      algorithm: contender.name,
      seed,
      testbed,
      durationSec: metrics.durationSec,
      goodputMbps: metrics.goodputMbps,
      lossRate: metrics.lossRate,
      meanQueueDelayMs: metrics.meanQueueDelayMs,
      checks,
      threshold: checks.map(thresholdText).join("; "),
      verdict: verdictOf(checks),
    },
  };
}

export const C4_SUITE: CaseSuite = {
  name: NAME,
  algorithms: ["cubic", "reno", "bbr", "bbr3", "vegas", "copa"],
  isWorst: true,
  erratumOf: (scenario) => caseOf(scenario).erratum,
  checksOf: (scenario) => caseOf(scenario).checks.map(({ of: _, ...made }) => made),
  run,
};
