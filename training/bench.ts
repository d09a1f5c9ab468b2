/**
 * `npm run bench:train [-- --json] [--workers N]`: PPO steps per second end to end (simulator, environment, policy, updates),
 * with the environments, network and hyperparameters that `npm start` trains with. With `--workers` the same training twice,
 * with one thread and with N, update by update in turn, so that both see the same machine: `simStepsPerSec` is the speed of
 * the simulator's part (waiting for resets and rollouts), `ratio` the median over updates of one thread's time for it by that
 * of N. `simStepsPerSecP10` and `ratioP10` are those of the 10th percentiles of each: while nothing else had the cores.
 */
import { parseArgs } from "node:util";
import { PPO, Ppo } from "../agents/ppo.ts";
import { raiseInliningBudget } from "../core/v8-inlining.ts";
import type { AsyncVectorEnv } from "../envs/env.ts";
import { TRAINING_DEFAULTS } from "./defaults.ts";
import { openTrainingEnvs } from "./training-env.ts";

raiseInliningBudget();

const { values } = parseArgs({ options: { json: { type: "boolean" }, workers: { type: "string" } } });
const { env, numEnvs, episodeSec } = TRAINING_DEFAULTS;

/**
 * Steps of warming up, then steps that count. V8 compiles for each thread anew, and needs some 150,000 steps of a thread's own
 * until it compiles nothing of note any more: two threads compared too early are one warm thread and a cold one.
 */
const [WARM_UP_STEPS, COUNTED_STEPS] = values.workers === undefined ? [20_000, 180_000] : [400_000, 300_000];

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
    perform: (task, given) => clock(() => envs.perform!(task, given)),
  };
}

/** A training, update by update. */
async function startTraining(workers: number) {
  const envs = timed(await openTrainingEnvs({ env, episodeSec }, { numEnvs, workers }));
  const { observationSpace, actionSpace } = envs;
  const learner = new Ppo({ observationSpace, actionSpace, options: PPO.tuned, seed: 1 });
  const updates = learner.learn(envs, WARM_UP_STEPS + COUNTED_STEPS);
  const sums = { steps: 0, seconds: 0, simSeconds: 0 };
  const simSeconds: number[] = [];
  let stepsBefore = 0;
  /** @returns false: there was nothing left to do */
  const update = async (): Promise<boolean> => {
    const [began, simBegan] = [performance.now(), envs.waited.seconds];
    const next = await updates.next();
    if (next.done) return false;
    const { steps } = next.value;
    const sim = envs.waited.seconds - simBegan;
    if (stepsBefore >= WARM_UP_STEPS) {
      sums.steps += steps - stepsBefore;
      sums.seconds += (performance.now() - began) / 1000;
      sums.simSeconds += sim;
      simSeconds.push(sim);
    }
    stepsBefore = steps;
    return true;
  };
  const updateSteps = numEnvs * learner.options.rolloutSteps;
  const row = () => ({
    workers,
    steps: sums.steps,
    seconds: sums.seconds,
    stepsPerSec: Math.round(sums.steps / sums.seconds),
    simStepsPerSec: Math.round(sums.steps / sums.simSeconds),
    simStepsPerSecP10: Math.round(updateSteps / quantile(simSeconds, 0.1)),
    envs: numEnvs,
    stepMs: env.stepMs,
    hidden: learner.options.hidden.join("x"),
    epochs: learner.options.epochs,
    minibatchSize: learner.options.minibatchSize,
    backend: learner.backendDetail,
  });
  return { update, row, simSeconds, close: () => envs.close() };
}

function quantile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))]!;
}

function print(row: Readonly<Record<string, unknown>>): void {
  const text = Object.entries(row).map(([key, value]) => `${key} ${value}`);
  console.log(values.json ? JSON.stringify(row) : text.join("  "));
}

if (values.workers === undefined) {
  const training = await startTraining(1);
  while (await training.update());
  print(training.row());
} else {
  const [one, many] = [await startTraining(1), await startTraining(Number(values.workers))];
  while ((await one.update()) && (await many.update()));
  const ratios = many.simSeconds.map((seconds, i) => one.simSeconds[i]! / seconds);
  print(one.row());
  print({
    ...many.row(),
    ratio: quantile(ratios, 0.5),
    ratioP10: quantile(one.simSeconds, 0.1) / quantile(many.simSeconds, 0.1),
  });
  await one.close();
  await many.close();
}
