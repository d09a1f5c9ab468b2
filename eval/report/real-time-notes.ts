/** What a table of real-time runs must be read with: how late packets and decisions came, world by world and contender by contender. */
import type { Micros } from "../../core/units.ts";
import type { BenchmarkRecord } from "../benchmark.ts";
import { groupBy } from "../group-by.ts";
import { mean } from "../statistics.ts";

/** On a quiet machine of two processors no packet of 15 s is so late; a sender whose ACKs stand still so long sends a burst. */
const HELD_UP_US: Micros = 10_000;

/** @returns lines, each ended; empty for runs in virtual time */
export function realTimeNotes(records: readonly BenchmarkRecord[]): string {
  const timed = records.filter(({ timing }) => timing !== undefined);
  const notes = [...groupBy(timed, ({ testbed, algorithm }) => `${testbed}, ${algorithm}`)].map(
    ([name, runs]) => noteOf(name, runs),
  );
  if (timed.some(({ timing }) => timing!.packetLatenessUs.maxUs > HELD_UP_US)) {
    notes.push("Other work held the machine up: repeat it when that is done, or with more --seeds.\n");
  }
  const through = records.find(({ commandLine }) => commandLine !== undefined);
  if (through !== undefined) {
    notes.push(`${through.testbed}, ${through.scenario}, went through: ${through.commandLine}\n`);
  }
  return notes.join("");
}

function noteOf(name: string, runs: readonly BenchmarkRecord[]): string {
  const timings = runs.map(({ timing }) => timing!);
  const median = mean(timings.map(({ packetLatenessUs }) => packetLatenessUs.medianUs));
  const p99 = mean(timings.map(({ packetLatenessUs }) => packetLatenessUs.p99Us));
  const strays = timings.reduce((sum, { strayLosses }) => sum + strayLosses, 0);
  const most = Math.max(...timings.map(({ packetLatenessUs }) => packetLatenessUs.maxUs));
  const packets = `packets late by ${inMs(median)} (median), ${inMs(p99)} (p99), ${inMs(most)} at most`;
  const lost = strays === 0 ? "" : `, ${strays} lost outside the link`;
  const decisions = runs.flatMap((run) => run.decisions ?? []);
  const count = decisions.reduce((sum, each) => sum + each.count, 0);
  const late = decisions.reduce((sum, each) => sum + each.late, 0);
  const slow = Math.max(0, ...decisions.map(({ maxLatenessUs }) => maxLatenessUs));
  const decided =
    count === 0 ? "" : `; ${late} of ${count} decisions after the next report, at most ${inMs(slow)} late`;
  return `${name}: ${packets}${lost}${decided}\n`;
}

function inMs(us: number): string {
  return `${(us / 1000).toFixed(2)} ms`;
}
