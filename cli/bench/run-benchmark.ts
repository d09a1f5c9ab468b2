/** Wiring shared by `bench` and `quickstart`: runs a plan with progress, and hands back what reports need. */
import { availableParallelism } from "node:os";
import { CHECKPOINT_VERSION } from "../../agents/checkpoint.ts";
import { CcparkError } from "../../core/errors.ts";
import { RNG_NAME } from "../../core/random.ts";
import {
  type BenchmarkFailure,
  type BenchmarkPlan,
  type BenchmarkRun,
  countRuns,
  runBenchmark,
} from "../../eval/benchmark.ts";
import { breathe, interruptibly } from "../console.ts";
import { packageVersion } from "../own-package.ts";
import { startTask } from "../train/progress.ts";
import { type BenchInput, pipeOf, scenariosOf } from "./bench-plan.ts";
import {
  type DoneUnit,
  noneTaken,
  runStretch,
  takeAll,
  takeUnits,
  type UnitOutcome,
  unitsOf,
} from "./bench-unit.ts";
import { HelperThreads } from "./helper-threads.ts";
import { PlannedWork, ThreadCount } from "./thread-count.ts";

export interface RunOptions {
  readonly quiet: boolean;
  /** after each run */
  readonly onRun?: (run: BenchmarkRun) => void;
  /** of a contender that could not do a run; absent: the first one throws */
  readonly onFailure?: (failure: BenchmarkFailure) => void;
}

/** On this thread, run by run. */
export async function runPlan(
  plan: BenchmarkPlan,
  { quiet, onRun, onFailure }: RunOptions,
): Promise<BenchmarkRun[]> {
  const task = await startTask({ label: "benchmark", total: countRuns(plan), unit: "runs", quiet });
  const runs: BenchmarkRun[] = [];
  for await (const run of interruptibly(runBenchmark(plan, onFailure))) {
    runs.push(run);
    onRun?.(run);
    task.update(runs.length, `${run.record.scenario} ${run.record.algorithm}`);
    await breathe();
  }
  task.finish();
  return runs;
}

/** Why other threads may not run a plan, what of it lives in another process, in real time or in a pipe; undefined: they may. */
function refusesThreads(input: BenchInput, { contenders, testbed }: BenchmarkPlan): string | undefined {
  const outside = contenders.find(({ reproducible }) => reproducible === false);
  if (outside !== undefined) return `\`${outside.name}\` is an agent of another process`;
  if (testbed?.clock === "real") {
    return `on ${testbed.name} runs take turns, since threads beside them would delay packets`;
  }
  const pipe = pipeOf(input);
  return pipe && `\`${pipe}\` is a pipe, which each thread would have to read`;
}

/** Outcomes as they come, handed on in the order of units. */
class InOrder {
  readonly #hand: (outcome: UnitOutcome) => void;
  readonly #waiting = new Map<number, UnitOutcome>();
  #handed = 0;

  constructor(hand: (outcome: UnitOutcome) => void) {
    this.#hand = hand;
  }

  add({ place, outcome }: DoneUnit): void {
    this.#waiting.set(place, outcome);
    for (let next = this.#waiting.get(this.#handed); next; next = this.#waiting.get(this.#handed)) {
      this.#waiting.delete(this.#handed++);
      this.#hand(next);
    }
  }
}

/**
 * The same runs on this thread and further ones, told and handed back in the same order: the bytes of the results do not change.
 * @param workers threads in all; absent: one per core where there is enough to do
 * @throws CcparkError for more than one where only this one can: a contender that lives in another process, real time, a pipe
 */
export async function runPlanInThreads(
  input: BenchInput,
  plan: BenchmarkPlan,
  workers: number | undefined,
  options: RunOptions,
): Promise<BenchmarkRun[]> {
  const refused = refusesThreads(input, plan);
  if (refused !== undefined) {
    if (workers === undefined || workers === 1) return runPlan(plan, options);
    throw new CcparkError("invalid-argument", `[bench] ${refused}: it runs without --workers`);
  }
  const { quiet, onRun, onFailure } = options;
  const units = unitsOf(plan);
  const task = await startTask({ label: "benchmark", total: countRuns(plan), unit: "runs", quiet });
  const runs: BenchmarkRun[] = [];
  const inOrder = new InOrder((done) => {
    if ("kind" in done) throw new CcparkError(done.kind, done.message);
    for (const failure of done.failures) {
      if (onFailure === undefined) throw new CcparkError(failure.kind, failure.message);
      onFailure(failure);
    }
    for (const run of done.runs) {
      runs.push(run);
      onRun?.(run);
    }
  });
  const work = new PlannedWork(plan, units);
  let doneRuns = 0;
  let doneEvents = 0;
  const add = (done: DoneUnit): void => {
    inOrder.add(done);
    const { scenario, contender, seeds } = units[done.place]!;
    doneRuns += seeds.length;
    doneEvents += work.of(done.place);
    const latest = `${plan.scenarios[scenario]!.name} ${plan.contenders[contender]!.name}`;
    task.update(doneRuns, latest, doneEvents / work.total);
  };
  const taken = noneTaken(units);
  // a model's answers are waited for, and signals with them: its runs are those of other threads
  const isWaiting = input.algorithms.some((name) => name.startsWith("onnx:"));
  const count = new ThreadCount(work, { cores: availableParallelism(), nowMs: performance.now() });
  const atFirst = Math.min(workers ?? count.atFirst, units.length);
  const helpers = new HelperThreads({ input, scenarios: scenariosOf(plan), units, taken }, (done) => {
    try {
      add(done);
    } catch (error) {
      takeAll(taken);
      throw error;
    }
  });
  try {
    helpers.start(isWaiting ? 0 : 1, atFirst);
    const here = takeUnits(units, taken, { thread: 0, threads: atFirst });
    while (!isWaiting) {
      await breathe(); // a signal of the moment before is lost where a watch begins
      const stretch = await runStretch(plan, units, here);
      if (stretch.length === 0) break;
      for (const done of stretch) add(done);
      if (workers !== undefined) continue;
      const places = stretch.map(({ place }) => place);
      const threads = count.after(places, performance.now());
      if (threads !== undefined) helpers.start(1, threads);
    }
    await helpers.end();
  } finally {
    await helpers.terminate();
  }
  task.finish();
  return runs;
}

/** What a result depends on besides its options. */
export function versions(): Record<string, string> {
  return { ccpark: packageVersion(), generator: RNG_NAME, checkpoint: String(CHECKPOINT_VERSION) };
}
