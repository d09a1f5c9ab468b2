/**
 * How virtual time passes while an agent of another process is in the loop.
 *
 * Lock-step: time stands still from each message of the datapath until the agent has answered or been quiet
 * (`AgentLink.settle`). Real time: virtual time follows the monotonic clock, and messages arrive when they arrive.
 */
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import type { AgentLink } from "../../ccp-bridge/ipc/agent-link.ts";
import { NANOS_PER_MICRO, NANOS_PER_MILLI, type Nanos } from "../../core/units.ts";
import type { Network } from "../../sim/network.ts";

export const PACES = ["lock-step", "real-time"] as const;
export type Pace = (typeof PACES)[number];

/** Between two looks at the sockets in lock-step, and between two questions whether there is an agent. */
const SLICE_NS: Nanos = 100 * NANOS_PER_MILLI;
const TICK_MS = 1;

/** Runs the network to `untilNs`; in lock-step the link must call `network.requestStop` when a message has left. */
export function drive(link: AgentLink, network: Network, untilNs: Nanos, pace: Pace): Promise<void> {
  return pace === "lock-step" ? lockStep(link, network, untilNs) : realTime(link, network, untilNs);
}

async function lockStep(link: AgentLink, network: Network, untilNs: Nanos): Promise<void> {
  let sliceNs = network.nowNs;
  for (;;) {
    await link.settle();
    if (!network.runUntil(Math.min(sliceNs, untilNs))) continue;
    if (sliceNs >= untilNs) return;
    sliceNs += SLICE_NS;
    link.probe(network.nowNs / NANOS_PER_MICRO);
    await turn();
  }
}

async function realTime(link: AgentLink, network: Network, untilNs: Nanos): Promise<void> {
  const zeroMs = performance.now() - network.nowNs / NANOS_PER_MILLI;
  let probeNs = network.nowNs;
  while (network.nowNs < untilNs) {
    await sleep(TICK_MS);
    const nowNs = Math.min((performance.now() - zeroMs) * NANOS_PER_MILLI, untilNs);
    while (!network.runUntil(nowNs));
    if (nowNs < probeNs) continue;
    link.probe(nowNs / NANOS_PER_MICRO);
    probeNs = nowNs + SLICE_NS;
  }
}
