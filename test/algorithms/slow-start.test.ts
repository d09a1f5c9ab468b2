/** Slow starts: each with each window algorithm that has the axis, in each place. */
import { describe, expect, it } from "vitest";
import { makeAlgorithm, resolveAlgorithm } from "../../algorithms/reference.ts";
import { SLOW_START_PLACES, SLOW_STARTS } from "../../algorithms/slow-start/registry.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import { makeLink } from "../../scenarios/links.ts";

const THESIS = { mbps: 48, rttMs: 100, durationSec: 4 };
const KINDS = SLOW_STARTS.map(({ name }) => name);

function run(reference: string, bufferBdp: number): ReturnType<typeof runAlgorithm>["metrics"] {
  const scenario = makeLink({ ...THESIS, bufferBdp });
  const algorithm = makeAlgorithm(resolveAlgorithm(reference));
  return runAlgorithm({ scenario, seed: 1, rewardName: "score", algorithm }).metrics;
}

describe("slow starts", () => {
  it.each(["native-cubic", "native-reno", "cubic", "reno"])(
    "HyStart++ leaves slow start with at most half the losses of standard on 48 Mbit/s, 100 ms, 1 BDP: %s",
    (algorithm) => {
      const standard = run(`${algorithm}:slowStart=standard`, 1);
      const plusPlus = run(`${algorithm}:slowStart=hystart++`, 1);
      expect(standard.droppedPackets).toBeGreaterThan(0);
      expect(plusPlus.droppedPackets).toBeLessThanOrEqual(standard.droppedPackets / 2);
    },
  );

  it.each(["cubic", "native-cubic", "reno", "native-reno"])(
    "SEARCH leaves before a buffer of 4 BDP overflows as it does under standard: %s",
    (algorithm) => {
      const standard = run(`${algorithm}:slowStart=standard`, 4);
      const search = run(`${algorithm}:slowStart=search`, 4);
      expect(search.droppedPackets).toBeLessThanOrEqual(standard.droppedPackets / 4);
    },
  );

  it("HyStart leaves before 1 BDP overflows: at most a twentieth of the losses of standard", () => {
    expect(run("cubic:slowStart=hystart", 1).droppedPackets).toBeLessThanOrEqual(
      run("cubic:slowStart=standard", 1).droppedPackets / 20,
    );
  });

  it.each(["reno", "cubic"])(
    "HyStart sees the same trains of ACKs natively and in the program: %s",
    (algorithm) => {
      const chosen = `${algorithm}:slowStart=hystart,slowStartIn=datapath`;
      const inProgram = run(chosen, 1);
      const native = run(`native-${chosen}`, 1);
      expect(Math.abs(native.droppedPackets - inProgram.droppedPackets)).toBeLessThanOrEqual(1);
      expect(native.goodputMbps / inProgram.goodputMbps).toBeCloseTo(1, 2);
    },
  );

  it("paced, HyStart waits for a train of a whole round trip: it leaves no part of the link idle", () => {
    const paced = run("reno:slowStart=hystart,slowStartIn=datapath-rate", 1);
    const unpaced = run("reno:slowStart=hystart,slowStartIn=datapath", 1);
    expect(paced.goodputMbps).toBeGreaterThan(0.97 * unpaced.goodputMbps);
    expect(paced.droppedPackets).toBeLessThan(run("reno:slowStart=standard", 1).droppedPackets / 5);
  });

  describe.each(["reno", "cubic"])("%s", (algorithm) => {
    it.each(KINDS.flatMap((kind) => SLOW_START_PLACES.map((place) => [kind, place] as const)))(
      "doubles its window with %s in %s: half of the link within 4 s",
      (kind, place) => {
        const metrics = run(`${algorithm}:slowStart=${kind},slowStartIn=${place}`, 1);
        expect(metrics.goodputMbps).toBeGreaterThan(THESIS.mbps / 2);
      },
    );
  });

  it("is HyStart for Cubic and the standard one for Reno unless chosen, and their datapath programs stay as they were", () => {
    const programs = (reference: string): unknown => {
      const made = makeAlgorithm(resolveAlgorithm(reference));
      return typeof made === "function" ? made : made.programs;
    };
    expect(programs("cubic")).toEqual(programs("cubic:slowStart=hystart,slowStartIn=datapath"));
    expect(programs("reno")).toEqual(programs("reno:slowStart=standard,slowStartIn=datapath"));
  });

  it("a label names the choice as it was written", () => {
    expect(resolveAlgorithm("cubic:slowStart=hystart++").label).toBe("cubic:slowStart=hystart++");
  });
});
