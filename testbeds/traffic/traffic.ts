/**
 * Traffic around the flow under test: transfers that arrive as a Poisson process, incast, and datagrams. Each transfer is a
 * flow of its own, which comes and goes while the network runs; what completed is written into a log.
 */
import { drawExponential } from "../../core/distributions.ts";
import type { Rng } from "../../core/random.ts";
import type { Bytes, BytesPerSec, Nanos } from "../../core/units.ts";
import { ACK_BYTES, fromMbps, MSS_BYTES, NANOS_PER_MICRO, NANOS_PER_SEC } from "../../core/units.ts";
import type { TrafficSpec } from "../../scenarios/traffic/traffic.ts";
import type { GeneralNetwork } from "../../sim/general/general-network.ts";
import type { DatagramSpec, FlowSpec } from "../../sim/network.ts";
import { sendOnce } from "./applications.ts";
import { makeSizes } from "./sizes.ts";

type Spec<K extends TrafficSpec["kind"]> = Extract<TrafficSpec, { kind: K }>;

/** Everything of a transfer's flow but when it starts and what it sends. */
export type TransferTemplate = Omit<FlowSpec, "startNs" | "stopNs" | "onStart">;

export interface CompletedTransfer {
  readonly algorithm: string;
  readonly bytes: Bytes;
  readonly startNs: Nanos;
  /** arrival of the last segment at the receiver */
  readonly completedNs: Nanos;
}

export interface TransferLog {
  started: number;
  readonly completed: CompletedTransfer[];
}

function startTransfer(
  network: GeneralNetwork,
  template: TransferTemplate,
  transfer: { readonly algorithm: string; readonly bytes: Bytes; readonly startNs: Nanos },
  log: TransferLog,
): void {
  log.started++;
  network.addFlow({
    ...template,
    startNs: transfer.startNs,
    stopNs: Number.POSITIVE_INFINITY,
    onStart: sendOnce(transfer.bytes, ({ arrivedNs }) =>
      log.completed.push({ ...transfer, completedNs: arrivedNs }),
    ),
  });
}

/** @param zeroNs when the scenario's time begins, `endNs` when it ends */
export function addTransfers(
  network: GeneralNetwork,
  spec: Spec<"transfers">,
  options: {
    readonly template: TransferTemplate;
    /** long-term rate of the link that `load` is a fraction of */
    readonly capacityBytesPerSec: BytesPerSec;
    readonly rng: Rng;
    readonly zeroNs: Nanos;
    readonly log: TransferLog;
  },
): void {
  const { template, capacityBytesPerSec, rng, zeroNs, log } = options;
  const sizes = makeSizes(spec.sizes);
  const { mssBytes = MSS_BYTES } = template;
  const wireBytes = (sizes.meanBytes * (mssBytes + ACK_BYTES)) / mssBytes;
  const perSec = spec.flowsPerSec ?? ((spec.load ?? 0) * capacityBytesPerSec) / wireBytes;
  const gaps = rng.fork("gaps");
  const draws = rng.fork("sizes");
  const stopNs =
    spec.stopSec === undefined ? Number.POSITIVE_INFINITY : zeroNs + spec.stopSec * NANOS_PER_SEC;
  const scheduleNext = (afterNs: Nanos): void => {
    const startNs = afterNs + (NANOS_PER_SEC * drawExponential(gaps)) / perSec;
    if (startNs >= stopNs) return;
    network.schedule(startNs, () => {
      startTransfer(network, template, { algorithm: spec.algorithm, bytes: sizes.draw(draws), startNs }, log);
      scheduleNext(startNs);
    });
  };
  if (perSec > 0) scheduleNext(Math.max(0, zeroNs + (spec.startSec ?? 0) * NANOS_PER_SEC));
}

export function addIncast(
  network: GeneralNetwork,
  spec: Spec<"incast">,
  options: {
    readonly template: TransferTemplate;
    readonly rng: Rng;
    readonly zeroNs: Nanos;
    readonly log: TransferLog;
  },
): void {
  const { template, rng, zeroNs, log } = options;
  const { algorithm, bytes } = spec;
  const round = (roundNs: Nanos): void => {
    for (let sender = 0; sender < spec.senders; sender++) {
      const startNs = roundNs + rng.next() * (spec.jitterUs ?? 0) * NANOS_PER_MICRO;
      startTransfer(network, template, { algorithm, bytes, startNs }, log);
    }
    if (spec.everySec !== undefined) {
      const nextNs = roundNs + spec.everySec * NANOS_PER_SEC;
      network.schedule(nextNs, () => round(nextNs));
    }
  };
  const firstNs = Math.max(0, zeroNs + (spec.startSec ?? 0) * NANOS_PER_SEC);
  network.schedule(firstNs, () => round(firstNs));
}

export function datagramSpec(
  spec: Spec<"datagrams">,
  options: {
    /** of datagrams without sizes */
    readonly mtuBytes: Bytes;
    readonly route: readonly number[];
    readonly propagationNs: Nanos;
    /** later than the spec says */
    readonly phaseNs: Nanos;
    readonly rng: Rng;
    readonly zeroNs: Nanos;
  },
): DatagramSpec {
  const { mtuBytes, route, propagationNs, phaseNs, rng, zeroNs } = options;
  const sizes = makeSizes(spec.sizes ?? { kind: "fixed", bytes: mtuBytes });
  const meanGapNs = (sizes.meanBytes * NANOS_PER_SEC) / fromMbps(spec.mbps);
  const gaps = rng.fork("gaps");
  const draws = rng.fork("sizes");
  return {
    startNs: Math.max(0, zeroNs + (spec.startSec ?? 0) * NANOS_PER_SEC) + phaseNs,
    stopNs: spec.stopSec === undefined ? Number.POSITIVE_INFINITY : zeroNs + spec.stopSec * NANOS_PER_SEC,
    gapNs: spec.arrivals === "constant" ? () => meanGapNs : () => meanGapNs * drawExponential(gaps),
    bytes: () => sizes.draw(draws),
    route,
    propagationNs,
    priority: spec.priority,
  };
}
