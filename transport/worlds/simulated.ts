/**
 * Hosts at the ends of the simulator's paths, in virtual time: the same links, queues, disciplines, impairments and cross traffic
 * as of every other run. Time belongs to the network.
 */
import type { Rng } from "../../core/random.ts";
import { type Bytes, type Micros, NANOS_PER_MICRO, type Nanos } from "../../core/units.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { GeneralNetwork, type OutsideFacts } from "../../sim/general/general-network.ts";
import type { NetworkSpec } from "../../sim/network.ts";
import { planLink } from "../../testbeds/emulated/link-plan.ts";
import type { Timer } from "../chunnel.ts";
import type { DatagramPort } from "../stack/open.ts";
import type { OnDatagram } from "./memory.ts";

/** IPv4 and UDP headers. */
const HEADER_BYTES = 28;
/** RFC 3168: not ECN-capable. */
const NOT_ECT = 0;

interface Carried {
  readonly datagram: Uint8Array;
  readonly way: number;
}

/** The two ends of a path: `client N` and `server N`, by its number. */
export class SimulatedWorld {
  readonly network: GeneralNetwork;
  readonly #carried = new Map<number, Carried>();
  /** by way: where its packets come out */
  readonly #ends = new Map<number, OnDatagram>();
  #count = 0;

  /** @param spec with `outside.paths`, one for each connection */
  constructor(spec: NetworkSpec, rng: Rng) {
    this.network = new GeneralNetwork(spec, rng, { outlet: this });
  }

  /** The links of a scenario, and a path for each of its flows, that under test first. */
  static of(scenario: Scenario, seed: number): SimulatedWorld {
    const { spec, rng } = planLink(scenario, seed, "outside");
    return new SimulatedWorld(spec, rng);
  }

  get nowUs(): Micros {
    return this.network.nowNs / NANOS_PER_MICRO;
  }

  /** Before the packets of that instant. */
  wakeAt(atUs: Micros, run: () => void): Timer {
    let isWanted = true;
    const atNs: Nanos = Math.max(this.network.nowNs, Math.ceil(atUs * NANOS_PER_MICRO));
    this.network.schedule(atNs, () => {
      if (isWanted) run();
    });
    return {
      cancel: () => {
        isWanted = false;
      },
    };
  }

  runUntil(untilUs: Micros): void {
    this.network.runUntil(untilUs * NANOS_PER_MICRO);
  }

  client(path: number, onDatagram: OnDatagram, maxBytes: Bytes = 1472): DatagramPort {
    this.#ends.set(2 * path + 1, onDatagram);
    return this.#port(`client ${path}`, path, 2 * path, maxBytes);
  }

  server(path: number, onDatagram: OnDatagram, maxBytes: Bytes = 1472): DatagramPort {
    this.#ends.set(2 * path, onDatagram);
    return this.#port(`server ${path}`, path, 2 * path + 1, maxBytes);
  }

  #port(self: string, path: number, way: number, maxBytes: Bytes): DatagramPort {
    const send = (datagram: Uint8Array): void => {
      const number = this.#count++;
      this.#carried.set(number, { datagram, way });
      const bytes = datagram.length + HEADER_BYTES;
      const packet = { number, bytes, flow: path, ecn: NOT_ECT, isAck: false };
      this.network.enterOutside(way, packet, this.network.nowNs);
    };
    return { self, maxBytes, send, room: () => Number.POSITIVE_INFINITY };
  }

  leave(way: number, number: number, { isCorrupt }: OutsideFacts): void {
    const { datagram } = this.#carried.get(number)!;
    this.#carried.delete(number);
    const carried = datagram.slice();
    if (isCorrupt && carried.length > 0) carried[carried.length - 1]! ^= 1;
    const from = `${way % 2 === 0 ? "client" : "server"} ${way >> 1}`;
    this.#ends.get(way)?.(carried, from);
  }

  drop(number: number): void {
    this.#carried.delete(number);
  }

  copy(number: number): number {
    const twin = this.#count++;
    this.#carried.set(twin, this.#carried.get(number)!);
    return twin;
  }
}
