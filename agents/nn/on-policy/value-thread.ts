/**
 * The value network's half of an update in another thread. While a learner makes its gradient steps, the threads that step its
 * environments have nothing to do; one of them computes the value network's gradients while the learner computes the policy's. The
 * two halves share only the norm of the gradient, so the bytes are those of one thread.
 *
 * It is asked by numbers in shared memory: a gradient step is a millisecond, and a message between threads takes a tenth of that.
 */
import { CcparkError } from "../../../core/errors.ts";
import type { AsyncVectorEnv, RowTask } from "../../../envs/env.ts";
import { FusedMlp } from "../../fused/fused-mlp.ts";
import type { Minibatch } from "../batch.ts";
import { type MlpLayout, mlpLayout } from "../mlp.ts";
import { type ValueStep, valueStep } from "./value-step.ts";

/** Where in `control` what stands. */
const COME = 0;
const ASKED = 1;
const ANSWERED = 2;
const ROWS = 3;
const OVER = 4;
const CONTROLS = 5;
/** Where in `reals`. */
const VALUE_COEF = 0;
const VALUE_LOSS = 1;

/** A gradient step takes milliseconds: whoever has not answered by then never will. */
const PATIENCE_MS = 60_000;

/** What both threads see. */
interface Shared {
  /** widths of the value network's layers, its inputs first */
  readonly widths: readonly number[];
  /** how many have come to help, questions asked, questions answered, rows of the last one, whether there are no more */
  readonly control: Int32Array;
  readonly reals: Float64Array;
  /** [capacity x inputs] */
  readonly observations: Float32Array;
  /** [capacity] */
  readonly targets: Float32Array;
  readonly weights: Float32Array;
  readonly gradient: Float32Array;
}

/** One of a thread's own, since none gives back its memory: learners of a thread take turns at it. */
let kept: { readonly of: string; readonly network: FusedMlp } | undefined;

function networkOf(widths: readonly number[]): FusedMlp {
  const of = widths.join();
  if (kept?.of !== of) kept = { of, network: new FusedMlp(mlpLayout(widths)) };
  return kept.network;
}

/** Answers until there are no more questions. */
function help({ widths, control, reals, observations, targets, weights, gradient }: Shared): void {
  const network = networkOf(widths);
  for (let answered = 0; ; answered++) {
    // a call that wakes it may come late, after the question that it is for was answered: only the number counts
    while (Atomics.load(control, ASKED) === answered) Atomics.wait(control, ASKED, answered);
    if (Atomics.load(control, OVER) === 1) return;
    const rows = Atomics.load(control, ROWS);
    const given = { rows, observations: observations.subarray(0, rows * widths[0]!), targets };
    const step = valueStep(network, weights, given, reals[VALUE_COEF]!);
    gradient.set(step.gradient);
    reals[VALUE_LOSS] = step.valueLoss;
    Atomics.store(control, ANSWERED, answered + 1);
    Atomics.notify(control, ANSWERED);
  }
}

/** Threads of a training must know it. */
export const VALUE_HELP: RowTask<Shared, void> = {
  name: "value-help",
  async run({ isCaller }, shared) {
    if (!isCaller && Atomics.compareExchange(shared.control, COME, 0, 1) === 0) help(shared);
  },
};

/** The asking side, of one update. */
export class ValueThread {
  readonly #shared: Shared;
  readonly #done: Promise<unknown>;
  #asked = 0;

  /** @param rows the largest question */
  constructor(envs: AsyncVectorEnv, layout: MlpLayout, rows: number) {
    const widths = [layout.layers[0]!.inputs, ...layout.layers.map(({ outputs }) => outputs)];
    const float32 = (length: number) => new Float32Array(new SharedArrayBuffer(4 * length));
    this.#shared = {
      widths,
      control: new Int32Array(new SharedArrayBuffer(4 * CONTROLS)),
      reals: new Float64Array(new SharedArrayBuffer(16)),
      observations: float32(rows * widths[0]!),
      targets: float32(rows),
      weights: float32(layout.size),
      gradient: float32(layout.size),
    };
    this.#done = envs.perform!(VALUE_HELP, this.#shared);
  }

  /** @returns false: nobody has come to help yet */
  ask(
    weights: Float32Array,
    { rows, observations, targets }: Pick<Minibatch, "rows" | "observations" | "targets">,
    valueCoef: number,
  ): boolean {
    const { control, reals, ...arrays } = this.#shared;
    if (Atomics.load(control, COME) === 0) return false;
    arrays.weights.set(weights);
    arrays.observations.set(observations);
    arrays.targets.set(targets);
    reals[VALUE_COEF] = valueCoef;
    Atomics.store(control, ROWS, rows);
    this.#asked += 1;
    Atomics.store(control, ASKED, this.#asked);
    Atomics.notify(control, ASKED);
    return true;
  }

  /** Waits for it. @throws CcparkError (unavailable) where the other thread does not answer */
  answer(): ValueStep {
    const { control, reals, gradient } = this.#shared;
    while (Atomics.load(control, ANSWERED) !== this.#asked) {
      if (Atomics.wait(control, ANSWERED, this.#asked - 1, PATIENCE_MS) === "timed-out") {
        throw new CcparkError(
          "unavailable",
          `[training] the thread that computes the value network's gradients has not answered for ${PATIENCE_MS / 1000} s`,
        );
      }
    }
    return { valueLoss: reals[VALUE_LOSS]!, gradient };
  }

  /** No more questions. @throws what the threads throw */
  async end(): Promise<void> {
    const { control } = this.#shared;
    // nobody need come any more, and whoever waits for a question sees that there is none
    Atomics.add(control, COME, 1);
    Atomics.store(control, OVER, 1);
    Atomics.add(control, ASKED, 1);
    Atomics.notify(control, ASKED);
    await this.#done;
  }
}
