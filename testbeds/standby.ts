/**
 * A second agent that waits: the first one renews its lease while it lives, and when the lease has ended the standby takes its flows
 * over. It learns of them as any new agent does, by the datapath's announcement, and acts from the next ACK on.
 */
import type { CcpAlgorithmFactory } from "../ccp-bridge/in-process-flow.ts";
import { MICROS_PER_SEC, NANOS_PER_MICRO, NANOS_PER_SEC, type Nanos } from "../core/units.ts";
import { Lease } from "../flows/lease.ts";
import type { StandbySpec } from "../scenarios/traffic/named-flows.ts";
import type { Network } from "../sim/network.ts";

/** Of a lease: one that is late is no end. */
const RENEWALS = 5;

/** @param agents of the flows under test */
export function runStandby(
  network: Network,
  agents: Iterable<Pick<CcpAlgorithmFactory, "loseAgent" | "restartAgent">>,
  { killAtSec, leaseSec }: StandbySpec,
  zeroNs: Nanos,
): void {
  const lease = new Lease(leaseSec * MICROS_PER_SEC, zeroNs / NANOS_PER_MICRO);
  const everyNs = (leaseSec * NANOS_PER_SEC) / RENEWALS;
  let isAlive = true;
  const renew = (): void => {
    if (!isAlive) return;
    lease.renew(network.nowNs / NANOS_PER_MICRO);
    network.schedule(network.nowNs + everyNs, renew);
  };
  const watch = (): void => {
    const nowUs = network.nowNs / NANOS_PER_MICRO;
    if (lease.isOver(nowUs)) for (const agent of agents) agent.restartAgent(nowUs);
    else network.schedule(lease.endsUs * NANOS_PER_MICRO, watch);
  };
  network.schedule(zeroNs + everyNs, renew);
  network.schedule(lease.endsUs * NANOS_PER_MICRO, watch);
  network.schedule(zeroNs + killAtSec * NANOS_PER_SEC, () => {
    isAlive = false;
    for (const agent of agents) agent.loseAgent();
  });
}
