/** Curricula: that their files can be read and run, and reach as far as they say. */
import { describe, expect, it } from "vitest";
import { crossTrafficAlgorithm } from "../../algorithms/cross-traffic.ts";
import { cubic } from "../../algorithms/native/cubic.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import { bdpBytes } from "../../eval/links.ts";
import { peakMbps } from "../../scenarios/rates/registry.ts";
import { roundTripMs } from "../../scenarios/scenario.ts";
import { resolveScenarios } from "../../scenarios/scenario-files.ts";
import { CURRICULA, curriculumFiles, findCurriculum } from "../../training/curricula/registry.ts";

const DRAWS = 50;

describe.each([...CURRICULA.values()])("curriculum $name", (curriculum) => {
  it("has each file as often as it has shares, and each draws links that run", () => {
    const files = curriculumFiles(curriculum);
    expect(files).toHaveLength(Object.values(curriculum.shares).reduce((sum, share) => sum + share, 0));
    for (const entry of resolveScenarios([...new Set(files)], { durationSec: 1 })) {
      const scenario = entry.of(3);
      const options = { scenario, seed: 3, rewardName: "score", algorithms: crossTrafficAlgorithm };
      expect(runAlgorithm({ ...options, algorithm: cubic }).metrics.sentPackets, entry.name).toBeGreaterThan(
        0,
      );
    }
  });
});

describe("curriculum general", () => {
  it("reaches from 0.5 to 500 Mbit/s, 5 to 300 ms and 0.1 to 10 BDP", () => {
    const entries = resolveScenarios(curriculumFiles(findCurriculum("general")));
    const drawn = entries.flatMap((entry) => Array.from({ length: DRAWS }, (_, seed) => entry.of(seed)));
    const rates = drawn.map(({ forward }) => peakMbps(forward.rate)!);
    const delays = drawn.map(roundTripMs);
    const buffers = drawn.flatMap((each) =>
      each.forward.queue.packets === undefined || each.forward.rate.kind !== "constant"
        ? []
        : [(each.forward.queue.packets * 1500) / bdpBytes(each)],
    );
    expect(Math.min(...rates)).toBeLessThan(0.8);
    expect(Math.max(...rates)).toBeGreaterThan(300);
    expect(Math.min(...delays)).toBeLessThan(7);
    expect(Math.max(...delays)).toBeGreaterThan(220);
    expect(Math.min(...buffers)).toBeLessThan(0.15);
    expect(Math.max(...buffers)).toBeGreaterThan(7);
  });

  it("is told from a name that is not there", () => {
    expect(() => findCurriculum("generel")).toThrow("did you mean `general`?");
  });
});
