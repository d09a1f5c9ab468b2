/** How a contender does in company: several flows of its own, and one of Cubic, over seconds 20 to 60. */
import { crossTrafficAlgorithm } from "../../algorithms/cross-traffic.ts";
import { DEFAULT_REWARD } from "../../envs/signals/rewards.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { fixedScenario } from "../../scenarios/template.ts";
import { jainIndex } from "../../testbeds/fairness.ts";
import { NO_SERIES } from "../../testbeds/testbed.ts";
import type { Contender } from "../contenders/contender.ts";

/** What comes before is for slow start and for finding one's share. */
const FROM_SEC = 20;
const TO_SEC = 60;

const SELF_FLOWS = [2, 4] as const;
const CUBIC_BDP = [1, 2, 4] as const;

function selfLink(flows: number, durationSec: number): Scenario {
  return fixedScenario({
    name: `${flows} flows of its own`,
    rttMs: 40,
    durationSec,
    forward: { rate: { kind: "constant", mbps: 48 }, queue: { bdp: 1 } },
    flows: [{ algorithm: "test", count: flows - 1, startSec: 0, startEverySec: 0.5 }],
  });
}

function cubicLink(bdp: number, durationSec: number): Scenario {
  return fixedScenario({
    name: `beside Cubic, ${bdp} BDP`,
    rttMs: 40,
    durationSec,
    forward: { rate: { kind: "constant", mbps: 24 }, queue: { bdp } },
    flows: [{ id: "cubic", algorithm: "cubic", startSec: 0 }],
  });
}

/** Megabits of each flow from `FROM_SEC` on: what the longer of two runs of one seed has more than the shorter. */
async function deliveredMbit(
  contender: Contender,
  link: (durationSec: number) => Scenario,
  seed: number,
): Promise<number[]> {
  const until = async (durationSec: number): Promise<number[]> => {
    const { flows = [] } = await contender.run({
      scenario: link(durationSec),
      seed,
      rewardName: DEFAULT_REWARD,
      seriesBinSec: NO_SERIES,
      algorithms: crossTrafficAlgorithm,
    });
    return flows.map((flow) => flow.goodputMbps * flow.durationSec);
  };
  const [before, after] = [await until(FROM_SEC), await until(TO_SEC)];
  return after.map((mbit, i) => mbit - before[i]!);
}

/** @returns Jain's index by number of flows, and the share of the two flows' goodput by BDP of buffer */
export async function inCompany(
  contender: Contender,
  seed: number,
): Promise<{ jain: Record<string, number>; cubicShare: Record<string, number> }> {
  const jain: Record<string, number> = {};
  const cubicShare: Record<string, number> = {};
  for (const flows of SELF_FLOWS) {
    jain[String(flows)] = jainIndex(await deliveredMbit(contender, (sec) => selfLink(flows, sec), seed));
  }
  for (const bdp of CUBIC_BDP) {
    const [own, cubic] = await deliveredMbit(contender, (sec) => cubicLink(bdp, sec), seed);
    cubicShare[`${bdp}bdp`] = own! / (own! + cubic!);
  }
  return { jain, cubicShare };
}
