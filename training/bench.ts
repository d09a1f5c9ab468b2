/**
 * `npm run bench:train [-- --json]`: PPO steps per second end to end (simulator, environment, policy, updates), with the
 * environments, network and hyperparameters that `npm start` trains with.
 */
import { Ppo } from "../agents/ppo.ts";
import { raiseInliningBudget } from "../core/v8-inlining.ts";
import { makeVectorEnv } from "../envs/vector/local-vector-env.ts";
import { sampleTrainingScenario } from "../scenarios/training.ts";
import { TRAINING_DEFAULTS } from "./defaults.ts";

raiseInliningBudget();

const STEPS = 200_000;
/** the first updates compile and warm up */
const WARM_UP_STEPS = 20_000;

const { env, numEnvs, episodeSec, ppo } = TRAINING_DEFAULTS;
const envs = makeVectorEnv((rng) => sampleTrainingScenario(rng, { durationSec: episodeSec }), env, numEnvs);
const { observationSpace, actionSpace } = envs;
const learner = new Ppo({ observationSpace, actionSpace, options: ppo, seed: 1 });
let began = 0;
let from = 0;
let seconds = 0;
let steps = 0;
for await (const progress of learner.learn(envs, STEPS)) {
  const now = performance.now();
  if (from === 0 && progress.steps >= WARM_UP_STEPS) {
    began = now;
    from = progress.steps;
  }
  seconds = (now - began) / 1000;
  steps = progress.steps - from;
}
const row = {
  steps,
  seconds,
  stepsPerSec: Math.round(steps / seconds),
  envs: numEnvs,
  stepMs: env.stepMs,
  hidden: learner.options.hidden.join("x"),
  epochs: learner.options.epochs,
  minibatchSize: learner.options.minibatchSize,
  backend: learner.backendDetail,
};
const text = Object.entries(row).map(([key, value]) => `${key} ${value}`);
console.log(process.argv.includes("--json") ? JSON.stringify(row) : text.join("  "));
