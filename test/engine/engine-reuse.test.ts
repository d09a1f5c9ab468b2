/** The memory of a network that is over serves the next one. */
import { describe, expect, it } from "vitest";
import { makeAlgorithm, resolveAlgorithm } from "../../algorithms/reference.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import { makeLink } from "../../scenarios/links.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { SIMULATED } from "../../testbeds/simulated/simulated.ts";

const LINK: Scenario = makeLink({ mbps: 24, rttMs: 30, durationSec: 4 });
const OTHERS: readonly (readonly [string, Scenario])[] = [
  ["bbr3", makeLink({ mbps: 400, rttMs: 120, bufferBdp: 2, durationSec: 3 })],
  ["native-reno", makeLink({ mbps: 24, rttMs: 30, lossRate: 0.02, durationSec: 4 })],
  ["copa", { ...LINK, name: "two", flows: [{ algorithm: "cubic" }] }],
  [
    "vegas",
    {
      ...LINK,
      name: "general",
      forward: { ...LINK.forward, queue: { ...LINK.forward.queue, discipline: { kind: "codel" } } },
    },
  ],
];

const made = (name: string) => makeAlgorithm(resolveAlgorithm(name));

function result(algorithm: string, scenario: Scenario): unknown {
  return runAlgorithm({ algorithm: made(algorithm), scenario, seed: 5, rewardName: "score" });
}

describe("a network that gets another's memory", () => {
  it("does what it did before runs of other links, algorithms, flows and networks, and after one that broke off", () => {
    const before = result("cubic", LINK);
    for (const [algorithm, scenario] of OTHERS) {
      const first = result(algorithm, scenario);
      expect(result(algorithm, scenario)).toEqual(first);
      const breaking = () => ({
        name: "breaking",
        cwndBytes: 1e5,
        pacingRateBytesPerSec: undefined,
        onAck: () => {
          throw new Error("broken");
        },
        onCongestion: () => {},
      });
      expect(() => runAlgorithm({ algorithm: breaking, scenario, seed: 1, rewardName: "score" })).toThrow(
        "broken",
      );
      expect(result("cubic", LINK)).toEqual(before);
    }
  });

  it("shares it with no other, were one released twice", () => {
    const open = () => SIMULATED.open(LINK, 1, { control: () => made("cubic") });
    const over = open();
    over.runUntil(over.endNs);
    over.release();
    over.release();
    const [one, two] = [open(), open()];
    one.runUntil(one.endNs);
    expect(two.nowNs).toBe(0);
    over.release();
    const three = open();
    two.runUntil(two.endNs);
    expect(three.nowNs).toBe(0);
    three.runUntil(three.endNs);
    for (const run of [two, three]) {
      expect(run.truth.forward.servedBytes(run.endNs)).toBe(one.truth.forward.servedBytes(one.endNs));
      expect(run.flows[0]!.sentPackets).toBe(one.flows[0]!.sentPackets);
    }
  });
});
