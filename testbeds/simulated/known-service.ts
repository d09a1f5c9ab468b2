/** What the measured link of a run will do, known before it runs: for bounds that look ahead, never for who is to be deployed. */
import type { AlgorithmResolver } from "../../algorithms/cross-traffic.ts";
import { CcparkError } from "../../core/errors.ts";
import type { Rng } from "../../core/random.ts";
import type { Bytes, Nanos } from "../../core/units.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { makeServer } from "../../sim/servers/make-server.ts";
import type { Server } from "../../sim/servers/server.ts";
import { RunPlan } from "../network-run.ts";

/**
 * When the link begins to serve each packet of the flow under test if it never has to wait for one. It knows rate, outages, the
 * packets that wait when the flow starts, and which packets Bernoulli loss takes before the queue: those need no service. Other
 * traffic it does not know.
 */
export class KnownService {
  readonly #server: Server;
  readonly #loss: Rng;
  readonly #lossRate: number;
  readonly #packetBytes: Bytes;
  readonly #startNs: Nanos;
  readonly #share: number;
  #credit = 0;
  /** drawn already, for a packet that has no service yet */
  #isNextLost: boolean | undefined;

  /**
   * @param scenario whose forward rate is limited
   * @param options share of the services that are given out (absent: 1; above 1 some are given out more than once), and what
   *   finds the algorithms of cross traffic
   */
  constructor(
    scenario: Scenario,
    seed: number,
    { share = 1, algorithms }: { readonly share?: number; readonly algorithms?: AlgorithmResolver } = {},
  ) {
    const { spec, rng, startNs } = new RunPlan(scenario, seed, { control: () => neverStarted, algorithms });
    const { rate, outages, lossRate, dataBytes } = spec.forward;
    this.#server = makeServer(rate, { rng: rng.fork("forward.rate"), outages });
    this.#loss = rng.fork("forward.loss");
    this.#lossRate = lossRate;
    this.#packetBytes = dataBytes;
    this.#startNs = startNs;
    this.#share = share;
    const { burst } = spec;
    for (let k = 1; k <= (burst?.packets ?? 0); k++) this.#server.serve(burst!.startNs + k, burst!.bytes);
  }

  /** What the link could serve in (fromNs, toNs], bytes on the wire; independent of `nextNs`. */
  capacityBytes(fromNs: Nanos, toNs: Nanos): Bytes {
    return this.#server.capacityBytes(fromNs, toNs);
  }

  /** A packet has been sent at a time of its own: the next one's loss is drawn, and its service found when it is asked for. */
  skip(): void {
    this.#isNextLost = this.#drawLoss();
  }

  #drawLoss(): boolean {
    return this.#lossRate > 0 && this.#loss.next() < this.#lossRate;
  }

  /**
   * For the next packet that the flow sends, in their order.
   * @param afterNs services that begin before it have passed
   * @returns when its service begins; Infinity: never
   */
  nextNs(afterNs: Nanos): Nanos {
    const server = this.#server;
    while (server.readyNs(this.#startNs) < afterNs) server.serve(this.#startNs, this.#packetBytes);
    const isLost = this.#isNextLost ?? this.#drawLoss();
    this.#isNextLost = undefined;
    if (isLost) return server.readyNs(this.#startNs);
    while (this.#credit < 1) {
      if (server.readyNs(this.#startNs) === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
      server.serve(this.#startNs, this.#packetBytes);
      this.#credit += this.#share;
    }
    this.#credit--;
    return server.startNs;
  }
}

function neverStarted(): never {
  throw new CcparkError("internal", "[testbed] a run that was only planned has started a flow");
}
