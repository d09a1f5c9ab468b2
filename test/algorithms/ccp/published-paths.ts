/** Links and runs for what papers and RFCs promise. */
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import { runAlgorithm } from "../../../envs/measured-run.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { fixedScenario, type ScenarioTemplate } from "../../../scenarios/template.ts";
import type { RunResult } from "../../../testbeds/results.ts";

const SEED = 1;

export interface Path {
  readonly mbps: number;
  readonly rttMs: number;
  readonly queuePackets: number;
  readonly durationSec: number;
}

export function path(
  { mbps, rttMs, queuePackets, durationSec }: Path,
  over: ScenarioTemplate = {},
): Scenario {
  const { forward, ...rest } = over;
  const direction = { rate: { kind: "constant", mbps } as const, queue: { packets: queuePackets } };
  return fixedScenario(
    {
      propagationDelayMs: rttMs / 2,
      durationSec,
      forward: { ...direction, ...(forward as object) },
      reverse: direction,
      ...rest,
    },
    { name: "published" },
  );
}

export function run(reference: string, scenario: Scenario, seriesBinSec?: number): RunResult {
  const algorithm = makeAlgorithm(resolveAlgorithm(reference));
  return runAlgorithm({
    scenario,
    seed: SEED,
    rewardName: "score",
    algorithm,
    ...(seriesBinSec !== undefined && { seriesBinSec }),
  });
}

/** Mean over the bins whose ends lie in a span, seconds. */
export function between(
  { timeSec }: RunResult["series"],
  values: readonly number[],
  from: number,
  to: number,
): number {
  const picked = values.filter((_, i) => timeSec[i]! > from && timeSec[i]! <= to);
  return picked.reduce((sum, value) => sum + value, 0) / picked.length;
}
