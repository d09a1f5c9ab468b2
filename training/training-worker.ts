/** A worker thread of a training: it steps its share of the environments. */
import { parentPort } from "node:worker_threads";
import { raiseInliningBudget } from "../core/v8-inlining.ts";
import { serveRows } from "../envs/vector/worker-thread.ts";
import { TRAINING_ENV } from "./training-env.ts";

raiseInliningBudget();
serveRows(parentPort!, [TRAINING_ENV]);
