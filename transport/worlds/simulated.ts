/**
 * Hosts at the ends of the simulator's paths, in virtual time: the same links, queues, disciplines, impairments and cross traffic
 * as of every other run. Time belongs to the network.
 */
import type { Rng } from "../../core/random.ts";
import { type Bytes, type Micros, NANOS_PER_MICRO } from "../../core/units.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { GeneralNetwork } from "../../sim/general/general-network.ts";
import type { NetworkSpec } from "../../sim/network.ts";
import { planLink } from "../../testbeds/emulated/link-plan.ts";
import { DatagramPaths } from "../../testbeds/stacks/datagram-paths.ts";
import type { Timer } from "../chunnel.ts";
import type { DatagramPort } from "../stack/open.ts";
import type { OnDatagram } from "./memory.ts";
import { networkClock } from "./network-clock.ts";

/** The two ends of a path: `client N` and `server N`, by its number. */
export class SimulatedWorld {
  readonly network: GeneralNetwork;
  readonly #paths = new DatagramPaths();
  readonly #clock: ReturnType<typeof networkClock>;

  /** @param spec with `outside.paths`, one for each connection */
  constructor(spec: NetworkSpec, rng: Rng) {
    this.network = new GeneralNetwork(spec, rng, { outlet: this.#paths });
    this.#paths.attach(this.network);
    this.#clock = networkClock(this.network);
  }

  /** The links of a scenario, and a path for each of its flows, that under test first. */
  static of(scenario: Scenario, seed: number): SimulatedWorld {
    const { spec, rng } = planLink(scenario, seed, "outside");
    return new SimulatedWorld(spec, rng);
  }

  get nowUs(): Micros {
    return this.#clock.nowUs;
  }

  /** Before the packets of that instant. */
  wakeAt(atUs: Micros, run: () => void): Timer {
    return this.#clock.wakeAt(atUs, run);
  }

  runUntil(untilUs: Micros): void {
    this.network.runUntil(untilUs * NANOS_PER_MICRO);
  }

  client(path: number, onDatagram: OnDatagram, maxBytes: Bytes = 1472): DatagramPort {
    return this.#paths.port(path, "client", maxBytes, onDatagram);
  }

  server(path: number, onDatagram: OnDatagram, maxBytes: Bytes = 1472): DatagramPort {
    return this.#paths.port(path, "server", maxBytes, onDatagram);
  }
}
