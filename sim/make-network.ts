/** Chooses the network that runs a spec: the FIFO network where it can, else the general one. */
import type { Rng } from "../core/random.ts";
import { FifoNetwork, fifoJitterNs } from "./fifo/fifo-network.ts";
import { GeneralNetwork } from "./general/general-network.ts";
import type { FlowSpec, LinkSpec, Network, NetworkSpec } from "./network.ts";

function isPlainLink(link: LinkSpec): boolean {
  return (
    (link.discipline === undefined || link.discipline.kind === "drop-tail") && (link.propagationNs ?? 0) === 0
  );
}

function isPlainFlow(flow: FlowSpec): boolean {
  return flow.route === undefined && flow.delay === undefined;
}

/** Packets of another size: how many of them a queue with a limit in bytes takes, the FIFO network does not know. */
function isPlainBurst({ burst, forward }: NetworkSpec): boolean {
  return (
    burst === undefined ||
    burst.bytes === forward.dataBytes ||
    forward.queue.bytes === Number.POSITIVE_INFINITY
  );
}

/**
 * Whether the FIFO network can run it: one drop-tail bottleneck per direction, ACKs at most jittered, flows that go the
 * same way, and others' packets at most as a burst. */
export function isFifo(spec: NetworkSpec): boolean {
  return (
    isPlainLink(spec.forward) &&
    spec.forward.impairments === undefined &&
    isPlainLink(spec.reverse) &&
    (spec.reverse.impairments === undefined || fifoJitterNs(spec.reverse.impairments) !== undefined) &&
    (spec.links ?? []).length === 0 &&
    (spec.datagrams ?? []).length === 0 &&
    isPlainBurst(spec) &&
    spec.flows.every(isPlainFlow)
  );
}

export function makeNetwork(spec: NetworkSpec, rng: Rng): Network {
  return isFifo(spec) ? new FifoNetwork(spec, rng) : new GeneralNetwork(spec, rng);
}
