/**
 * One stream without an end over several flows at once. What is on a path that has fallen silent goes over the others too;
 * should it arrive after all, it counts once. Order across paths is not restored: what counts is what has arrived.
 */
import { NANOS_PER_MILLI, NANOS_PER_SEC, type Nanos, toMbps } from "../../../core/units.ts";
import type { OverlayWork } from "../../../scenarios/overlay/overlay.ts";
import type { GeneralFlow } from "../../../sim/general/general-network.ts";
import type { Network, NetworkFlow } from "../../../sim/network.ts";
import type { Overlay } from "../overlay.ts";
import type { ChoiceFacts, Work } from "./work.ts";

/** Packets that a flow has beside its window, so that it never waits for more. */
const SPARE_PACKETS = 4;
/** A path with data on its way from which nothing has come for so long is silent. */
const SILENT_NS = 500 * NANOS_PER_MILLI;
/** How often silence is looked for, and the bins of what arrives. */
const TICK_NS = 100 * NANOS_PER_MILLI;
/** Of measured rates, each period. */
const EWMA = 0.3;
/** No path is without a share: one that carries nothing is never measured again. */
const LEAST_WEIGHT = 0.01;

interface Branch {
  flow: GeneralFlow | undefined;
  given: number;
  /** its place in line: grows by the weight's inverse with each packet */
  turn: number;
  arrived: number;
  lastArrivalNs: Nanos;
  isSilent: boolean;
  /** packets on their way here that others carry, too */
  doubled: number;
  weight: number;
  isChosenOutside: boolean;
  mbps: number;
  arrivedBefore: number;
  counted: number;
}

export class SplitWork implements Work {
  readonly kind = "split";
  /** packets that arrived for the first time on any path, in bins of 0.1 s from the beginning on */
  readonly arrivedPackets: number[] = [];
  /** the same for each path, those that came twice included */
  readonly pathPackets: number[][];
  readonly #overlay: Overlay;
  #by: "pull" | "weights";
  readonly #branches: Branch[];
  #doubledArrivals = 0;
  #reported = 0;

  constructor(overlay: Overlay, { by }: Extract<OverlayWork, { kind: "split" }>) {
    this.#overlay = overlay;
    this.#by = by;
    this.#branches = overlay.spec.flows.map(() => ({
      flow: undefined,
      given: 0,
      turn: 0,
      arrived: 0,
      lastArrivalNs: 0,
      isSilent: false,
      doubled: 0,
      weight: 1,
      isChosenOutside: false,
      mbps: 0,
      arrivedBefore: 0,
      counted: 0,
    }));
    this.pathPackets = this.#branches.map(() => []);
  }

  beginFlow(place: number, flow: NetworkFlow, network: Network): void {
    const branch = this.#branches[place]!;
    const general = flow as GeneralFlow;
    general.sender!.withdraw(network.nowNs);
    branch.flow = general;
    branch.lastArrivalNs = network.nowNs;
    general.onArrival = () => {
      branch.arrived++;
      branch.lastArrivalNs = network.nowNs;
      if (branch.isSilent) this.#comeBack(branch);
      if (branch.doubled > 0) {
        branch.doubled--;
        this.#doubledArrivals++;
      }
      this.#give();
    };
    this.#give();
  }

  begin(): void {
    const overlay = this.#overlay;
    const tick = (): void => {
      this.#count();
      for (const branch of this.#branches) this.#listen(branch);
      this.#give();
      overlay.after(TICK_NS, tick);
    };
    overlay.after(TICK_NS, tick);
    const { kind, everySec } = overlay.spec.policy ?? { kind: "fixed", everySec: 1 };
    const measure = (): void => {
      for (const branch of this.#branches) {
        const bytes = (branch.arrived - branch.arrivedBefore) * overlay.mssBytes;
        branch.arrivedBefore = branch.arrived;
        branch.mbps += EWMA * (toMbps(bytes / everySec) - branch.mbps);
      }
      if (kind === "max-throughput") this.#weigh();
      overlay.after(everySec * NANOS_PER_SEC, measure);
    };
    overlay.after(everySec * NANOS_PER_SEC, measure);
  }

  /** Shares in proportion to what was measured. */
  #weigh(): void {
    const most = Math.max(...this.#branches.map(({ mbps }) => mbps));
    if (most === 0) return;
    for (const branch of this.#branches) {
      if (!branch.isChosenOutside) branch.weight = Math.max(LEAST_WEIGHT, branch.mbps / most);
    }
  }

  #count(): void {
    let all = -this.#doubledArrivals;
    this.#branches.forEach((branch, i) => {
      all += branch.arrived;
      this.pathPackets[i]!.push(branch.arrived - branch.counted);
      branch.counted = branch.arrived;
    });
    this.arrivedPackets.push(all - this.#reported);
    this.#reported = all;
  }

  #listen(branch: Branch): void {
    if (branch.isSilent || branch.flow === undefined) return;
    const under = branch.given - branch.arrived;
    if (under === 0 || this.#overlay.nowNs - branch.lastArrivalNs < SILENT_NS) return;
    branch.isSilent = true;
    // the others carry it from here on
    branch.doubled = under;
  }

  /** It has missed its turns. */
  #comeBack(branch: Branch): void {
    branch.isSilent = false;
    branch.turn = Math.max(
      branch.turn,
      ...this.#branches.filter(({ isSilent }) => !isSilent).map(({ turn }) => turn),
    );
  }

  #hasRoom({ flow, isSilent, given, arrived }: Branch): boolean {
    if (flow === undefined || isSilent) return false;
    return given - arrived < flow.sender!.cwndPackets + SPARE_PACKETS;
  }

  /** Gives paths what they have room for. */
  #give(): void {
    if (this.#by === "pull") {
      for (const branch of this.#branches) while (this.#hasRoom(branch)) this.#giveOne(branch);
      return;
    }
    for (;;) {
      let next: Branch | undefined;
      for (const branch of this.#branches) {
        if (branch.flow === undefined || branch.isSilent || branch.weight === 0) continue;
        if (next === undefined || branch.turn < next.turn) next = branch;
      }
      if (next === undefined || !this.#hasRoom(next)) return;
      this.#giveOne(next);
    }
  }

  #giveOne(branch: Branch): void {
    const { network } = this.#overlay;
    branch.given++;
    branch.turn += 1 / branch.weight;
    branch.flow!.sender!.supply(1, network.nowNs);
    network.refresh(branch.flow!);
  }

  choices(place: number): ChoiceFacts[] {
    const { flow, mbps, isSilent } = this.#branches[place]!;
    const rttUs = flow?.sender?.rtt.srttUs ?? 0;
    return [{ name: "share", isChosen: true, lossRate: isSilent ? 1 : 0, rttUs, mbps }];
  }

  /** Shares count from here on, whoever took what it could before; none is less than a hundredth. */
  choose(place: number, value: number): void {
    const branch = this.#branches[place]!;
    this.#by = "weights";
    branch.isChosenOutside = true;
    branch.weight = Math.max(LEAST_WEIGHT, value);
  }
}
