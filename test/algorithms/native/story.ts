/** Drives a congestion control through a story told in packets, without a network: one window in flight, no surprises. */
import type {
  AckEvent,
  CongestionControl,
  CongestionControlFactory,
} from "../../../ccp-bridge/congestion-control.ts";
import { MSS_BYTES } from "../../../core/units.ts";

export class Story {
  readonly control: CongestionControl;
  nowUs = 0;
  readonly #ack: AckEvent;

  constructor(make: CongestionControlFactory, initialCwndPackets = 10) {
    this.control = make({ nowUs: 0, mssBytes: MSS_BYTES, initialCwndBytes: initialCwndPackets * MSS_BYTES });
    this.#ack = {
      nowUs: 0,
      ackedBytes: 0,
      ackedPackets: 0,
      misorderedBytes: 0,
      misorderedPackets: 0,
      deliveredBytes: 0,
      lostPackets: 0,
      lostBytes: 0,
      ecnPackets: 0,
      ecnBytes: 0,
      rttUs: 0,
      srttUs: 0,
      minRttUs: Infinity,
      inflightBytes: 0,
      inflightPackets: 0,
      pendingBytes: 0,
      deliveryRateBytesPerSec: 0,
      sendRateBytesPerSec: 0,
      appLimited: false,
      timeout: false,
      nextSequence: initialCwndPackets,
      cumulativeSequence: 0,
      cwndLimited: true,
    };
  }

  get cwndPackets(): number {
    return this.control.cwndBytes / MSS_BYTES;
  }

  /** One ACK for `packets` in order; then the window is filled again. */
  ack(packets: number, options: { rttUs?: number; cwndLimited?: boolean; marked?: number } = {}): void {
    const { rttUs = 50_000, cwndLimited = true, marked = 0 } = options;
    const ack = this.#ack;
    ack.ecnPackets = marked;
    ack.ecnBytes = marked * MSS_BYTES;
    ack.cumulativeSequence += packets;
    ack.nextSequence = Math.max(ack.nextSequence, ack.cumulativeSequence);
    ack.srttUs = rttUs;
    ack.minRttUs = Math.min(ack.minRttUs, rttUs);
    this.#deliver({ packets, rttUs, cwndLimited, lost: 0, timeout: false });
    ack.ecnPackets = ack.ecnBytes = 0;
    ack.nextSequence = Math.max(
      ack.nextSequence,
      ack.cumulativeSequence + Math.floor(this.cwndPackets + 1e-9),
    );
  }

  /** A whole window is acknowledged, `packets` per ACK, the ACKs `spacingUs` apart. */
  round(options: { rttUs?: number; spacingUs?: number; packets?: number } = {}): void {
    const { rttUs = 50_000, spacingUs = 100, packets = 1 } = options;
    const end = this.#ack.nextSequence;
    const startUs = this.nowUs;
    while (this.#ack.cumulativeSequence < end) {
      this.nowUs += spacingUs;
      this.ack(Math.min(packets, end - this.#ack.cumulativeSequence), { rttUs });
    }
    this.nowUs = Math.max(this.nowUs, startUs + rttUs);
  }

  /** An ACK reveals `packets` losses and acknowledges nothing in order. */
  lose(packets: number): void {
    this.control.onCongestion({
      kind: "loss",
      nowUs: this.nowUs,
      inflightBytes: this.#inflightBytes,
      lostPackets: packets,
    });
    this.#deliver({ packets: 0, rttUs: 50_000, cwndLimited: true, lost: packets, timeout: false });
  }

  /** An ACK of nothing tells of marks, for the first time in this window. */
  mark(): void {
    this.control.onCongestion({
      kind: "ecn",
      nowUs: this.nowUs,
      inflightBytes: this.#inflightBytes,
      lostPackets: 0,
    });
    this.#deliver({ packets: 0, rttUs: 50_000, cwndLimited: true, lost: 0, timeout: false });
  }

  /** The latest loss or timeout proves to have been none. */
  takeBack(kind: "loss" | "timeout"): void {
    this.control.onSpuriousCongestion?.({ kind, nowUs: this.nowUs });
  }

  timeOut(): void {
    const inflightBytes = this.#inflightBytes;
    this.control.onCongestion({ kind: "timeout", nowUs: this.nowUs, inflightBytes, lostPackets: 1 });
    this.#deliver({
      packets: 0,
      rttUs: 0,
      cwndLimited: true,
      lost: inflightBytes / MSS_BYTES,
      timeout: true,
    });
  }

  get #inflightBytes(): number {
    return (this.#ack.nextSequence - this.#ack.cumulativeSequence) * MSS_BYTES;
  }

  #deliver(event: {
    packets: number;
    rttUs: number;
    cwndLimited: boolean;
    lost: number;
    timeout: boolean;
  }): void {
    const ack = this.#ack;
    ack.nowUs = this.nowUs;
    ack.ackedPackets = event.packets;
    ack.ackedBytes = ack.deliveredBytes = event.packets * MSS_BYTES;
    ack.rttUs = event.rttUs;
    ack.lostPackets = event.lost;
    ack.lostBytes = event.lost * MSS_BYTES;
    ack.cwndLimited = event.cwndLimited;
    ack.timeout = event.timeout;
    ack.inflightBytes = this.#inflightBytes;
    ack.inflightPackets = ack.inflightBytes / MSS_BYTES;
    this.control.onAck(ack);
  }
}
