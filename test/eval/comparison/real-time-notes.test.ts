/** What stands under a table of real-time runs. */
import { describe, expect, it } from "vitest";
import type { BenchmarkRecord } from "../../../eval/benchmark.ts";
import { realTimeNotes } from "../../../eval/report/real-time-notes.ts";

function runOf(maxUs: number): BenchmarkRecord {
  const timing = { packetLatenessUs: { medianUs: 20, p99Us: 400, maxUs }, strayLosses: 0 };
  // what the notes read of a record
  return { testbed: "linux", algorithm: "reno", timing } as unknown as BenchmarkRecord;
}

describe("the notes under a table of real-time runs", () => {
  it("say how late packets were, over all runs of a contender", () => {
    expect(realTimeNotes([runOf(900), runOf(1200)])).toBe(
      "linux, reno: packets late by 0.02 ms (median), 0.40 ms (p99), 1.20 ms at most\n",
    );
  });

  it("say so where the machine stood still", () => {
    expect(realTimeNotes([runOf(900), runOf(12_000)])).toContain("held the machine up: repeat it");
  });

  it("are not there in virtual time", () => {
    expect(realTimeNotes([{ ...runOf(0), timing: undefined }])).toBe("");
  });
});
