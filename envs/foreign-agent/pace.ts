/**
 * How virtual time passes while an agent of another process is in the loop.
 *
 * Lock-step: time stands still from each message of the datapath until the agent has answered or been quiet
 * (`AgentLink.settle`). Real time: virtual time follows the monotonic clock, and messages arrive when they arrive.
 */
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import type { AgentLink } from "../../ccp-bridge/ipc/agent-link.ts";
import { NANOS_PER_MICRO, NANOS_PER_MILLI, type Nanos } from "../../core/units.ts";
import type { VirtualRun } from "../../testbeds/testbed.ts";

export const PACES = ["lock-step", "real-time"] as const;
export type Pace = (typeof PACES)[number];

type Timed = Pick<VirtualRun, "nowNs" | "runUntil">;

/** Between two looks at the sockets in lock-step, and between two questions whether there is an agent. */
const SLICE_NS: Nanos = 100 * NANOS_PER_MILLI;
const TICK_MS = 1;

/** Drives the run to `untilNs`; in lock-step the link must call `run.requestStop` when a message has left. */
export function drive(link: AgentLink, run: Timed, untilNs: Nanos, pace: Pace): Promise<void> {
  return pace === "lock-step" ? lockStep(link, run, untilNs) : realTime(link, run, untilNs);
}

async function lockStep(link: AgentLink, run: Timed, untilNs: Nanos): Promise<void> {
  let sliceNs = run.nowNs;
  for (;;) {
    await link.settle();
    if (!run.runUntil(Math.min(sliceNs, untilNs))) continue;
    if (sliceNs >= untilNs) return;
    sliceNs += SLICE_NS;
    link.probe(run.nowNs / NANOS_PER_MICRO);
    await turn();
  }
}

async function realTime(link: AgentLink, run: Timed, untilNs: Nanos): Promise<void> {
  const zeroMs = performance.now() - run.nowNs / NANOS_PER_MILLI;
  let probeNs = run.nowNs;
  while (run.nowNs < untilNs) {
    await sleep(TICK_MS);
    const nowNs = Math.min((performance.now() - zeroMs) * NANOS_PER_MILLI, untilNs);
    while (!run.runUntil(nowNs));
    if (nowNs < probeNs) continue;
    link.probe(nowNs / NANOS_PER_MICRO);
    probeNs = nowNs + SLICE_NS;
  }
}
