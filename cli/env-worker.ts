/** A worker thread of `ccpark serve`: it makes the same environments as the main thread and steps its blocks of them. */
import { parentPort, workerData } from "node:worker_threads";
import { raiseInliningBudget } from "../core/v8-inlining.ts";
import { loadSignals } from "../envs/signals/signal-files.ts";
import { serveRows } from "../envs/vector/worker-thread.ts";
import { type ServedDefaults, servedEnvs } from "./served-env.ts";

raiseInliningBudget();
const defaults = workerData as ServedDefaults;
// not awaited: under tsx a worker's module may not await at its top; requests wait for `serveRows`
void loadSignals(defaults.signals ?? {}).then(() => serveRows(parentPort!, servedEnvs(defaults)));
