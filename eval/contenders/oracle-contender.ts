/** The ceiling of a table: what could be had by who knows the link's future. */
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { CcparkError } from "../../core/errors.ts";
import { MICROS_PER_SEC, type Micros } from "../../core/units.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import { DEFAULT_REWARD } from "../../envs/signals/rewards.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { RunResult } from "../../testbeds/results.ts";
import { KnownService } from "../../testbeds/simulated/known-service.ts";
import { SIMULATED } from "../../testbeds/simulated/simulated.ts";
import { constantRate, constantRates, constantWindow, constantWindows } from "./constant-contender.ts";
import { type Contender, ORACLE, ORACLE_SUMMARY, type RunOptions } from "./contender.ts";
import { plannedSending } from "./planned-sending.ts";
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

/** Of a run, each with a way to send of its own: more would find more, and takes as many runs more. */
const PARTS = 8;
/** Ways that are tried in each part: the best ones of the whole run. */
const BEST_WAYS = 5;

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

/** A way to send that never changes; makes a fresh one for each run. */
type Way = () => CongestionControlFactory;

/** Ways to send, the most promising first. */
function waysOf({
  scenario,
  seed,
  algorithms,
}: Pick<RunOptions, "scenario" | "seed" | "algorithms">): readonly Way[] {
  const isLimited = scenario.forward.rate.kind !== "unlimited";
  const isKnown = isLimited && isForeseen(scenario);
  const timed = (aheadUs: Micros, share?: number): Way => {
    return () => timedSending(new KnownService(scenario, seed, { share, algorithms }), aheadUs);
  };
  const windows = new Set([...constantWindows(scenario), ...(isKnown ? [] : WINDOWS)]);
  return [
    ...(isLimited ? AHEAD_US.map((aheadUs) => timed(aheadUs)) : []),
    ...(isLimited && !isKnown ? SHARES.map((share) => timed(AHEAD_US[0]!, share)) : []),
    ...constantRates(scenario).map((rate) => () => constantRate(rate)),
    ...[...windows].map((cwndPackets) => () => constantWindow(cwndPackets)),
  ];
}

/** Of each part of the run the number of its way. */
type Plan = readonly number[];

function sendingOf(plan: Plan, ways: readonly Way[], partUs: Micros): CongestionControlFactory {
  if (plan.every((way) => way === plan[0])) return ways[plan[0]!]!();
  const made = new Map([...new Set(plan)].map((way) => [way, ways[way]!()]));
  return plannedSending(
    plan.map((way) => made.get(way)!),
    partUs,
  );
}

/**
 * The plan with the highest worth that is found: the best way for the whole run, then part by part, looking ahead to the end
 * of the run, whichever of the best ways is worth more than what stands there.
 */
function search(ways: readonly Way[], worthOf: (plan: Plan) => number, looksAhead: boolean): Plan {
  const whole = ways
    .map((_, way) => Array.from({ length: PARTS }, () => way))
    .map((plan) => ({ plan, worth: worthOf(plan) }));
  const ranked = whole.toSorted((a, b) => b.worth - a.worth);
  let best: { plan: Plan; worth: number } = ranked[0]!;
  if (!looksAhead) return best.plan;
  const others = ranked.slice(0, BEST_WAYS).map(({ plan }) => plan[0]!);
  for (let part = 0; part < PARTS; part++) {
    const standing = best.plan;
    for (const way of others.filter((each) => each !== standing[part])) {
      const plan = standing.with(part, way);
      const worth = worthOf(plan);
      if (worth > best.worth) best = { plan, worth };
    }
  }
  return best.plan;
}

/**
 * Maximises the reward of each run; the benchmark's default reward is the score of the whole run. For a flow alone on its
 * link there is no more of the score to be had than it gets: no service is missed, and nothing waits for longer than the score
 * allows. Elsewhere, and for other rewards, it looks ahead: of a family of ways to send it takes the best for the whole run, and then for
 * each eighth of it, with hindsight. Never worse than `constant` and `constant-rate`, whose windows and rates are among them.
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
      const { scenario, rewardName } = options;
      const ways = waysOf(options);
      const partUs = (scenario.durationSec * MICROS_PER_SEC) / PARTS;
      let kept: { readonly plan: Plan; readonly worth: number; readonly result: RunResult } | undefined;
      const worth = (plan: Plan): number => {
        const result = runAlgorithm({ ...options, testbed, algorithm: sendingOf(plan, ways, partUs) });
        const of = worthOf(result);
        if (kept === undefined || of > kept.worth) kept = { plan, worth: of, result };
        return of;
      };
      const isKnown = scenario.forward.rate.kind !== "unlimited" && isForeseen(scenario);
      const plan = search(ways, worth, !isKnown || rewardName !== DEFAULT_REWARD);
      if (recording === undefined) return kept!.result;
      return runAlgorithm({ ...options, testbed, recording, algorithm: sendingOf(plan, ways, partUs) });
    },
  };
}
