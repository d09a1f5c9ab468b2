/** How far window and observations reach: as ever on links within the old range, as far as the link needs beyond it. */
import { describe, expect, it } from "vitest";
import { Ppo } from "../../agents/ppo.ts";
import { checkpointContender } from "../../cli/policies.ts";
import { CongestionEnv } from "../../envs/congestion-env.ts";
import { runAgent } from "../../envs/measured-run.ts";
import { DEFAULT_ENV_OPTIONS } from "../../envs/options.ts";
import { getAction } from "../../envs/signals/actions.ts";
import { DEFAULT_ENVELOPE, envelopeOf, envelopeOfSource } from "../../envs/signals/envelope.ts";
import { getObservation } from "../../envs/signals/observations.ts";
import { makeLink } from "../../scenarios/links.ts";
import { getScenario } from "../../scenarios/presets.ts";
import { describeEnv } from "../../training/described-env.ts";

const GIGABIT = makeLink({ mbps: 1_000, rttMs: 80, bufferBdp: 1, durationSec: 3 });
const DATACENTRE = makeLink({ mbps: 10_000, rttMs: 0.2, bufferBdp: 1, durationSec: 0.05 });
const MSS = 1448;

describe("the envelope", () => {
  it("is the old one wherever two bandwidth-delay products fit into 4800 packets", () => {
    for (const name of ["park-paper", "link-96mbps-20ms-1bdp", "link-72mbps-60ms-4bdp"]) {
      const scenario = getScenario(name);
      expect(envelopeOf(scenario)).toEqual(DEFAULT_ENVELOPE);
      const env = new CongestionEnv(scenario, DEFAULT_ENV_OPTIONS, {});
      expect(env.observationSpace).toBe(getObservation("standard").space);
      expect(env.actionSpace).toBe(getAction("multiplicative").space);
    }
  });

  it("is that of the widest link that a template draws", () => {
    const source = () => GIGABIT;
    expect(envelopeOfSource(source)).toEqual(envelopeOf(GIGABIT));
    expect(envelopeOf(GIGABIT).maxCwndPackets).toBe(Math.ceil((4 * 1e9 * 0.08) / 8 / 1500));
  });

  it("lets a policy have the window that a long fat link needs, and counts what it clips", () => {
    const env = new CongestionEnv(GIGABIT, { ...DEFAULT_ENV_OPTIONS, action: "absolute", stepMs: 100 });
    env.reset(1);
    const { info } = env.step([6_667, 0]);
    expect([info.cwndBytes, info.clippedActions]).toEqual([6_667 * MSS, 0]);
    const doubling = new CongestionEnv(GIGABIT, { ...DEFAULT_ENV_OPTIONS, stepMs: 100 });
    doubling.reset(1);
    let clipped = 0;
    for (let i = 0; i < 20; i++) {
      const step = doubling.step([1]);
      clipped += step.info.clippedActions;
      expect(step.info.clippedActions === 1).toBe(10 * 2 ** (i + 1) > envelopeOf(GIGABIT).maxCwndPackets);
    }
    expect(clipped).toBeGreaterThan(0);
  });

  it("counts a window that is held at 4800 packets, too", () => {
    const env = new CongestionEnv(getScenario("park-paper", { durationSec: 3 }), {
      ...DEFAULT_ENV_OPTIONS,
      stepMs: 10,
    });
    env.reset(1);
    const clipped = Array.from({ length: 12 }, () => env.step([1]).info.clippedActions);
    // 10 packets doubled nine times are more
    expect(clipped).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1]);
  });

  it("lets the features of scale tell fast and short links apart", () => {
    const env = new CongestionEnv(DATACENTRE, { ...DEFAULT_ENV_OPTIONS, action: "absolute", stepMs: 1 });
    const { rtt, rate } = envelopeOf(DATACENTRE);
    expect([rtt, rate]).toEqual([2, 1.5]);
    env.reset(1);
    let last = new Float32Array();
    for (let i = 0; i < 20; i++) last = env.step([200, 0]).observation as Float32Array<ArrayBuffer>;
    const [minRtt, maxRate] = last.slice(-2);
    expect(minRtt).toBeLessThan(-1);
    expect(maxRate).toBeGreaterThan(1);
    const { low, high } = env.observationSpace;
    expect(last.every((value, i) => value >= low[i]! && value <= high[i]!)).toBe(true);
  });
});

describe("a policy", () => {
  it("sees what it was made for, on any link", () => {
    let most = 0;
    const policy = {
      act(observation: Float32Array) {
        most = Math.max(most, ...observation.map(Math.abs));
        return Float32Array.of(0.3);
      },
    };
    const run = {
      scenario: DATACENTRE,
      seed: 1,
      rewardName: "score",
      agent: policy,
      env: { ...DEFAULT_ENV_OPTIONS, stepMs: 1 },
    };
    runAgent(run);
    expect(most).toBe(1);
    runAgent({ ...run, spans: envelopeOf(DATACENTRE) });
    expect(most).toBeGreaterThan(1);
  });

  it("is stored with the range that it was trained in, which it keeps", () => {
    const options = { ...DEFAULT_ENV_OPTIONS, action: "absolute" };
    const { observationSpace, actionSpace } = new CongestionEnv(DATACENTRE, options);
    const description = describeEnv({ env: options, episodeSec: 1 });
    const agent = new Ppo({ observationSpace, actionSpace, seed: 1, env: description });
    const loaded = checkpointContender("agent", "x", agent.checkpoint());
    expect(loaded.checkpoint.header.observationSpace.high).toEqual([...observationSpace.high]);
    expect(loaded.checkpoint.header.actionSpace).toMatchObject({
      high: [envelopeOf(DATACENTRE).maxCwndPackets, 2e9],
    });
  });
});
