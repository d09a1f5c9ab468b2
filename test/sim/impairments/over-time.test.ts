import { describe, expect, it } from "vitest";
import { Rng } from "../../../core/random.ts";
import { NANOS_PER_MILLI, NANOS_PER_SEC } from "../../../core/units.ts";
import { Jitter } from "../../../sim/general/impairments/jitter.ts";
import { LossOverTime } from "../../../sim/general/impairments/loss-over-time.ts";

const SEED = 7;
const PACKETS = 100_000;

/** Mean extra delay of packets far apart, so that none waits for another. */
function meanMs(jitter: Jitter, fromSec: number, packets: number): number {
  let sum = 0;
  for (let i = 0; i < packets; i++) {
    const readyNs = (fromSec + i) * NANOS_PER_SEC;
    sum += jitter.releaseNs(readyNs) - readyNs;
  }
  return sum / packets / NANOS_PER_MILLI;
}

describe(`impairments over time (seed ${SEED})`, () => {
  it.each([
    // E[N1 - r where N1 >= 1] = 1 - (1 - 1/e) / 2; above 1 ms a share (mean - 1) / 90 of 90 ms comes on top
    [0.5, 1 - (1 - Math.exp(-1)) / 2],
    [7, 1 - (1 - Math.exp(-1)) / 2 + 6],
    [91, 1 - (1 - Math.exp(-1)) / 2 + 90],
    [200, 1 - (1 - Math.exp(-1)) / 2 + 90],
  ])("Wi-Fi jitter of %s ms has the mean of Huitema's mixture", (mean, expected) => {
    const jitter = new Jitter({ kind: "wifi", meanNs: mean * NANOS_PER_MILLI }, Rng.fromSeed(SEED));
    expect(Math.abs(meanMs(jitter, 0, PACKETS) - expected)).toBeLessThan(0.02 * expected + 0.01);
  });

  it("jitter by steps is none before its first point, and another from each point on, lap by lap", () => {
    const value = (ms: number) => ({ kind: "uniform", maxNs: ms * NANOS_PER_MILLI }) as const;
    const points = [
      { atNs: 10 * NANOS_PER_SEC, value: value(2) },
      { atNs: 20 * NANOS_PER_SEC, value: value(200) },
    ];
    const once = new Jitter({ kind: "steps", steps: { points, originNs: 0 } }, Rng.fromSeed(SEED));
    expect(meanMs(once, 0, 10)).toBe(0);
    expect(meanMs(once, 10, 10)).toBeLessThan(2);
    expect(meanMs(once, 20, 1_000)).toBeGreaterThan(80);
    const steps = { points, originNs: 0, periodNs: 40 * NANOS_PER_SEC };
    const laps = new Jitter({ kind: "steps", steps, reorder: true }, Rng.fromSeed(SEED));
    expect(meanMs(laps, 50, 10)).toBeLessThan(2);
    expect(meanMs(laps, 65, 10)).toBeGreaterThan(20);
  });

  it("loss over time loses nothing before its first point, a share from it on, and everything at 1", () => {
    const points = [
      { atNs: NANOS_PER_SEC, value: 0.25 },
      { atNs: 2 * NANOS_PER_SEC, value: 1 },
      { atNs: 3 * NANOS_PER_SEC, value: 0 },
    ];
    const loss = new LossOverTime({ points, originNs: 0 }, Rng.fromSeed(SEED));
    const share = (atSec: number): number => {
      let lost = 0;
      for (let i = 0; i < PACKETS; i++) if (loss.loses((atSec + i / PACKETS) * NANOS_PER_SEC)) lost++;
      return lost / PACKETS;
    };
    expect(share(0)).toBe(0);
    expect(Math.abs(share(1) - 0.25)).toBeLessThan(0.01);
    expect(share(2)).toBe(1);
    expect(share(3)).toBe(0);
  });
});
