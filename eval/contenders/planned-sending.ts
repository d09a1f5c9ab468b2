/** A sender that changes its way of sending at times known ahead: what a look-ahead over the parts of a run may choose. */
import type {
  AckEvent,
  CongestionControl,
  CongestionControlFactory,
  SentEvent,
} from "../../ccp-bridge/congestion-control.ts";
import type { Bytes, BytesPerSec, Micros } from "../../core/units.ts";

/** A way of sending that may begin within a flow. */
export interface SuspendableControl extends CongestionControl {
  /** A packet was sent while another way was in charge. */
  onSentByOther?(): void;
  /** It is in charge from now on. */
  onTurn?(nowUs: Micros, inflightBytes: Bytes): void;
}

class PlannedSending implements CongestionControl {
  readonly name = "planned";
  /** its packets would be marked for nothing */
  readonly ignoresMarks = true;
  /** one of each part of the run; the same object where a way goes on */
  readonly #parts: readonly SuspendableControl[];
  readonly #distinct: readonly SuspendableControl[];
  readonly #startUs: Micros;
  readonly #partUs: Micros;
  #active: SuspendableControl;

  constructor(parts: readonly SuspendableControl[], startUs: Micros, partUs: Micros) {
    this.#parts = parts;
    this.#distinct = [...new Set(parts)];
    this.#startUs = startUs;
    this.#partUs = partUs;
    this.#active = parts[0]!;
  }

  get cwndBytes(): Bytes {
    return this.#active.cwndBytes;
  }

  get pacingRateBytesPerSec(): BytesPerSec | undefined {
    return this.#active.pacingRateBytesPerSec;
  }

  onSent(sent: SentEvent): void {
    for (const way of this.#distinct) {
      if (way === this.#active) way.onSent?.(sent);
      else way.onSentByOther?.();
    }
    this.#turn(sent.nowUs, sent.inflightBytes);
  }

  onAck(ack: AckEvent): void {
    this.#active.onAck(ack);
    this.#turn(ack.nowUs, ack.inflightBytes);
  }

  onCongestion(): void {}

  #turn(nowUs: Micros, inflightBytes: Bytes): void {
    const part = Math.floor((nowUs - this.#startUs) / this.#partUs);
    const way = this.#parts[Math.min(part, this.#parts.length - 1)]!;
    if (way === this.#active) return;
    this.#active = way;
    way.onTurn?.(nowUs, inflightBytes);
  }
}

/** @param ways of the parts of the run, each `partUs` long; fresh ones, of one run, and the same where one goes on */
export function plannedSending(
  ways: readonly CongestionControlFactory[],
  partUs: Micros,
): CongestionControlFactory {
  return (start) => {
    const made = new Map([...new Set(ways)].map((way) => [way, way(start)]));
    return new PlannedSending(
      ways.map((way) => made.get(way)!),
      start.nowUs,
      partUs,
    );
  };
}
