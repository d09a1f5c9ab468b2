/** A worker thread that serves the toy. */
import { parentPort } from "node:worker_threads";
import { serveRows } from "../../envs/vector/worker-thread.ts";
import { SERVED_TOY } from "./toy-env.ts";

serveRows(parentPort!, [SERVED_TOY]);
