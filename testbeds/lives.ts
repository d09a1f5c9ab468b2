/** Flows with an end: when each has ended, and what all got while they competed. */
import type { Bytes, Nanos } from "../core/units.ts";
import type { Network } from "../sim/network.ts";

/** Of a finite flow: its life ends when all that it had to send is acknowledged. */
export class FlowLife {
  /** from its start; absent: it may take as long as it wants */
  readonly deadlineSec: number | undefined;
  #completed: { readonly atNs: Nanos; readonly servedBytes: Bytes } | undefined;

  constructor(deadlineSec: number | undefined) {
    this.deadlineSec = deadlineSec;
  }

  /** When it ended, and the wire bytes that the measured link had served until then; undefined: it goes on. */
  get completed(): { readonly atNs: Nanos; readonly servedBytes: Bytes } | undefined {
    return this.#completed;
  }

  complete(atNs: Nanos, network: Pick<Network, "forward">): void {
    this.#completed = { atNs, servedBytes: network.forward.servedBytes(atNs) };
  }
}

/** Payloads that had arrived at a point of time, flow by flow. */
interface Mark {
  readonly atNs: Nanos;
  readonly arrivedPackets: readonly number[];
}

/**
 * The time in which all of some flows are there: from the last one's start to the first one's end. Only in it do their
 * shares say whether they are fair to one another, since whoever is left alone has the whole link.
 */
export class Competition {
  /** places among the network's flows */
  readonly #members: readonly number[];
  #from: Mark | undefined;
  #until: Mark | undefined;

  constructor(members: readonly number[]) {
    this.#members = members;
  }

  /** The last of them starts now. */
  begin(network: Network): void {
    if (this.#until === undefined) this.#from ??= this.#mark(network.flows, network.nowNs);
  }

  /** One of them ends now. */
  end(network: Network): void {
    this.#until ??= this.#mark(network.flows, network.nowNs);
  }

  /** Payloads of each that arrived meanwhile, up to now; undefined: they were never all there. */
  sharesPackets(flows: Network["flows"], nowNs: Nanos): number[] | undefined {
    const from = this.#from;
    const until = this.#until ?? this.#mark(flows, nowNs);
    if (from === undefined || until.atNs <= from.atNs) return undefined;
    return until.arrivedPackets.map((packets, i) => packets - from.arrivedPackets[i]!);
  }

  #mark(flows: Network["flows"], atNs: Nanos): Mark {
    const arrivedPackets = this.#members.map((place) => {
      const flow = flows[place]!;
      flow.advance(atNs);
      return flow.firstArrivedPackets;
    });
    return { atNs, arrivedPackets };
  }
}
