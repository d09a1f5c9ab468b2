/**
 * Step marking (Alizadeh et al. 2010, "Data Center TCP", section 3.1; RFC 8257 section 3.1): a packet that finds more than
 * the threshold waiting is marked CE. Packets that are not ECN-capable are not marked; only the limit drops.
 */
import type { Bytes, Nanos } from "../../../core/units.ts";
import type { DisciplineOptions } from "../../../scenarios/disciplines/registry.ts";
import { DropTail } from "./drop-tail.ts";
import type { QueueParts } from "./queue-parts.ts";

/** Alizadeh et al. 2010, section 4: 65 packets for 10 Gbit/s (and 20 for 1 Gbit/s). */
const DEFAULT_THRESHOLD_PACKETS = 65;

export class StepMark extends DropTail {
  readonly #packets: number;
  readonly #bytes: Bytes;

  constructor(parts: QueueParts, options: DisciplineOptions<"step-mark">) {
    super(parts);
    this.#bytes = options.thresholdBytes ?? Number.POSITIVE_INFINITY;
    this.#packets =
      options.thresholdPackets ??
      (options.thresholdBytes === undefined ? DEFAULT_THRESHOLD_PACKETS : Number.POSITIVE_INFINITY);
  }

  override enqueue(nowNs: Nanos, packet: number): void {
    const congested = this.packets > this.#packets || this.bytes > this.#bytes;
    if (congested && this.hasRoom(packet)) this.mark(packet);
    super.enqueue(nowNs, packet);
  }
}
