/**
 * What a flow has to send over time: attached to a flow when it starts, an application supplies its sender with data.
 * All act in virtual time by call-backs of the network; data are whole segments.
 */
import { drawExponential, drawNormal } from "../../core/distributions.ts";
import { exp } from "../../core/math.ts";
import type { Rng } from "../../core/random.ts";
import type { Bytes, Nanos } from "../../core/units.ts";
import { fromMbps, NANOS_PER_SEC } from "../../core/units.ts";
import type { ApplicationSpec } from "../../scenarios/traffic/applications.ts";
import type { FlowSpec, Network, NetworkFlow, Supplied } from "../../sim/network.ts";

export type Attach = NonNullable<FlowSpec["onStart"]>;

type Spec<K extends ApplicationSpec["kind"]> = Extract<ApplicationSpec, { kind: K }>;

/** Segments that carry so many bytes; at least one. */
export function segmentsOf(bytes: Bytes, mssBytes: Bytes): number {
  return Math.max(1, Math.ceil(bytes / mssBytes));
}

/** What an application works with. */
class Host {
  readonly network: Network;
  readonly flow: NetworkFlow;
  readonly sender: Supplied;

  constructor(flow: NetworkFlow, network: Network, sender: Supplied = flow.sender!) {
    this.flow = flow;
    this.network = network;
    this.sender = sender;
    this.sender.withdraw(network.nowNs);
  }

  /** Before the first packet: the network plans it after the flow has started. */
  begin(packets: number): void {
    this.sender.supply(packets, this.network.nowNs);
  }

  after(spanNs: Nanos, run: () => void): void {
    this.network.schedule(this.network.nowNs + spanNs, run);
  }

  supply(packets: number): void {
    this.sender.supply(packets, this.network.nowNs);
    this.#refresh();
  }

  withdraw(): void {
    this.sender.withdraw(this.network.nowNs);
    this.#refresh();
  }

  /** Who sends from outside has plans of its own. */
  #refresh(): void {
    if (this.sender === this.flow.sender) this.network.refresh(this.flow);
  }
}

/** The end of a transfer, as its two ends see it. */
export interface Completion {
  /** the last segment reached the receiver */
  readonly arrivedNs: Nanos;
  /** the sender knows that all has arrived */
  readonly acknowledgedNs: Nanos;
}

/** One transfer, then the flow is over; `onComplete` is told when all of it is acknowledged. */
export function sendOnce(
  bytes: Bytes,
  onComplete?: (completion: Completion, network: Network) => void,
): Attach {
  return (flow, network, sender) => {
    const host = new Host(flow, network, sender);
    host.begin(segmentsOf(bytes, host.sender.mssBytes));
    host.sender.finish();
    if (onComplete !== undefined) {
      host.sender.onDrained = (acknowledgedNs) =>
        onComplete({ arrivedNs: flow.statistics.lastArrivalNs, acknowledgedNs }, network);
    }
  };
}

function onOff({ meanOnSec, meanOffSec }: Spec<"on-off">, rng: Rng): Attach {
  return (flow, network, sender) => {
    const host = new Host(flow, network, sender);
    const span = (meanSec: number): Nanos => meanSec * NANOS_PER_SEC * drawExponential(rng);
    const goOn = (): void => {
      host.supply(Number.POSITIVE_INFINITY);
      host.after(span(meanOnSec), goOff);
    };
    const goOff = (): void => {
      host.withdraw();
      host.after(span(meanOffSec), goOn);
    };
    host.begin(Number.POSITIVE_INFINITY);
    host.after(span(meanOnSec), goOff);
  };
}

function constantRate({ mbps }: Spec<"constant-rate">): Attach {
  return (flow, network, sender) => {
    const host = new Host(flow, network, sender);
    const gapNs = (host.sender.mssBytes * NANOS_PER_SEC) / fromMbps(mbps);
    const next = (): void => {
      host.supply(1);
      host.after(gapNs, next);
    };
    host.begin(1);
    host.after(gapNs, next);
  };
}

/** 30 frames per second with a key frame every 2 s, 4 times as large as the others; sizes spread by a sigma of 0.25. */
const VIDEO = { framesPerSec: 30, keyFrameEvery: 60, keyFrameRatio: 4, sigma: 0.25 };

/** Frames of log-normal size around their mean; key frames are larger, so that the mean rate is `mbps`. */
function video(spec: Spec<"video">, rng: Rng): Attach {
  const framesPerSec = spec.framesPerSec ?? VIDEO.framesPerSec;
  const keyFrameEvery = spec.keyFrameEvery ?? VIDEO.keyFrameEvery;
  const keyFrameRatio = spec.keyFrameRatio ?? VIDEO.keyFrameRatio;
  const sigma = spec.sigma ?? VIDEO.sigma;
  const meanBytes = fromMbps(spec.mbps) / framesPerSec;
  const smallBytes = (meanBytes * keyFrameEvery) / (keyFrameEvery - 1 + keyFrameRatio);
  return (flow, network, sender) => {
    const host = new Host(flow, network, sender);
    const { mssBytes } = host.sender;
    let frame = 0;
    /** of the last segment, filled by the next frame */
    let carriedBytes = 0;
    const drawSegments = (): number => {
      const scale = frame++ % keyFrameEvery === 0 ? keyFrameRatio : 1;
      const bytes = carriedBytes + smallBytes * scale * exp(sigma * drawNormal(rng) - (sigma * sigma) / 2);
      const segments = Math.floor(bytes / mssBytes);
      carriedBytes = bytes - segments * mssBytes;
      return segments;
    };
    const next = (): void => {
      host.supply(drawSegments());
      host.after(NANOS_PER_SEC / framesPerSec, next);
    };
    host.begin(drawSegments());
    host.after(NANOS_PER_SEC / framesPerSec, next);
  };
}

/** One transfer after the other; the pause begins when the last byte is acknowledged. */
function shortTransfers({ minBytes, maxBytes, meanOffSec }: Spec<"short-transfers">, rng: Rng): Attach {
  return (flow, network, sender) => {
    const host = new Host(flow, network, sender);
    const draw = (): number => segmentsOf(rng.uniform(minBytes, maxBytes), host.sender.mssBytes);
    host.sender.onDrained = () => {
      host.after(meanOffSec * NANOS_PER_SEC * drawExponential(rng), () => host.supply(draw()));
    };
    host.begin(draw());
  };
}

/** @param zeroNs when the scenario's time begins */
function pauses({ pauses: spans }: Spec<"pauses">, zeroNs: Nanos): Attach {
  return (flow, network, sender) => {
    const host = new Host(flow, network, sender);
    const isPaused = spans.some(
      ({ fromSec, toSec }) =>
        zeroNs + fromSec * NANOS_PER_SEC <= network.nowNs && network.nowNs < zeroNs + toSec * NANOS_PER_SEC,
    );
    if (!isPaused) host.begin(Number.POSITIVE_INFINITY);
    for (const { fromSec, toSec } of spans) {
      const fromNs = zeroNs + fromSec * NANOS_PER_SEC;
      const toNs = zeroNs + toSec * NANOS_PER_SEC;
      if (fromNs > network.nowNs) network.schedule(fromNs, () => host.withdraw());
      if (toNs > network.nowNs) network.schedule(toNs, () => host.supply(Number.POSITIVE_INFINITY));
    }
  };
}

/**
 * All but calls (`media.ts`), which see their flow's ACKs.
 * @param rng this application's own
 * @param onComplete of a finite transfer
 * @returns what attaches it to a flow; undefined: a bulk flow needs nothing
 */
export function makeApplication(
  spec: Exclude<ApplicationSpec, { kind: "media" }> | undefined,
  rng: Rng,
  zeroNs: Nanos,
  onComplete?: (completion: Completion, network: Network) => void,
): Attach | undefined {
  switch (spec?.kind) {
    case undefined:
    case "bulk":
      return undefined;
    case "finite":
      return sendOnce(spec.bytes, onComplete);
    case "on-off":
      return onOff(spec, rng);
    case "constant-rate":
      return constantRate(spec);
    case "video":
      return video(spec, rng);
    case "short-transfers":
      return shortTransfers(spec, rng);
    case "pauses":
      return pauses(spec, zeroNs);
  }
}
