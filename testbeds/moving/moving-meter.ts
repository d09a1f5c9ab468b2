/** The measured link of a flow that moves: at each time the one that it takes then, whose counts add up. What a link still has when the flow leaves it is not counted. */
import type { Bytes, Nanos } from "../../core/units.ts";
import type { LinkMeter, Network } from "../../sim/network.ts";

export interface MeterStage {
  /** until the next stage begins */
  readonly fromNs: Nanos;
  readonly meter: LinkMeter;
}

type Counts = Pick<LinkMeter, "offeredPackets" | "droppedPackets">;
const NOTHING: Counts = { offeredPackets: 0, droppedPackets: 0 };

export class MovingMeter implements LinkMeter {
  readonly #stages: MeterStage[];
  /** with what each had counted before the flow could take it */
  readonly #links: Map<LinkMeter, Counts>;
  /** of the stage at hand */
  #place = 0;
  #servedBefore: Bytes = 0;
  /** what the link of the stage at hand had served when it began */
  #servedAtStart: Bytes = 0;

  /** @param stages in the order of time, the first from the beginning on */
  constructor(stages: readonly MeterStage[], network: Pick<Network, "nowNs" | "schedule">) {
    this.#stages = [...stages];
    this.#links = new Map(stages.map(({ meter }) => [meter, NOTHING]));
    for (const { fromNs } of stages.slice(1)) network.schedule(fromNs, () => this.#move(network.nowNs));
  }

  /** The flow takes a link that no stage planned; later stages come in their time. */
  moveTo(meter: LinkMeter, nowNs: Nanos): void {
    if (!this.#links.has(meter)) {
      const { offeredPackets, droppedPackets } = meter;
      this.#links.set(meter, { offeredPackets, droppedPackets });
    }
    this.#stages.splice(this.#place + 1, 0, { fromNs: nowNs, meter });
    this.#move(nowNs);
  }

  get #current(): LinkMeter {
    return this.#stages[this.#place]!.meter;
  }

  #move(nowNs: Nanos): void {
    this.#servedBefore = this.servedBytes(nowNs);
    this.#place += 1;
    this.#servedAtStart = this.#current.servedBytes(nowNs);
  }

  #sum(of: (counts: Counts) => number): number {
    return [...this.#links].reduce((sum, [meter, before]) => sum + of(meter) - of(before), 0);
  }

  get offeredPackets(): number {
    return this.#sum(({ offeredPackets }) => offeredPackets);
  }

  get droppedPackets(): number {
    return this.#sum(({ droppedPackets }) => droppedPackets);
  }

  get queuedPackets(): number {
    return this.#current.queuedPackets;
  }

  get queuedBytes(): Bytes {
    return this.#current.queuedBytes;
  }

  get maxQueuedPackets(): number {
    return Math.max(...[...this.#links.keys()].map(({ maxQueuedPackets }) => maxQueuedPackets));
  }

  get maxQueuedBytes(): Bytes {
    return Math.max(...[...this.#links.keys()].map(({ maxQueuedBytes }) => maxQueuedBytes));
  }

  servedBytes(nowNs: Nanos): Bytes {
    return this.#servedBefore + this.#current.servedBytes(nowNs) - this.#servedAtStart;
  }

  capacityBytes(fromNs: Nanos, toNs: Nanos): Bytes {
    let bytes = 0;
    this.#stages.forEach(({ meter, fromNs: beginsNs }, i) => {
      const endsNs = this.#stages[i + 1]?.fromNs ?? Number.POSITIVE_INFINITY;
      const from = i === 0 ? fromNs : Math.max(fromNs, beginsNs);
      const to = Math.min(toNs, endsNs);
      if (to > from) bytes += meter.capacityBytes(from, to);
    });
    return bytes;
  }
}
