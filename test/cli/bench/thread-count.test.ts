import { describe, expect, it } from "vitest";
import type { BenchUnit } from "../../../cli/bench/bench-unit.ts";
import { PlannedWork, ThreadCount } from "../../../cli/bench/thread-count.ts";
import { makeLink } from "../../../scenarios/links.ts";

/** So many units of one run each, of `durationSec` on 12 Mbit/s: 1000 packets a second. */
function counted(runs: number, durationSec: number, cores: number): { count: ThreadCount; places: number[] } {
  const scenarios = [makeLink({ mbps: 12, rttMs: 40, durationSec })];
  const units = Array.from(
    { length: runs },
    (_, seed): BenchUnit => ({ scenario: 0, contender: 0, seeds: [seed] }),
  );
  return {
    count: new ThreadCount(new PlannedWork({ scenarios, seeds: [0] }, units), { cores, nowMs: 0 }),
    places: [...units.keys()],
  };
}

it("work is a run's packets and what each run takes beside them, for each of a unit's seeds", () => {
  const scenarios = [12, 120].map((mbps) => makeLink({ mbps, rttMs: 40, durationSec: 30 }));
  const units = [
    { scenario: 0, contender: 0, seeds: [1] },
    { scenario: 1, contender: 0, seeds: [1, 2] },
  ];
  const work = new PlannedWork({ scenarios, seeds: [1, 2] }, units);
  expect([work.of(0), work.of(1), work.total]).toEqual([35_000, 610_000, 645_000]);
});

describe("a benchmark begins", () => {
  it("with one thread where a further one would take longer to compile than it takes off the first", () => {
    expect(counted(8, 30, 16).count.atFirst).toBe(1);
    expect(counted(140, 100, 16).count.atFirst).toBe(1);
  });

  it("with a thread for each 0.6 s at the pace of one flow on one link, one per core at most", () => {
    expect(counted(200, 100, 16).count.atFirst).toBe(2);
    expect(counted(1000, 100, 16).count.atFirst).toBe(11);
    expect(counted(1000, 100, 4).count.atFirst).toBe(4);
  });

  it("with no more threads than there is to do at once", () => {
    expect(counted(3, 10_000, 16).count.atFirst).toBe(3);
  });
});

describe("threads are counted once more after half a second", () => {
  it("by the pace after the first quarter, in which the first thread compiles what it runs", () => {
    const { count, places } = counted(100, 30, 16);
    expect(count.after(places.slice(0, 5), 200)).toBeUndefined();
    expect(count.after(places.slice(5, 10), 260)).toBeUndefined();
    // 10 runs in 250 ms: 80 more take 2 s
    expect(count.after(places.slice(10, 20), 510)).toBe(1);
  });

  it("so that runs that take longer than their packets get further ones", () => {
    const { count, places } = counted(100, 30, 16);
    expect(count.after(places.slice(0, 2), 260)).toBeUndefined();
    // 8 runs in 250 ms: 90 more take 2.8 s
    expect(count.after(places.slice(2, 10), 510)).toBe(4);
    expect(count.after(places.slice(10, 20), 800)).toBeUndefined();
  });

  it("after the first run where that alone takes as long, and no more of them than runs are left", () => {
    const { count } = counted(4, 30, 16);
    expect(count.after([0], 10_000)).toBe(3);
  });

  it("not where there have been several from the beginning", () => {
    const { count, places } = counted(1000, 100, 4);
    expect(count.after(places.slice(0, 100), 10_000)).toBeUndefined();
  });
});
