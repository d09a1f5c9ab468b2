/**
 * Deficit round robin: Shreedhar and Varghese 1995, "Efficient Fair Queueing using Deficit Round Robin", one line per flow.
 * A turn ends when the next packet is larger than what is left of it, and the rest is kept for the next turn. When the limit
 * is passed, the line with the most bytes gives up its newest packet (section 3: buffer stealing).
 */
import type { DisciplineOptions } from "../../../../scenarios/disciplines/registry.ts";
import { type QueueParts, quantumOf } from "../queue-parts.ts";
import { FairLine } from "./fair-lines.ts";
import { RoundRobin } from "./round-robin.ts";

export class Drr extends RoundRobin {
  /** by flow number, which counts from 0 */
  readonly #lines: FairLine[] = [];

  constructor(parts: QueueParts, options: DisciplineOptions<"drr">) {
    super(parts, options.quantumBytes ?? quantumOf(parts), "bytes");
  }

  protected override lineOf(flow: number): FairLine {
    while (this.#lines.length <= flow) this.#lines.push(new FairLine(this.parts.store));
    return this.#lines[flow]!;
  }

  protected override maySend(line: FairLine): boolean {
    return line.deficitBytes >= this.parts.store.bytes[line.head]!;
  }
}
