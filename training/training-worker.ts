/** A worker thread of a training: it steps its share of the environments, and helps with gradients. */
import { parentPort, workerData } from "node:worker_threads";
import { VALUE_HELP } from "../agents/nn/on-policy/value-thread.ts";
import { ROLLOUT } from "../agents/nn/rollout.ts";
import { raiseInliningBudget } from "../core/v8-inlining.ts";
import { loadSignals, type SignalNames } from "../envs/signals/signal-files.ts";
import { serveRows } from "../envs/vector/worker-thread.ts";
import { TRAINING_ENV } from "./training-env.ts";

raiseInliningBudget();
// not awaited: under tsx a worker's module may not await at its top; requests wait for `serveRows`
void loadSignals(workerData as SignalNames).then(() =>
  serveRows(parentPort!, [TRAINING_ENV], [ROLLOUT, VALUE_HELP]),
);
