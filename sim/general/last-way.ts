/** From the last hop of a route to where it ends: propagation, constant or varying. */
import type { Nanos } from "../../core/units.ts";
import type { PathSpec } from "../network.ts";
import type { DelayProcess } from "../servers/delay-process.ts";
import type { Hop } from "./hop.ts";
import { TimedRing } from "./timed-ring.ts";

/** The way from the last hop of a route to where it ends, and the packets on it by arrival. */
export class LastWay {
  readonly arrivals: TimedRing = new TimedRing();
  readonly #propagationNs: Nanos = 0;
  readonly #delay: DelayProcess | undefined;
  /** a way that becomes shorter does not reorder */
  readonly #keepsOrder: boolean = false;
  #lastArrivalNs: Nanos = 0;

  /** @param delay instead of the constant propagation */
  constructor(propagationNs: Nanos, delay: DelayProcess | undefined, keepsOrder: boolean) {
    this.#propagationNs = propagationNs;
    this.#delay = delay;
    this.#keepsOrder = keepsOrder;
  }

  /** @returns when the packet arrives that leaves the last hop at `leaveNs` */
  add(packet: number, leaveNs: Nanos): Nanos {
    const delayNs = this.#delay === undefined ? this.#propagationNs : this.#delay.delayNs(leaveNs);
    const arrivalNs = leaveNs + delayNs;
    const lastNs = this.#lastArrivalNs;
    if (arrivalNs >= lastNs) {
      this.#lastArrivalNs = arrivalNs;
      this.arrivals.push(arrivalNs, packet);
      return arrivalNs;
    }
    if (this.#keepsOrder) {
      this.arrivals.push(lastNs, packet);
      return lastNs;
    }
    this.arrivals.insert(arrivalNs, packet);
    return arrivalNs;
  }
}

/** The last ways of a path, there and back. */
export function lastWays(
  path: PathSpec,
  routes: { readonly forward: readonly number[]; readonly reverse: readonly number[] },
  hops: readonly Hop[],
): { readonly there: LastWay; readonly back: LastWay } {
  const { delay, propagationNs, reversePropagationNs = propagationNs } = path;
  const keepsOrder = (route: readonly number[]): boolean =>
    delay !== undefined && !hops[route[route.length - 1]!]!.reorders;
  return {
    there: new LastWay(propagationNs, delay?.forward, keepsOrder(routes.forward)),
    back: new LastWay(reversePropagationNs, delay?.reverse, keepsOrder(routes.reverse)),
  };
}
