/** A worker thread that makes handles by itself, as one of a process whose creator it is told. */
import { randomFillSync } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import { HandleRegistry } from "../../flows/handle.ts";

const { creator, count } = workerData as { readonly creator: bigint; readonly count: number };
const word = new Uint32Array(1);
const registry = new HandleRegistry(() => randomFillSync(word)[0]!, creator);
parentPort!.postMessage(Array.from({ length: count }, () => registry.next().toString()));
