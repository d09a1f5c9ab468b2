/** Wiring: the runs of a benchmark that are done at one go, by whichever thread comes first. */
import { CcparkError, type ErrorKind } from "../../core/errors.ts";
import {
  type BenchmarkFailure,
  type BenchmarkPlan,
  type BenchmarkRun,
  runBenchmark,
} from "../../eval/benchmark.ts";
import { breathe, interruptible } from "../console.ts";

/** Places in the plan. */
export interface BenchUnit {
  readonly scenario: number;
  readonly contender: number;
  readonly seeds: readonly number[];
}

/** A user's mistake keeps its kind on the way to the command. */
export type UnitOutcome =
  | { readonly runs: readonly BenchmarkRun[]; readonly failures: readonly BenchmarkFailure[] }
  | { readonly kind: ErrorKind; readonly message: string };

/** One scenario and contender each; seed by seed too, unless the contender chooses something for all seeds at once. */
export function unitsOf({ scenarios, contenders, seeds }: BenchmarkPlan): BenchUnit[] {
  return scenarios.flatMap((_, scenario) =>
    contenders.flatMap(({ prepare }, contender): BenchUnit[] =>
      prepare === undefined
        ? seeds.map((seed) => ({ scenario, contender, seeds: [seed] }))
        : [{ scenario, contender, seeds }],
    ),
  );
}

export interface DoneUnit {
  readonly place: number;
  readonly outcome: UnitOutcome;
}

/** Which units are taken: a word each, for all threads. */
export type Taken = Int32Array;

export function noneTaken(units: readonly BenchUnit[]): Taken {
  return new Int32Array(new SharedArrayBuffer(units.length * Int32Array.BYTES_PER_ELEMENT));
}

/** Nobody gets another. */
export function takeAll(taken: Taken): void {
  for (let place = 0; place < taken.length; place++) Atomics.store(taken, place, 1);
}

/**
 * What a thread does of the units, which others take too: each has contenders of its own, as it compiles what these run, and does theirs in
 * the order of results; with those done it helps with the others', a contender after another and from the end.
 * @yields places of units that nobody has taken yet
 */
export function* takeUnits(
  units: readonly BenchUnit[],
  taken: Taken,
  { thread, threads }: { readonly thread: number; readonly threads: number },
): Generator<number> {
  const isOwn = (place: number): boolean => units[place]!.contender % threads === thread;
  const places = Array.from(units.keys());
  const others = places
    .filter((place) => !isOwn(place))
    .sort((a, b) => units[b]!.contender - units[a]!.contender || b - a);
  for (const place of [...places.filter(isOwn), ...others])
    if (Atomics.compareExchange(taken, place, 0, 1) === 0) yield place;
}

/** The first run of the unit is computed within the call, as far as nothing of it has to be waited for: `runBenchmark` does so. */
export async function runUnit(plan: BenchmarkPlan, unit: BenchUnit): Promise<UnitOutcome> {
  const scenarios = [plan.scenarios[unit.scenario]!];
  const contenders = [plan.contenders[unit.contender]!];
  const runs: BenchmarkRun[] = [];
  const failures: BenchmarkFailure[] = [];
  try {
    const alone = { ...plan, scenarios, contenders, seeds: unit.seeds };
    const all = runBenchmark(alone, (failure) => failures.push(failure));
    for (let next = await all.next(); next.done !== true; ) {
      runs.push(next.value);
      // whether there is another is a question that costs a watch for Ctrl-C, a thread
      if (runs.length + failures.length === unit.seeds.length) break;
      await breathe(); // a signal of the moment before is lost where a watch begins
      next = await interruptible(() => all.next());
    }
    return { runs, failures };
  } catch (error) {
    if (error instanceof CcparkError) return { kind: error.kind, message: error.message };
    throw error;
  }
}

/** How long units are begun under one watch for Ctrl-C: to begin one takes as long as a short run. */
const STRETCH_MS = 50;

/**
 * Runs some of the units, of which each is over when the next one begins, unless it has to wait for something.
 * @param places where the units are, such as `takeUnits` yields them
 * @returns of those that it took: none if none are left
 */
export function runStretch(
  plan: BenchmarkPlan,
  units: readonly BenchUnit[],
  places: Iterator<number>,
): Promise<DoneUnit[]> {
  return interruptible(() => {
    const begun: Promise<DoneUnit>[] = [];
    const endMs = performance.now() + STRETCH_MS;
    do {
      const { done, value: place } = places.next();
      if (done === true) break;
      begun.push(runUnit(plan, units[place]!).then((outcome) => ({ place, outcome })));
    } while (performance.now() < endMs);
    return Promise.all(begun);
  });
}
