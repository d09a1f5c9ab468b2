/** The thread of a site's sendbox: says when it is ready, and holds packets back until it is to end. */
import { parentPort, workerData } from "node:worker_threads";
import { crossTrafficAlgorithm } from "../../algorithms/cross-traffic.ts";
import { Rng } from "../../core/random.ts";
import type { Bytes } from "../../core/units.ts";
import { raiseInliningBudget } from "../../core/v8-inlining.ts";
import { hurry } from "../emulated/hurry.ts";
import { loadLibc } from "../host/libc.ts";
import { controlsInProcess } from "../network-run.ts";
import type { BundlePolicy } from "./policy.ts";
import { type SendboxEnds, SendboxLoop } from "./sendbox-loop.ts";
import type { SharedSendbox } from "./shared.ts";

export interface SendboxThreadData {
  readonly policy: BundlePolicy;
  readonly mtuBytes: Bytes;
  readonly ends: SendboxEnds;
  readonly shared: SharedSendbox;
  readonly seed: number;
}

async function hold({ policy, seed, ...data }: SendboxThreadData): Promise<void> {
  raiseInliningBudget();
  const libc = await loadLibc();
  hurry(libc);
  const control = controlsInProcess()(crossTrafficAlgorithm(policy.algorithm));
  const loop = new SendboxLoop({ ...data, libc, policy, control, rng: Rng.fromSeed(seed) });
  parentPort!.postMessage("ready");
  loop.run();
}

void hold(workerData as SendboxThreadData);
