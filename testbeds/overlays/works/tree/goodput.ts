/** What nodes of a tree know of their goodput: once in a period, smoothed, and in steps as they tell it to others. */
import { NANOS_PER_SEC, toMbps } from "../../../../core/units.ts";
import type { Overlay } from "../../overlay.ts";
import type { Member, TreeSpec } from "./member.ts";

const EWMA = 0.1;

export interface GoodputSample {
  readonly atSec: number;
  readonly node: string;
  readonly mbps: number;
  /** smoothed, and in steps */
  readonly estimateMbps: number;
  readonly levelMbps: number;
}

export class Goodput {
  readonly samples: GoodputSample[] = [];
  readonly #overlay: Overlay;
  readonly #spec: TreeSpec;
  readonly #everySec: number;

  constructor(overlay: Overlay, spec: TreeSpec, everySec: number) {
    this.#overlay = overlay;
    this.#spec = spec;
    this.#everySec = everySec;
  }

  /** Looks at each of them once in a period. */
  begin(members: readonly Member[]): void {
    const everyNs = this.#everySec * NANOS_PER_SEC;
    for (const member of members) {
      const look = (): void => {
        this.#sample(member);
        this.#overlay.after(everyNs, look);
      };
      this.#overlay.after(everyNs, look);
    }
  }

  /** The member is fed by another from now on. */
  forget(member: Member): void {
    member.estimateMbps = undefined;
    member.arrivedBefore = member.flow?.firstArrivedPackets ?? 0;
  }

  #sample(member: Member): void {
    const overlay = this.#overlay;
    const arrived = member.flow?.firstArrivedPackets ?? 0;
    const mbps = toMbps(((arrived - member.arrivedBefore) * overlay.mssBytes) / this.#everySec);
    member.arrivedBefore = arrived;
    const { ewma = EWMA } = this.#spec;
    const before = member.estimateMbps;
    // what a node begins with is no measurement yet
    member.estimateMbps = before === undefined || before === 0 ? mbps : before + ewma * (mbps - before);
    this.samples.push({
      atSec: overlay.nowSec,
      node: member.name,
      mbps,
      estimateMbps: member.estimateMbps,
      levelMbps: this.levelMbps(member),
    });
  }

  /** What a node says it gets. */
  levelMbps({ place, estimateMbps = 0 }: Member): number {
    if (place === undefined) return this.#spec.mbps ?? Number.POSITIVE_INFINITY;
    const { stepMbps } = this.#spec;
    return stepMbps === undefined ? estimateMbps : Math.round(estimateMbps / stepMbps) * stepMbps;
  }

  /** From the root over all between, each as measured by who is fed. */
  fromRootMbps(member: Member): number {
    let least = this.#spec.mbps ?? Number.POSITIVE_INFINITY;
    for (let at = member; at.parent !== undefined; at = at.parent) least = Math.min(least, at.fromParentMbps);
    return least;
  }
}
