/** A worker thread of `ccpark serve`: it makes the same environments as the main thread and steps its blocks of them. */
import { parentPort, workerData } from "node:worker_threads";
import { raiseInliningBudget } from "../core/v8-inlining.ts";
import { serveRows } from "../envs/vector/worker-thread.ts";
import { type ServedDefaults, servedEnvs } from "./served-env.ts";

raiseInliningBudget();
serveRows(parentPort!, servedEnvs(workerData as ServedDefaults));
