import { expect, test } from "vitest";
import { type BenchUnit, noneTaken, takeAll, takeUnits } from "../../../cli/bench/bench-unit.ts";

const SCENARIOS = [0, 1, 2];
const CONTENDERS = [0, 1, 2, 3];
const units: BenchUnit[] = SCENARIOS.flatMap((scenario) =>
  CONTENDERS.map((contender) => ({ scenario, contender, seeds: [1] })),
);

function contendersOf(places: readonly number[]): number[] {
  return places.map((place) => units[place]!.contender);
}

test("a thread does all units of its own contenders in the order of results, then the others' from the end, one contender after another", () => {
  const places = [...takeUnits(units, noneTaken(units), { thread: 1, threads: 2 })];
  expect(places.slice(0, 6)).toEqual([1, 3, 5, 7, 9, 11]);
  expect(contendersOf(places.slice(6))).toEqual([2, 2, 2, 0, 0, 0]);
  expect(places.toSorted((a, b) => a - b)).toEqual([...units.keys()]);
});

test("two threads take each unit once, and keep to their own contenders while there are any", () => {
  const taken = noneTaken(units);
  const threads = [0, 1].map((thread) => takeUnits(units, taken, { thread, threads: 2 }));
  const places: number[] = [];
  for (let i = 0; i < 6; i++) for (const thread of threads) places.push(thread.next().value as number);
  expect(places).toEqual([...units.keys()]);
  for (const thread of threads) expect(thread.next().done).toBe(true);
});

test("nobody gets another once all are taken", () => {
  const taken = noneTaken(units);
  const places = takeUnits(units, taken, { thread: 0, threads: 1 });
  expect(places.next().value).toBe(0);
  takeAll(taken);
  expect(places.next().done).toBe(true);
});
