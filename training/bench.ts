/**
 * `npm run bench:train [-- --json] [--learner NAME] [--action NAME] [--workers N] [--backends NAME,NAME] [--steps N]`: steps per
 * second of a training end to end (simulator, environment, policy, updates), with the environments, network and hyperparameters
 * that `npm start` trains with. With `--workers` the same training twice, with one thread and with N, with `--backends` once by
 * each of those who compute gradients, update by update in turn, so that all see the same machine.
 *
 * `simStepsPerSec` is the speed of the simulator's part (waiting for resets and rollouts), `updateUsPerStep` what the rest takes
 * of a step. P10: of the 10th percentile over updates, while nothing else had the cores. `ratio`, `simRatio` and their P10 are
 * the first training's time by this one's, of all and of the simulator's part: the median over updates, and of the 10th
 * percentiles. `actUs` is what one decision of the trained policy takes, alone in its batch, as `bench --checkpoint` acts: the median over
 * blocks of decisions, the policies of all trainings block by block in turn, and P10.
 */
import { ROLLOUT } from "../agents/nn/rollout.ts";
import { getLearner } from "../agents/registry.ts";
import { raiseInliningBudget } from "../core/v8-inlining.ts";
import type { AsyncVectorEnv } from "../envs/env.ts";
import { scriptOptions } from "../envs/grpc/bench/options.ts";
import { TRAINING_DEFAULTS } from "./defaults.ts";
import { openTrainingEnvs } from "./training-env.ts";

raiseInliningBudget();

const { values } = scriptOptions("bench:train", {
  json: { type: "boolean", what: "a row of JSON each" },
  learner: { type: "string", what: "who learns", default: "ppo" },
  action: { type: "string", what: "of the environment", default: TRAINING_DEFAULTS.env.action },
  workers: { type: "number", what: "the same with so many threads as well", low: 1, high: 256 },
  backends: { type: "string", what: "who compute gradients, in turn", default: "auto" },
  steps: { type: "number", what: "that count", low: 1 },
});
const { numEnvs, episodeSec } = TRAINING_DEFAULTS;
const env = { ...TRAINING_DEFAULTS.env, action: values.action };
const spec = getLearner(values.learner);

/**
 * Steps of warming up, then steps that count. V8 compiles for each thread anew, and needs some 150,000 steps of a thread's own
 * until it compiles nothing of note any more: two threads compared too early are one warm thread and a cold one.
 */
const [WARM_UP_STEPS, DEFAULT_STEPS] = values.workers === undefined ? [20_000, 180_000] : [400_000, 300_000];
const COUNTED_STEPS = values.steps ?? DEFAULT_STEPS;

/** Decisions of a block, and blocks. */
const DECISIONS = 2000;
const BLOCKS = 50;

/** Seconds that its caller waits for it so far. */
interface TimedEnvs extends AsyncVectorEnv {
  readonly waited: { seconds: number };
}

function timed(envs: AsyncVectorEnv): TimedEnvs {
  const waited = { seconds: 0 };
  const clock = async <T>(run: () => Promise<T>): Promise<T> => {
    const began = performance.now();
    const result = await run();
    waited.seconds += (performance.now() - began) / 1000;
    return result;
  };
  return {
    ...envs,
    waited,
    reset: (seed) => clock(() => envs.reset(seed)),
    step: (actions) => clock(() => envs.step(actions)),
    // other tasks than rollouts are parts of an update
    perform: (task, given) =>
      task.name === ROLLOUT.name ? clock(() => envs.perform!(task, given)) : envs.perform!(task, given),
  };
}

/** A training, update by update. */
async function startTraining({ workers, backend }: { readonly workers: number; readonly backend: string }) {
  const envs = timed(await openTrainingEnvs({ env, episodeSec }, { numEnvs, workers }));
  const { observationSpace, actionSpace } = envs;
  const learner = spec.make({ observationSpace, actionSpace, options: { ...spec.tuned, backend }, seed: 1 });
  const updates = learner.learn(envs, WARM_UP_STEPS + COUNTED_STEPS);
  const sums = { steps: 0, seconds: 0, simSeconds: 0 };
  const times = { all: [] as number[], sim: [] as number[], rest: [] as number[] };
  let stepsBefore = 0;
  let updateSteps = 0;
  /** @returns false: there was nothing left to do */
  const update = async (): Promise<boolean> => {
    const [began, simBegan] = [performance.now(), envs.waited.seconds];
    const next = await updates.next();
    if (next.done) return false;
    const { steps } = next.value;
    const sim = envs.waited.seconds - simBegan;
    if (stepsBefore >= WARM_UP_STEPS) {
      sums.steps += steps - stepsBefore;
      const all = (performance.now() - began) / 1000;
      sums.seconds += all;
      sums.simSeconds += sim;
      times.all.push(all);
      times.sim.push(sim);
      times.rest.push(all - sim);
      updateSteps = steps - stepsBefore;
    }
    stepsBefore = steps;
    return true;
  };
  const acting: number[] = [];
  /** Of the policy as it is now. @returns makes and times a block of decisions */
  const policy = () => {
    const agent = spec.policy(learner.checkpoint(), { observationSpace, actionSpace }, 1);
    const observations = Array.from({ length: 64 }, (_, i) =>
      new Float32Array(observationSpace.shape[0]).map((_, j) => Math.sin(i + 64 * j)),
    );
    return () => {
      const began = performance.now();
      for (let i = 0; i < DECISIONS; i++) agent.act(observations[i % 64]!, "greedy", 0);
      acting.push(((performance.now() - began) / DECISIONS) * 1000);
    };
  };
  const row = () => ({
    learner: learner.name,
    workers,
    steps: sums.steps,
    seconds: sums.seconds,
    stepsPerSec: Math.round(sums.steps / sums.seconds),
    stepsPerSecP10: Math.round(updateSteps / quantile(times.all, 0.1)),
    simStepsPerSec: Math.round(sums.steps / sums.simSeconds),
    simStepsPerSecP10: Math.round(updateSteps / quantile(times.sim, 0.1)),
    updateUsPerStep: ((sums.seconds - sums.simSeconds) / sums.steps) * 1e6,
    updateUsPerStepP10: (quantile(times.rest, 0.1) / updateSteps) * 1e6,
    actUs: quantile(acting, 0.5),
    actUsP10: quantile(acting, 0.1),
    envs: numEnvs,
    stepMs: env.stepMs,
    backend: learner.backendDetail,
  });
  return { update, policy, row, times, close: () => envs.close() };
}

function quantile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))]!;
}

function print(row: Readonly<Record<string, unknown>>): void {
  const text = Object.entries(row).map(([key, value]) => `${key} ${value}`);
  console.log(values.json ? JSON.stringify(row) : text.join("  "));
}

const threads = values.workers === undefined ? [1] : [1, values.workers];
const kinds = threads.flatMap((workers) =>
  values.backends.split(",").map((backend) => ({ workers, backend })),
);
const trainings: Awaited<ReturnType<typeof startTraining>>[] = [];
for (const kind of kinds) trainings.push(await startTraining(kind));
for (let going = true; going; ) {
  for (const training of trainings) going = (await training.update()) && going;
}
const policies = trainings.map((training) => training.policy());
for (let block = 0; block < BLOCKS; block++) for (const decide of policies) decide();
const [first, ...others] = trainings;
print(first!.row());
for (const other of others) {
  const ratio = (of: "all" | "sim") =>
    quantile(
      other.times[of].map((seconds, i) => first!.times[of][i]! / seconds),
      0.5,
    );
  const ratioP10 = (of: "all" | "sim") => quantile(first!.times[of], 0.1) / quantile(other.times[of], 0.1);
  print({
    ...other.row(),
    ...{ ratio: ratio("all"), ratioP10: ratioP10("all") },
    ...{ simRatio: ratio("sim"), simRatioP10: ratioP10("sim") },
  });
}
for (const training of trainings) await training.close();
