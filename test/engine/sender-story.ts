/** Tells a sender a story: send, advance, lose, deliver, acknowledge. Times in ms; transmissions are numbered from 0. */
import type {
  AckEvent,
  CongestionControl,
  CongestionControlFactory,
  CongestionEvent,
} from "../../ccp-bridge/congestion-control.ts";
import { MSS_BYTES, NANOS_PER_MILLI } from "../../core/units.ts";
import { Sender } from "../../engine/sender.ts";
import { initialCwndBytes, type SenderOptions } from "../../scenarios/sender-options.ts";

/** A window that only the test moves; after a loss, a timeout or a mark it is what the test says. */
export class StubControl implements CongestionControl {
  readonly name = "stub";
  readonly pacingRateBytesPerSec: undefined;
  cwndPackets: number;
  /** of the window is left after each event */
  readonly beta: number;

  constructor(cwndPackets: number, beta = 1) {
    this.cwndPackets = cwndPackets;
    this.beta = beta;
  }

  get cwndBytes(): number {
    return this.cwndPackets * MSS_BYTES;
  }

  onAck(): void {}

  onCongestion(): void {
    this.cwndPackets *= this.beta;
  }
}

const ACK_FIELDS = [
  "nowUs",
  "ackedBytes",
  "ackedPackets",
  "misorderedBytes",
  "misorderedPackets",
  "deliveredBytes",
  "lostPackets",
  "lostBytes",
  "ecnPackets",
  "ecnBytes",
  "rttUs",
  "srttUs",
  "minRttUs",
  "inflightBytes",
  "inflightPackets",
  "pendingBytes",
  "deliveryRateBytesPerSec",
  "sendRateBytesPerSec",
  "appLimited",
  "timeout",
  "nextSequence",
  "cumulativeSequence",
  "cwndLimited",
] as const satisfies readonly (keyof AckEvent)[];

/** The sender reuses its event. */
function copyOf(ack: AckEvent): AckEvent {
  return Object.fromEntries(ACK_FIELDS.map((name) => [name, ack[name]])) as unknown as AckEvent;
}

export class SenderStory {
  readonly sender: Sender;
  readonly control: CongestionControl;
  readonly congestion: CongestionEvent["kind"][] = [];
  readonly spurious: string[] = [];
  /** copies of all ACK events */
  readonly acks: AckEvent[] = [];
  /** transmissions in order of sending: sequence and time */
  readonly sent: { readonly sequence: number; readonly atMs: number }[] = [];
  nowMs = 0;
  readonly #received = new Set<number>();

  constructor(control: CongestionControl | CongestionControlFactory, options: SenderOptions = {}) {
    const inner =
      typeof control === "function"
        ? control({ nowUs: 0, mssBytes: MSS_BYTES, initialCwndBytes: initialCwndBytes(options) })
        : control;
    this.control = inner;
    const { congestion, spurious, acks } = this;
    const observed: CongestionControl = {
      name: inner.name,
      get cwndBytes() {
        return inner.cwndBytes;
      },
      get pacingRateBytesPerSec() {
        return inner.pacingRateBytesPerSec;
      },
      onAck(ack) {
        acks.push(copyOf(ack));
        inner.onAck(ack);
      },
      onCongestion(event) {
        congestion.push(event.kind);
        inner.onCongestion(event);
      },
      onSpuriousCongestion(event) {
        spurious.push(event.kind);
        inner.onSpuriousCongestion?.(event);
      },
    };
    this.sender = new Sender(observed, 0, options);
  }

  get nowNs(): number {
    return this.nowMs * NANOS_PER_MILLI;
  }

  get cwndPackets(): number {
    return this.control.cwndBytes / MSS_BYTES;
  }

  get lastAck(): AckEvent {
    return this.acks.at(-1)!;
  }

  /** All that may leave now leaves; returns the transmissions. */
  send(): number[] {
    const txns: number[] = [];
    while (this.sender.sendAtNs <= this.nowNs) {
      const txn = this.sender.transmit(this.nowNs);
      this.sent.push({ sequence: this.sender.sequenceOf(txn), atMs: this.nowMs });
      txns.push(txn);
    }
    return txns;
  }

  /** Time passes; timers that come due fire, and what they let out leaves. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.sender.timerAtNs <= endMs * NANOS_PER_MILLI) {
      this.nowMs = Math.max(this.nowMs, this.sender.timerAtNs / NANOS_PER_MILLI);
      this.sender.onTimer(this.sender.timerAtNs);
      this.send();
    }
    this.nowMs = endMs;
  }

  /** Transmissions reach the receiver, in this order; no ACK yet. */
  arrive(txns: readonly number[], { ce = false }: { readonly ce?: boolean } = {}): void {
    for (const txn of txns) {
      const { sequence } = this.sent[txn]!;
      this.sender.markArrival(txn, this.nowNs, !this.#received.has(sequence), ce);
      this.#received.add(sequence);
    }
  }

  /** Transmissions reach the receiver, and an ACK for each the sender, at once; what that lets out leaves. */
  deliver(txns: readonly number[], options: { readonly ce?: boolean } = {}): number[] {
    const sent: number[] = [];
    for (const txn of txns) {
      this.arrive([txn], options);
      this.sender.onAck(this.nowNs, this.sender.arrivals);
      sent.push(...this.send());
    }
    return sent;
  }
}

/** The transmissions from `first` to `last`. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
