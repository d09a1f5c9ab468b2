/**
 * The vector forms of this process, views of rows: one on the calling thread, synchronous, and one whose rows may also be
 * stepped in worker threads. The same bytes for the same seed and actions, whatever the number of threads.
 */
import type { AlgorithmResolver } from "../../algorithms/cross-traffic.ts";
import { assert, CcparkError } from "../../core/errors.ts";
import type { AsyncVectorEnv, VectorEnv } from "../env.ts";
import type { EnvOptions } from "../options.ts";
import type { ScenarioSource } from "../steps/scenario-source.ts";
import type { RowArrays } from "./arrays.ts";
import { BrokenEnv } from "./block.ts";
import { checkActions, type RowRules } from "./check-actions.ts";
import { writeFirstSeeds } from "./episode-seeds.ts";
import { blockHere, openRowsHere, openRowsInThreads, type RowsSpec } from "./open-rows.ts";
import { type MaybePromise, onAll, settleAll } from "./place.ts";
import { RowsView } from "./rows-view.ts";
import { SingleFlowSlot } from "./slots/single-flow.ts";
import type { EnvKind, SlotEnvShape } from "./slots/slot-env.ts";
import { RowWorkers, type WorkerOptions } from "./worker-threads.ts";

/** SAME_STEP, as `VectorEnv` promises, and nothing that it does not show. */
function specOf(numEnvs: number, withState = false): RowsSpec {
  if (!Number.isSafeInteger(numEnvs) || numEnvs < 1) {
    throw new CcparkError(
      "invalid-argument",
      `[env] wrong number of environments: got ${numEnvs}, expected 1 or more`,
    );
  }
  return {
    numEnvs,
    firstSeed: 0,
    maxEpisodeSteps: 0,
    autoreset: "same-step",
    withState,
    infoKeys: [],
  };
}

/** What both forms do before and after their blocks. */
class WholeView extends RowsView {
  readonly #rules: RowRules;

  constructor(shape: SlotEnvShape, rows: RowArrays, rejects: boolean) {
    super(shape, rows, { from: 0, to: rows.phase.length });
    this.#rules = { shape, rows, autoreset: "same-step", rejects };
  }

  beforeReset(seed: number): void {
    const { rows } = this.#rules;
    writeFirstSeeds(seed, rows.nextSeeds);
    rows.mask.fill(1);
  }

  beforeStep(actions: Float32Array): void {
    const { rows, shape } = this.#rules;
    if (actions.length !== rows.actions.length) {
      throw new CcparkError(
        "invalid-argument",
        `[env] actions have the wrong length: got ${actions.length}, expected ${rows.phase.length} x ${shape.actionSpace.shape[0]}`,
      );
    }
    rows.actions.set(actions);
    checkActions(this.#rules, "actions");
  }
}

/** What an environment threw, as the caller of its vector is told. */
function told(error: unknown): unknown {
  if (!(error instanceof BrokenEnv)) return error;
  const { env, seed, step, doing, message, kind } = error.breakage;
  if (kind !== undefined) return new CcparkError(kind, message, { cause: error });
  return new CcparkError(
    "internal",
    `[env] environment ${env} threw in ${doing} (seed ${seed}, step ${step}): ${message}`,
    { cause: error },
  );
}

/**
 * N environments on the calling thread, stepped in order.
 * @param algorithms finds those of cross traffic; absent: the native ones
 */
export function makeVectorEnv(
  scenarios: ScenarioSource,
  options: EnvOptions,
  numEnvs: number,
  algorithms?: AlgorithmResolver,
): VectorEnv {
  const spec = specOf(numEnvs);
  const envs = Array.from({ length: numEnvs }, () => new SingleFlowSlot(options, { scenarios }, algorithms));
  const { rows, block } = blockHere(spec, envs);
  const view = new WholeView(envs[0]!, rows, options.actionPolicy === "reject");
  const carryOut = <T>(run: () => MaybePromise<T>): T => {
    try {
      const done = run();
      assert(!(done instanceof Promise), "environments in virtual time answer at once");
      return done;
    } catch (error) {
      throw told(error);
    }
  };
  return {
    ...view.shown,
    reset(seed) {
      view.beforeReset(seed);
      carryOut(() => block.reset(true));
      view.afterReset();
    },
    step(actions) {
      view.beforeStep(actions);
      view.afterStep(carryOut(() => block.step()));
    },
  };
}

export interface OpenVectorOptions {
  /** with one flow under test */
  readonly kind: EnvKind;
  /** plain data for `kind.make` */
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly numEnvs: number;
  /** whether the rows show the environments' states, where they have some; default false */
  readonly withState?: boolean;
  /** threads that step the environments, the calling one among them; default 1. More than environments are not started */
  readonly workers?: number;
  /** what another thread runs: a module that calls `serveRows` with the same kind; needed with several workers */
  readonly worker?: Pick<WorkerOptions, "url" | "data">;
}

/**
 * The same, and with several workers in blocks, one per thread, that are stepped at the same time: contiguous ones, until a task
 * lets rows go from thread to thread.
 * One reset or step at a time: the arrays are shared with the threads while it runs.
 * @throws CcparkError what `kind.make` throws; from a step or reset also `LostWorker`, after which only `close` is left
 */
export async function openVectorEnv(options: OpenVectorOptions): Promise<AsyncVectorEnv> {
  const { kind, kwargs, numEnvs, workers = 1, worker, withState = false } = options;
  const [sample] = kind.make(kwargs, 1);
  const spec = specOf(numEnvs, withState && sample!.stateSpace !== undefined);
  if (!Number.isSafeInteger(workers) || workers < 1 || (workers > 1 && worker === undefined)) {
    throw new CcparkError(
      "invalid-argument",
      `[env] workers: got ${workers}${worker === undefined ? " and no module for them" : ""}, expected a whole number of at least 1, beyond 1 with a module`,
    );
  }
  const others = Math.min(workers, numEnvs) - 1;
  const pool = worker === undefined || others === 0 ? undefined : new RowWorkers(others, worker);
  const close = async (): Promise<void> => pool?.close();
  try {
    const { rows, blocks } =
      pool === undefined
        ? openRowsHere(spec, kind.make(kwargs, numEnvs))
        : await openRowsInThreads(spec, { kind, kwargs, sample: sample!, withCaller: true }, pool);
    const view = new WholeView(sample!, rows, kwargs["actionPolicy"] === "reject");
    let isBusy = false;
    const alone = async <T>(run: () => Promise<T>): Promise<T> => {
      if (isBusy) {
        throw new CcparkError(
          "failed-precondition",
          "[env] a reset or step is under way: expected it to be awaited first",
        );
      }
      isBusy = true;
      try {
        return await run();
      } catch (error) {
        throw told(error);
      } finally {
        isBusy = false;
      }
    };
    return {
      ...view.shown,
      reset: (seed) =>
        alone(async () => {
          view.beforeReset(seed);
          await onAll(
            blocks,
            (block) => block.reset(true),
            () => view.afterReset(),
          );
        }),
      step: (actions) =>
        alone(async () => {
          view.beforeStep(actions);
          await onAll(
            blocks,
            (block) => block.step(),
            (episodes) => view.afterStep(episodes.flat()),
          );
        }),
      perform: (task, given) =>
        alone(async () => {
          rows.taken.fill(0);
          const results = await settleAll(blocks.map((block) => block.perform(task, given)));
          view.afterStep([]);
          return results;
        }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
