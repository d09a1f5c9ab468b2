/** A worker thread from a module of this project, from source as well as built. */
import { type ResourceLimits, Worker } from "node:worker_threads";

export function startWorkerThread(
  url: URL,
  workerData: unknown,
  resourceLimits: ResourceLimits = {},
): Worker {
  if (!url.pathname.endsWith(".ts")) return new Worker(url, { workerData, resourceLimits });
  return new Worker(new URL("./typescript-worker-thread.mjs", import.meta.url), {
    workerData,
    resourceLimits,
    argv: [url.href],
  });
}
