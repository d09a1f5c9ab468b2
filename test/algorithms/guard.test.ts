/** What the datapath allows nobody, whatever an algorithm or a policy asks for. */
import { describe, expect, it } from "vitest";
import { makeAlgorithm, resolveAlgorithm } from "../../algorithms/reference.ts";
import { ALGORITHMS } from "../../algorithms/registry.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import type { FlowAlgorithm } from "../../ccp-bridge/in-process-flow.ts";
import { MSS_BYTES, NANOS_PER_MILLI, NANOS_PER_SEC } from "../../core/units.ts";
import { DEFAULT_ENV_OPTIONS } from "../../envs/options.ts";
import { policyAlgorithm } from "../../envs/policy-algorithm.ts";
import { getAction } from "../../envs/signals/actions.ts";
import type { Box } from "../../envs/spaces.ts";
import type { SenderOptions } from "../../scenarios/sender-options.ts";
import { fixedScenario, type ScenarioTemplate } from "../../scenarios/template.ts";
import { SIMULATED } from "../../testbeds/simulated/simulated.ts";

const SEED = 1;
const DEAD = { fromSec: 5, toSec: 35 };
/** the timer may have doubled to as much as the silence was long */
const RECOVERY_SEC = 40;
const DIRECTION = { rate: { kind: "constant", mbps: 12 } as const, queue: { packets: 80 } };

const { space } = getAction(DEFAULT_ENV_OPTIONS.action);
/** A network whose only answer is the most that it may. */
const MOST = policyAlgorithm("stubborn", { act: () => (space as Box).high }, DEFAULT_ENV_OPTIONS);

const constantWindow: CongestionControlFactory = () => ({
  name: "constant",
  cwndBytes: 1_000 * MSS_BYTES,
  pacingRateBytesPerSec: undefined,
  onAck() {},
  onCongestion() {},
});

const constantRate: CongestionControlFactory = () => ({
  name: "rate",
  cwndBytes: Number.MAX_SAFE_INTEGER,
  pacingRateBytesPerSec: 3_000_000,
  onAck() {},
  onCongestion() {},
});

function scenario(over: ScenarioTemplate): ReturnType<typeof fixedScenario> {
  const template = { propagationDelayMs: 20, forward: DIRECTION, reverse: DIRECTION, ...over };
  return fixedScenario(template, { name: "12 Mbit/s, 40 ms" });
}

/** Packets and timeouts from the first timeout of the silence to its end, looked at every 10 ms; what came after it. */
function goThroughSilence(
  algorithm: FlowAlgorithm,
  sender: SenderOptions = {},
): { timeouts: number; tooMany: number; after: number } {
  const run = SIMULATED.open(
    scenario({
      durationSec: DEAD.toSec + RECOVERY_SEC,
      forward: { ...DIRECTION, blackholes: [DEAD] },
      sender,
    }),
    SEED,
    { control: () => algorithm },
  );
  const flow = run.flows[0]!;
  const until = (sec: number): void => void run.runUntil(run.startNs + sec * NANOS_PER_SEC);
  // what was under way has arrived
  until(DEAD.fromSec + 0.2);
  const before = flow.timeouts;
  while (flow.timeouts === before && run.nowNs < run.startNs + DEAD.toSec * NANOS_PER_SEC) {
    run.runUntil(run.nowNs + NANOS_PER_MILLI);
  }
  const sent = flow.sentPackets;
  let tooMany = 0;
  while (run.nowNs < run.startNs + DEAD.toSec * NANOS_PER_SEC) {
    run.runUntil(run.nowNs + 10 * NANOS_PER_MILLI);
    tooMany = Math.max(tooMany, flow.sentPackets - sent - (flow.timeouts - before));
  }
  const timeouts = flow.timeouts - before;
  const { deliveredPackets } = flow;
  run.runUntil(run.endNs);
  return { timeouts, tooMany, after: flow.deliveredPackets - deliveredPackets };
}

function expectQuiet(algorithm: FlowAlgorithm, sender?: SenderOptions): void {
  const { timeouts, tooMany, after } = goThroughSilence(algorithm, sender);
  expect(timeouts, "the timer doubles").toBeGreaterThanOrEqual(3);
  expect(timeouts, "the timer doubles").toBeLessThanOrEqual(8);
  expect(tooMany, "packets beyond one per timeout").toBe(0);
  expect(after, "packets that are delivered afterwards").toBeGreaterThan(1_000);
}

describe(`12 Mbit/s, 40 ms, all packets lost for 30 s, seed ${SEED}: one packet per retransmission timeout`, () => {
  const forms = [...ALGORITHMS.values()].flatMap(({ name, ccp, native }) => [
    ...(ccp === undefined ? [] : [name]),
    ...(native === undefined ? [] : [`native-${name}`]),
  ]);
  it.each(forms)("%s", (name) => {
    expectQuiet(makeAlgorithm(resolveAlgorithm(name)));
  });

  it.each<[string, FlowAlgorithm]>([
    ["a window of 1000 packets", constantWindow],
    ["a rate of 24 Mbit/s", constantRate],
    ["a policy that always asks for more", MOST],
  ])("%s", (_, algorithm) => {
    expectQuiet(algorithm);
    expectQuiet(algorithm, { lossDetection: "rack-tlp", prr: "rfc9937" });
  });
});

describe(`a policy that always asks for more, seed ${SEED}`, () => {
  /** Once the first burst, which may be as large as it likes, is over. */
  const lossOf = (over: ScenarioTemplate): number => {
    const run = SIMULATED.open(scenario({ durationSec: 60, ...over }), SEED, { control: () => MOST });
    const flow = run.flows[0]!;
    run.runUntil(run.startNs + 30 * NANOS_PER_SEC);
    const { sentPackets, lostPackets } = flow;
    run.runUntil(run.endNs);
    return (flow.lostPackets - lostPackets) / (flow.sentPackets - sentPackets);
  };

  it.each<SenderOptions>([{}, { lossDetection: "rack-tlp" }, { lossDetection: "rack-tlp", prr: "rfc9937" }])(
    "loses no more than a third of its packets where the queue is full: %o",
    (sender) => {
      expect(lossOf({ sender })).toBeLessThan(1 / 3);
    },
  );

  it("loses no more than a third behind a policer of a tenth of the link", () => {
    const policer = { mbps: 1.2, burstBytes: 15_000 };
    expect(lossOf({ forward: { ...DIRECTION, policer } })).toBeLessThan(1 / 3);
  });
});
