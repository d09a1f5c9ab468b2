/**
 * A link of mm-link as its log tells of it while it runs: each event is written out at once, with the time at which the trace
 * has it, however late the shell was. Times are turned into those of the run.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { type Bytes, NANOS_PER_MILLI, type Nanos } from "../../core/units.ts";
import type { LinkMeter } from "../../sim/network.ts";
import { upperBound } from "../../sim/servers/piecewise.ts";
import { type LinkEvent, parseLinkEvent } from "./log.ts";

const CHUNK_BYTES = 1 << 16;

/** How many of `sorted` lie at or before `limit`. */
const countUntil = (sorted: readonly number[], limit: number): number =>
  upperBound(sorted.length, (i) => sorted[i]!, limit);

export class LogMeter implements LinkMeter {
  readonly #opportunitiesMs: readonly number[] | undefined;
  readonly #bytesEach: Bytes;
  /** from bytes of the log, where an opportunity has 1504, to those of the simulator */
  readonly #scale: number;
  /** size in the log of the packets whose departures are kept one by one */
  readonly #dataBytes: Bytes;
  #fd: number | undefined;
  /** what of the log's time is 0 in the run */
  #zeroMs = 0;
  #rest = "";
  readonly #chunk = Buffer.alloc(CHUNK_BYTES);
  /** of each departure, and the bytes of all up to it */
  readonly #departedMs: number[] = [];
  readonly #servedBytes: Bytes[] = [];
  /** when each data packet departed, milliseconds of the run */
  readonly dataDepartedMs: number[] = [];
  #offeredPackets = 0;
  #droppedPackets = 0;
  #departedPackets = 0;
  #queuedBytes: Bytes = 0;
  #maxQueuedPackets = 0;
  #maxQueuedBytes: Bytes = 0;

  /**
   * @param opportunitiesMs of the run; undefined: without a limit
   * @param bytesEach of an opportunity, as the simulator counts
   * @param sizes in the log: of an opportunity, and of a data packet
   */
  constructor(
    opportunitiesMs: readonly number[] | undefined,
    bytesEach: Bytes,
    sizes: { readonly opportunityBytes: Bytes; readonly dataBytes: Bytes },
  ) {
    this.#opportunitiesMs = opportunitiesMs;
    this.#bytesEach = bytesEach;
    this.#scale = bytesEach / sizes.opportunityBytes;
    this.#dataBytes = sizes.dataBytes;
  }

  /** @param zeroMs of the log's time at which the run begins: what happened before is not the run's */
  follow(file: string, zeroMs: number): void {
    this.#fd = openSync(file, "r");
    this.#zeroMs = zeroMs;
  }

  /** Takes what has been written since the last time. */
  refresh(): void {
    if (this.#fd === undefined) return;
    for (;;) {
      const length = readSync(this.#fd, this.#chunk);
      if (length === 0) return;
      const lines = (this.#rest + this.#chunk.toString("latin1", 0, length)).split("\n");
      this.#rest = lines.pop()!;
      for (const line of lines) {
        const event = line.startsWith("#") ? undefined : parseLinkEvent(line);
        if (event !== undefined && event.ms >= this.#zeroMs) this.#take(event);
      }
    }
  }

  #take({ ms, sign, first, second }: LinkEvent): void {
    // an arrival that finds no room has its drop in the next line: the queue never held it
    if (sign !== "d") {
      this.#maxQueuedPackets = Math.max(this.#maxQueuedPackets, this.#queuedNow);
      this.#maxQueuedBytes = Math.max(this.#maxQueuedBytes, this.#queuedBytes);
    }
    if (sign === "+") {
      this.#offeredPackets++;
      this.#queuedBytes += first;
    } else if (sign === "-") {
      this.#departedPackets++;
      this.#queuedBytes -= first;
      this.#departedMs.push(ms - this.#zeroMs);
      this.#servedBytes.push((this.#servedBytes.at(-1) ?? 0) + first * this.#scale);
      if (first === this.#dataBytes) this.dataDepartedMs.push(ms - this.#zeroMs);
    } else if (sign === "d") {
      this.#droppedPackets += first;
      this.#queuedBytes -= second;
    }
  }

  get #queuedNow(): number {
    return Math.max(0, this.#offeredPackets - this.#departedPackets - this.#droppedPackets);
  }

  get offeredPackets(): number {
    this.refresh();
    return this.#offeredPackets;
  }

  get droppedPackets(): number {
    this.refresh();
    return this.#droppedPackets;
  }

  get queuedPackets(): number {
    this.refresh();
    return this.#queuedNow;
  }

  get queuedBytes(): Bytes {
    this.refresh();
    return Math.max(0, this.#queuedBytes);
  }

  get maxQueuedPackets(): number {
    this.refresh();
    return this.#maxQueuedPackets;
  }

  get maxQueuedBytes(): Bytes {
    this.refresh();
    return this.#maxQueuedBytes;
  }

  servedBytes(nowNs: Nanos): Bytes {
    this.refresh();
    return this.#servedBytes[countUntil(this.#departedMs, nowNs / NANOS_PER_MILLI) - 1] ?? 0;
  }

  capacityBytes(fromNs: Nanos, toNs: Nanos): Bytes {
    const times = this.#opportunitiesMs;
    if (times === undefined) return Number.POSITIVE_INFINITY;
    const until = (ns: Nanos): number => countUntil(times, ns / NANOS_PER_MILLI);
    return (until(toNs) - until(fromNs)) * this.#bytesEach;
  }

  /** Reads what there is, and no more from now on. */
  hold(): void {
    this.refresh();
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
