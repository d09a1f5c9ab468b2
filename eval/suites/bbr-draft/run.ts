/** Runs a test case of draft-ietf-ccwg-bbr with BBRv3, over CCP or in the datapath. */
import { ccpBbr3 } from "../../../algorithms/ccp/bbr3.ts";
import { nativeBbr3 } from "../../../algorithms/native/bbr3.ts";
import { resolveAlgorithm } from "../../../algorithms/reference.ts";
import { CcparkError } from "../../../core/errors.ts";
import { runAlgorithm } from "../../../envs/measured-run.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { runTitle } from "../../benchmark.ts";
import type { CaseContender, CaseRun, CaseSuite } from "../case-suite.ts";
import { check, thresholdText, verdictOf } from "../thresholds.ts";
import { BBR_DRAFT_CASES, type Quantity } from "./cases.ts";
import { Bbr3Trace } from "./trace.ts";

const NAME = "bbr-draft";

function quantitiesOf({ name }: Scenario): readonly Quantity[] {
  const quantities = BBR_DRAFT_CASES[name.replace(`${NAME}/`, "")];
  if (quantities !== undefined) return quantities;
  throw new CcparkError("not-found", `[suite] ${name} is no test case of ${NAME}`);
}

function run(
  scenario: Scenario,
  { reference }: CaseContender,
  { seed, qlog }: { readonly seed: number; readonly qlog: boolean },
): CaseRun {
  const { label, params, spec, isNative } = resolveAlgorithm(reference);
  if (spec.name !== "bbr3") {
    const message = `[suite] ${NAME} looks at the states of BBRv3: got \`${label}\`, expected bbr3 or native-bbr3`;
    throw new CcparkError("invalid-argument", message);
  }
  const trace = new Bbr3Trace();
  const { metrics, testbed, recordings } = runAlgorithm({
    scenario,
    seed,
    rewardName: "score",
    algorithm: isNative ? nativeBbr3(params, trace.watch) : ccpBbr3(params, trace.watch),
    ...(qlog && { recording: { formats: ["qlog"], title: runTitle(scenario.name, label, seed) } }),
  });
  const checks = quantitiesOf(scenario).map(({ of, ...made }) => check(made, of({ trace, metrics })));
  return {
    ...(recordings?.qlog !== undefined && { qlog: recordings.qlog + trace.qlogEvents() }),
    record: {
      suite: NAME,
      scenario: scenario.name,
      algorithm: label,
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

export const BBR_DRAFT_SUITE: CaseSuite = {
  name: NAME,
  algorithms: ["bbr3", "native-bbr3"],
  checksOf: (scenario) => quantitiesOf(scenario).map(({ of: _, ...made }) => made),
  run,
};
