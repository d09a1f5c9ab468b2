/** The ceiling of a table: what could be had by who knows the link's future. */
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { CcparkError } from "../../core/errors.ts";
import type { Micros } from "../../core/units.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import { DEFAULT_REWARD } from "../../envs/signals/rewards.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { RunResult } from "../../testbeds/results.ts";
import { KnownService } from "../../testbeds/simulated/known-service.ts";
import { SIMULATED } from "../../testbeds/simulated/simulated.ts";
import { constantRate, constantRates, constantWindow, constantWindows } from "./constant-contender.ts";
import { type Contender, ORACLE, ORACLE_SUMMARY, type RunOptions } from "./contender.ts";
import { timedSending } from "./timed-sending.ts";

/**
 * How long packets wait for their service. The score takes up to 1 ms for none, and a host's jitter has room in the first;
 * small buffers and rewards that count every microsecond want less.
 */
const AHEAD_US: readonly Micros[] = [500, 120, 30];
/** Shares of the link that are tried where others take or lose what cannot be foreseen. */
const SHARES = [0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.95, 1.02, 1.05, 1.1, 1.25];
/** Windows, packets, beside those of `constant`: against others more than the link's own may pay. */
const WINDOWS = [8, 32, 128, 512, 2048];

/** Whether a link that serves the flow under test alone takes, loses and delays only what is known ahead. */
function isForeseen({ forward, route, flows = [], traffic = [] }: Scenario): boolean {
  const {
    policer,
    blackholes,
    gilbertElliott,
    periodicLoss,
    lossOverTime,
    corruptionRate = 0,
    duplicationRate = 0,
  } = forward;
  const unforeseen = [route, policer, blackholes, gilbertElliott, periodicLoss, lossOverTime];
  return (
    unforeseen.every((each) => each === undefined) &&
    [flows, traffic].every(({ length }) => length === 0) &&
    corruptionRate + duplicationRate === 0
  );
}

/** Ways to send, the most promising first. Each is for one run. */
function* candidates({
  scenario,
  seed,
  algorithms,
}: Pick<RunOptions, "scenario" | "seed" | "algorithms">): Generator<CongestionControlFactory> {
  const isLimited = scenario.forward.rate.kind !== "unlimited";
  const isKnown = isLimited && isForeseen(scenario);
  for (const aheadUs of isLimited ? AHEAD_US : []) {
    yield timedSending(new KnownService(scenario, seed, { algorithms }), aheadUs);
  }
  for (const share of isLimited && !isKnown ? SHARES : []) {
    yield timedSending(new KnownService(scenario, seed, { share, algorithms }), AHEAD_US[0]!);
  }
  for (const rate of constantRates(scenario)) yield constantRate(rate);
  const windows = new Set([...constantWindows(scenario), ...(isKnown ? [] : WINDOWS)]);
  for (const cwndPackets of windows) yield constantWindow(cwndPackets);
}

/**
 * Maximises the reward of each run; the benchmark's default reward is the score of the whole run. For a flow alone on its
 * link there is no more to be had than it gets: no service is missed, and nothing waits for longer than the score allows.
 * Elsewhere it is the best of a small family with hindsight. Never worse than `constant` and
 * `constant-rate`, whose windows and rates are among them.
 */
export function oracleContender(): Contender {
  return {
    name: ORACLE,
    description: ORACLE_SUMMARY,
    run({ testbed = SIMULATED, recording, ...options }) {
      if (testbed.clock === "real") {
        const message = `\`${ORACLE}\` looks into the future of each link: expected a testbed in virtual time, got ${testbed.name}`;
        throw new CcparkError("invalid-argument", `[bench] ${message}`);
      }
      const worthOf = ({ metrics, reward }: RunResult): number =>
        options.rewardName === DEFAULT_REWARD ? metrics.score : reward;
      let best: { readonly index: number; readonly result: RunResult } | undefined;
      let index = 0;
      for (const algorithm of candidates(options)) {
        const result = runAlgorithm({ ...options, testbed, algorithm });
        if (best === undefined || worthOf(result) > worthOf(best.result)) best = { index, result };
        index++;
      }
      if (recording === undefined) return best!.result;
      const chosen = [...candidates(options)][best!.index]!;
      return runAlgorithm({ ...options, testbed, recording, algorithm: chosen });
    },
  };
}
