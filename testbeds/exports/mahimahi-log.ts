/**
 * One link's course as mm-link logs it (Mahimahi, link_queue.cc), for tools that plot such logs: whole milliseconds from
 * the beginning of the run, in time order.
 *
 *   T # BYTES          an opportunity to deliver so many bytes
 *   T + BYTES          a packet arrives
 *   T - BYTES DELAY    a packet departs, DELAY ms after it arrived
 *   T d PACKETS BYTES  packets are dropped
 *
 * mm-link knows opportunities of 1504 bytes only; for other rates one is written whenever so many bytes could have been
 * served.
 */
import { type Bytes, NANOS_PER_MILLI, type Nanos } from "../../core/units.ts";
import type { LinkTracer } from "../../sim/general/link-tracer.ts";
import type { LinkMeter } from "../../sim/network.ts";
import { OPPORTUNITY_BYTES } from "../../sim/servers/opportunities.ts";

interface Line {
  readonly ms: number;
  /** at one instant: opportunities, departures, arrivals, drops */
  readonly rank: number;
  readonly text: string;
}

const RANK = { opportunity: 0, departure: 1, arrival: 2, drop: 3 } as const;

export class MahimahiLog implements LinkTracer {
  readonly #lines: Line[] = [];

  onArrival(nowNs: Nanos, bytes: Bytes): void {
    this.#add(nowNs, RANK.arrival, (ms) => `${ms} + ${Math.round(bytes)}`);
  }

  onDrop(nowNs: Nanos, bytes: Bytes): void {
    this.#add(nowNs, RANK.drop, (ms) => `${ms} d 1 ${Math.round(bytes)}`);
  }

  onDeparture(departNs: Nanos, bytes: Bytes, delayNs: Nanos): void {
    const delayMs = Math.round(delayNs / NANOS_PER_MILLI);
    this.#add(departNs, RANK.departure, (ms) => `${ms} - ${Math.round(bytes)} ${delayMs}`);
  }

  #add(atNs: Nanos, rank: number, text: (ms: number) => string): void {
    const ms = Math.floor(atNs / NANOS_PER_MILLI);
    this.#lines.push({ ms, rank, text: text(ms) });
  }

  /**
   * The log of (fromNs, toNs], times counted from the simulation's beginning.
   * @param comments lines for the head, such as scenario and seed
   */
  text(link: LinkMeter, fromNs: Nanos, toNs: Nanos, comments: readonly string[]): string {
    const [fromMs, toMs] = [Math.floor(fromNs / NANOS_PER_MILLI), Math.floor(toNs / NANOS_PER_MILLI)];
    const lines = this.#lines.filter(({ ms }) => ms >= fromMs && ms <= toMs);
    let written = 0;
    for (let ms = fromMs + 1; ms <= toMs; ms++) {
      const possible = link.capacityBytes(fromMs * NANOS_PER_MILLI, ms * NANOS_PER_MILLI) / OPPORTUNITY_BYTES;
      if (possible === Number.POSITIVE_INFINITY) break;
      for (; written + 1 <= possible; written++) {
        lines.push({ ms, rank: RANK.opportunity, text: `${ms} # ${OPPORTUNITY_BYTES}` });
      }
    }
    lines.sort((a, b) => a.ms - b.ms || a.rank - b.rank);
    const head = [...comments, "init timestamp: 0", "base timestamp: 0"];
    return `${[...head.map((each) => `# ${each}`), ...lines.map(({ text }) => text)].join("\n")}\n`;
  }
}
