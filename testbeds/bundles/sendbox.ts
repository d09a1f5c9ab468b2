/**
 * The near end of a bundle: all packets to the other site pass here, at a rate that one congestion control sets for all of them, so
 * that the queue stands here, where a scheduler can choose, and not in the network (CCP thesis 4.7.6). The senders know
 * nothing of it. No clock, no sockets.
 *
 *   packets --▶ scheduler --▶ onSent ··········▶ receivebox
 *                   ▲                                │
 *            rateBytesPerSec ◀-- onAck ◀--- congestion ACKs
 */
import type { FlowHosting } from "../../ccp-bridge/agent/flow-hosting.ts";
import type {
  AckEvent,
  CongestionControl,
  CongestionControlFactory,
} from "../../ccp-bridge/congestion-control.ts";
import {
  type Bytes,
  type BytesPerSec,
  MICROS_PER_MILLI,
  MICROS_PER_SEC,
  type Micros,
} from "../../core/units.ts";
import { epochPackets, FIRST_EPOCH_PACKETS, isBoundary } from "./epochs.ts";
import type { CongestionAck } from "./receivebox.ts";

/** RFC 6298 (2.3), of a group that never is silent for long. */
const SRTT_GAIN = 1 / 8;
/** No less leaves, in packets an RTT: without packets there are no boundaries, and without them no word ever again. */
const LEAST_PACKETS_PER_RTT = 2;
const INITIAL_PACKETS = 10;
/** RFC 6298 (2.4): how long nothing may be heard before it counts as a timeout, and how many RTTs at least. */
const SILENCE = { us: 1000 * MICROS_PER_MILLI, rtts: 4 };
/** A burst leaves faster than any path carries it: its rate, in those of what arrived, makes no longer epochs than this. */
const MOST_OF_RECEIVED = 2;
/** Records of boundaries without an answer that are kept: more than any path has under way. */
const MAX_RECORDS = 4096;

interface Boundary {
  readonly hash: number;
  readonly sentUs: Micros;
  /** of the bundle so far, this packet included */
  readonly sentBytes: Bytes;
}

interface AckedBoundary extends Boundary {
  readonly ackedUs: Micros;
  /** of the bundle so far */
  readonly receivedBytes: Bytes;
}

/** What a congestion ACK has told of the path. */
export interface BundleEstimate {
  readonly atUs: Micros;
  readonly rttUs: Micros;
  /** over the RTT before; 0: not known yet */
  readonly sendRateBytesPerSec: BytesPerSec;
  readonly receiveRateBytesPerSec: BytesPerSec;
  /** what the control allows from now on */
  readonly rateBytesPerSec: BytesPerSec;
}

export interface SendboxOptions {
  readonly control: CongestionControlFactory;
  /** of the packets, which the control counts in */
  readonly packetBytes: Bytes;
  /** as fast as packets leave while nothing is known, and at most; Infinity: no limit */
  readonly maxRateBytesPerSec: BytesPerSec;
  readonly hosting?: FlowHosting;
  /** What waits to be sent: it is the rate that holds it. */
  readonly queuedBytes: () => Bytes;
  /** so often the receivebox is to answer in the least RTT; absent: four times */
  readonly epochsPerRtt?: number;
}

export class Sendbox {
  readonly #options: SendboxOptions;
  #control: CongestionControl | undefined;
  #epochPackets = FIRST_EPOCH_PACKETS;
  #sentBytes: Bytes = 0;
  /** in the order of sending, none of them answered */
  readonly #records: Boundary[] = [];
  /** of the latest RTT, in the order of their answers */
  readonly #acked: AckedBoundary[] = [];
  #srttUs: Micros = 0;
  #minRttUs: Micros = Number.POSITIVE_INFINITY;
  #receivedBytes: Bytes = 0;
  #lostBytes: Bytes = 0;
  /** the receivebox that answers, and what lies before its count */
  #boxId: number | undefined;
  #uncountedBytes: Bytes = 0;
  /** sent bytes at which an episode of loss is over */
  #recoverBytes: Bytes = -1;
  #heardUs: Micros = 0;
  /** sent up to the boundary that was answered last */
  #heardBytes: Bytes = 0;
  /** answers that said something */
  acks = 0;
  timeouts = 0;

  constructor(options: SendboxOptions) {
    this.#options = options;
  }

  /** How fast packets may leave, now. */
  get rateBytesPerSec(): BytesPerSec {
    const { maxRateBytesPerSec, packetBytes } = this.#options;
    const control = this.#control;
    if (control === undefined) return maxRateBytesPerSec;
    const perRtt = MICROS_PER_SEC / this.#srttUs;
    const { cwndBytes, pacingRateBytesPerSec = Number.POSITIVE_INFINITY } = control;
    const rate = Math.min(cwndBytes * perRtt, pacingRateBytesPerSec);
    return Math.min(maxRateBytesPerSec, Math.max(rate, LEAST_PACKETS_PER_RTT * packetBytes * perRtt));
  }

  /** Something was heard, so that a control decides. */
  get isControlled(): boolean {
    return this.#control !== undefined;
  }

  /** 0 before */
  get cwndBytes(): Bytes {
    return this.#control?.cwndBytes ?? 0;
  }

  get sentBytes(): Bytes {
    return this.#sentBytes;
  }

  /** of what was heard of last */
  get inflightBytes(): Bytes {
    return this.#sentBytes - this.#heardBytes;
  }

  /** that the receivebox has told of */
  get receivedBytes(): Bytes {
    return this.#receivedBytes;
  }

  get lostPackets(): number {
    return Math.round(this.#lostBytes / this.#options.packetBytes);
  }

  /** 0 before the first sample */
  get srttUs(): Micros {
    return this.#srttUs;
  }

  /** 0 before the first sample */
  get minRttUs(): Micros {
    return Number.isFinite(this.#minRttUs) ? this.#minRttUs : 0;
  }

  /** What the receivebox is to know. */
  get epochPackets(): number {
    return this.#epochPackets;
  }

  /** A packet has left. */
  onSent(hash: number, bytes: Bytes, nowUs: Micros): void {
    this.#sentBytes += bytes;
    if (this.#records.length === 0) this.#heardUs = nowUs;
    else if (this.#isSilent(nowUs)) this.#timeOut(nowUs);
    if (!isBoundary(hash, this.#epochPackets)) return;
    if (this.#records.length === MAX_RECORDS) this.#records.shift();
    this.#records.push({ hash, sentUs: nowUs, sentBytes: this.#sentBytes });
  }

  /**
   * The receivebox has met a boundary. One that is not known here (its size of epochs was the smaller one), was answered, or lies before
   * one that was answered (packets have changed places) says nothing.
   * @returns what it said, and the new size of epochs if the receivebox is to be told one
   */
  onAck(
    ack: CongestionAck,
    nowUs: Micros,
  ): { readonly estimate: BundleEstimate; readonly epochPackets: number | undefined } | undefined {
    const place = this.#records.findIndex(({ hash }) => hash === ack.hash);
    if (place < 0) return undefined;
    const boundary = this.#records[place]!;
    this.#records.splice(0, place + 1);
    this.#heardUs = nowUs;
    this.#heardBytes = boundary.sentBytes;
    this.acks += 1;
    const rttUs = nowUs - boundary.sentUs;
    this.#srttUs = this.#srttUs === 0 ? rttUs : this.#srttUs + SRTT_GAIN * (rttUs - this.#srttUs);
    this.#minRttUs = Math.min(this.#minRttUs, rttUs);
    if (ack.boxId !== this.#boxId) this.#beginAnew(boundary, ack);
    const receivedBytes = ack.receivedBytes + this.#uncountedBytes;
    const acked = { ...boundary, receivedBytes, ackedUs: nowUs };
    const rates = this.#ratesUpTo(acked);
    this.#decide(acked, rttUs, rates);
    const estimate = { atUs: nowUs, rttUs, ...rates, rateBytesPerSec: this.rateBytesPerSec };
    return { estimate, epochPackets: this.#adaptEpochs(rates) };
  }

  /** A receivebox that this one has not heard of counts from its own beginning: what was lost before is not known. */
  #beginAnew({ sentBytes }: Boundary, { boxId, receivedBytes }: CongestionAck): void {
    this.#boxId = boxId;
    this.#uncountedBytes = sentBytes - receivedBytes;
    this.#lostBytes = 0;
    this.#acked.length = 0;
  }

  /** Over the epochs of the last RTT. */
  #ratesUpTo(last: AckedBoundary): Pick<BundleEstimate, "sendRateBytesPerSec" | "receiveRateBytesPerSec"> {
    const acked = this.#acked;
    acked.push(last);
    while (acked.length > 2 && acked[1]!.ackedUs <= last.ackedUs - this.#srttUs) acked.shift();
    const first = acked[0]!;
    const rate = (bytes: Bytes, us: Micros): BytesPerSec => (us > 0 ? (bytes * MICROS_PER_SEC) / us : 0);
    return {
      sendRateBytesPerSec: rate(last.sentBytes - first.sentBytes, last.sentUs - first.sentUs),
      receiveRateBytesPerSec: rate(last.receivedBytes - first.receivedBytes, last.ackedUs - first.ackedUs),
    };
  }

  #decide(
    acked: AckedBoundary,
    rttUs: Micros,
    rates: Pick<BundleEstimate, "sendRateBytesPerSec" | "receiveRateBytesPerSec">,
  ): void {
    const { packetBytes, control: make, hosting } = this.#options;
    if (this.#control === undefined) {
      // the path already carries what the senders have sent unchecked
      const carriedBytes = (rates.receiveRateBytesPerSec * rttUs) / MICROS_PER_SEC;
      this.#control = make({
        nowUs: acked.ackedUs,
        mssBytes: packetBytes,
        initialCwndBytes: Math.max(INITIAL_PACKETS * packetBytes, carriedBytes),
        ...(hosting !== undefined && { hosting }),
      });
    }
    const deliveredBytes = Math.max(0, acked.receivedBytes - this.#receivedBytes);
    this.#receivedBytes = Math.max(this.#receivedBytes, acked.receivedBytes);
    // what was sent up to a boundary and has not come with it; more than before: lost since
    const missingBytes = acked.sentBytes - acked.receivedBytes;
    const lostBytes = Math.max(0, missingBytes - this.#lostBytes);
    this.#lostBytes = Math.max(this.#lostBytes, missingBytes);
    const event = this.#event({ acked, rttUs, deliveredBytes, lostBytes, ...rates });
    if (event.lostPackets > 0 && acked.sentBytes > this.#recoverBytes) {
      this.#recoverBytes = this.#sentBytes;
      const { nowUs, inflightBytes, lostPackets } = event;
      this.#control.onCongestion({ kind: "loss", nowUs, inflightBytes, lostPackets });
    }
    this.#control.onAck(event);
  }

  #event(of: {
    readonly acked: Pick<AckedBoundary, "ackedUs" | "sentBytes">;
    readonly rttUs: Micros;
    readonly deliveredBytes: Bytes;
    readonly lostBytes: Bytes;
    readonly sendRateBytesPerSec: BytesPerSec;
    readonly receiveRateBytesPerSec: BytesPerSec;
  }): AckEvent {
    const { packetBytes, queuedBytes } = this.#options;
    const { acked, rttUs, deliveredBytes, lostBytes } = of;
    const packets = (bytes: Bytes): number => Math.round(bytes / packetBytes);
    const inflightBytes = this.#sentBytes - acked.sentBytes;
    const waitingBytes = queuedBytes();
    const waits = waitingBytes > 0;
    return {
      nowUs: acked.ackedUs,
      ackedBytes: deliveredBytes,
      ackedPackets: packets(deliveredBytes),
      misorderedBytes: 0,
      misorderedPackets: 0,
      deliveredBytes,
      lostPackets: packets(lostBytes),
      lostBytes,
      ecnPackets: 0,
      ecnBytes: 0,
      rttUs,
      srttUs: this.#srttUs,
      minRttUs: this.#minRttUs,
      inflightBytes,
      inflightPackets: packets(inflightBytes),
      pendingBytes: inflightBytes + waitingBytes,
      deliveryRateBytesPerSec: of.receiveRateBytesPerSec,
      sendRateBytesPerSec: of.sendRateBytesPerSec,
      appLimited: !waits,
      timeout: false,
      nextSequence: packets(this.#sentBytes),
      cumulativeSequence: packets(acked.sentBytes),
      cwndLimited: waits,
    };
  }

  #isSilent(nowUs: Micros): boolean {
    return nowUs - this.#heardUs > Math.max(SILENCE.us, SILENCE.rtts * this.#srttUs);
  }

  /** No boundary has been answered for long: all that is under way counts as lost. */
  #timeOut(nowUs: Micros): void {
    this.#heardUs = nowUs;
    this.#heardBytes = this.#sentBytes;
    this.timeouts += 1;
    this.#records.length = 0;
    this.#acked.length = 0;
    const control = this.#control;
    if (control === undefined) return;
    const event = this.#event({
      acked: { ackedUs: nowUs, sentBytes: this.#sentBytes },
      rttUs: 0,
      deliveredBytes: 0,
      lostBytes: 0,
      sendRateBytesPerSec: 0,
      receiveRateBytesPerSec: 0,
    });
    control.onCongestion({ kind: "timeout", nowUs, inflightBytes: 0, lostPackets: 1 });
    control.onAck({ ...event, timeout: true });
  }

  /** @returns the new size where it changes */
  #adaptEpochs({
    sendRateBytesPerSec,
    receiveRateBytesPerSec,
  }: Pick<BundleEstimate, "sendRateBytesPerSec" | "receiveRateBytesPerSec">): number | undefined {
    const rate = Math.min(sendRateBytesPerSec, MOST_OF_RECEIVED * receiveRateBytesPerSec);
    if (rate === 0) return undefined;
    const { packetBytes, epochsPerRtt } = this.#options;
    const packets = epochPackets(this.#minRttUs, rate, packetBytes, epochsPerRtt);
    if (packets === this.#epochPackets) return undefined;
    this.#epochPackets = packets;
    return packets;
  }

  close(): void {
    this.#control?.onClose?.();
  }
}
