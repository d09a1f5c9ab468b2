/** Wiring shared by `bench` and `quickstart`: runs a plan with progress, and hands back what reports need. */
import { availableParallelism } from "node:os";
import { CHECKPOINT_VERSION } from "../../agents/checkpoint.ts";
import { CcparkError } from "../../core/errors.ts";
import { RNG_NAME } from "../../core/random.ts";
import { startWorkerThread } from "../../core/start-worker-thread.ts";
import {
  type BenchmarkFailure,
  type BenchmarkPlan,
  type BenchmarkRun,
  countRuns,
  runBenchmark,
} from "../../eval/benchmark.ts";
import { eventsPerSec } from "../../scenarios/estimates/cost.ts";
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
import type { BenchWorkerData } from "./bench-worker.ts";

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

/** What a further thread must take off the others: it loads and compiles the simulator for a third of a second first. */
const EVENTS_PER_THREAD = 1_000_000;
/** Of a run beside its packets: a network, its programs and its results. */
const EVENTS_PER_RUN = 5_000;

/** As many threads as there are cores, if each has enough to do. */
function threadsFor({ scenarios, contenders, seeds }: BenchmarkPlan): number {
  const runs = contenders.length * seeds.length;
  let events = 0;
  for (const planned of scenarios) {
    const scenario = "of" in planned ? planned.of(seeds[0]!) : planned;
    events += runs * (EVENTS_PER_RUN + eventsPerSec(scenario) * scenario.durationSec);
  }
  return Math.min(availableParallelism(), Math.max(1, Math.floor(events / EVENTS_PER_THREAD)));
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
      task.update(runs.length, `${run.record.scenario} ${run.record.algorithm}`);
    }
  });
  const taken = noneTaken(units);
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const url = new URL(`./bench-worker.${extension}`, import.meta.url);
  // a model's answers are waited for, and signals with them: its runs are those of other threads
  const isWaiting = input.algorithms.some((name) => name.startsWith("onnx:"));
  const threads = Math.min(workers ?? threadsFor(plan), units.length);
  const scenarios = scenariosOf(plan);
  const helpers = Array.from({ length: threads - (isWaiting ? 0 : 1) }, (_, helper) => {
    const thread = threads - 1 - helper;
    const data: BenchWorkerData = { input, scenarios, units, taken, thread, threads };
    return startWorkerThread(url, data);
  });
  try {
    const ends = helpers.map(
      (helper) =>
        new Promise<void>((resolve, reject) => {
          helper.on("message", (done: DoneUnit) => {
            try {
              inOrder.add(done);
            } catch (error) {
              takeAll(taken);
              reject(error);
            }
          });
          helper.once("error", reject);
          helper.once("exit", () => resolve());
        }),
    );
    // all are awaited below; one that fails meanwhile must not be an unhandled rejection
    for (const end of ends) end.catch(() => {});
    const here = takeUnits(units, taken, { thread: 0, threads });
    while (!isWaiting) {
      await breathe(); // a signal of the moment before is lost where a watch begins
      const stretch = await runStretch(plan, units, here);
      if (stretch.length === 0) break;
      for (const done of stretch) inOrder.add(done);
    }
    await Promise.all(ends);
  } finally {
    await Promise.all(helpers.map((helper) => helper.terminate()));
  }
  task.finish();
  return runs;
}

/** What a result depends on besides its options. */
export function versions(): Record<string, string> {
  return { ccpark: packageVersion(), generator: RNG_NAME, checkpoint: String(CHECKPOINT_VERSION) };
}
