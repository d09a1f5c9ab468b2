/**
 * A congestion window and what is in flight under it: the state that one stack has, or several share. It turns the fate of
 * messages into the events of a congestion control (`ccp-bridge/congestion-control.ts`), with delivery rates as in
 * draft-cheng-iccrg-delivery-rate-estimation, and paces where the control sets a rate.
 */
import type { AckEvent, CongestionControl, PacketEvent } from "../../../ccp-bridge/congestion-control.ts";
import type { FlowAlgorithm } from "../../../ccp-bridge/in-process-flow.ts";
import type { Bytes, BytesPerSec, Micros } from "../../../core/units.ts";
import type { Feedback, Message, Surroundings, Timer } from "../../chunnel.ts";
import { type StartedControl, startControl } from "./algorithm.ts";
import { Pacer } from "./pacer.ts";

/** RFC 6928. */
const INITIAL_PACKETS = 10;

interface Underway {
  readonly number: number;
  readonly bytes: Bytes;
  readonly sentUs: Micros;
  readonly priorDeliveredBytes: Bytes;
  readonly priorDeliveredUs: Micros;
  readonly firstSentUs: Micros;
  readonly txInflightBytes: Bytes;
  readonly lostBefore: Bytes;
  readonly appLimited: boolean;
  state: "in-flight" | "acked" | "lost";
}

export class CongestionWindow {
  readonly control: CongestionControl;
  readonly mssBytes: Bytes;
  inflightBytes: Bytes = 0;
  readonly #surroundings: Surroundings;
  readonly #started: StartedControl;
  readonly #underway = new Map<Message, Underway>();
  /** in the order of their numbers, from the first that is neither acknowledged nor lost */
  readonly #queue: Underway[] = [];
  #head = 0;
  readonly #pacer: Pacer;
  #nextNumber = 0;
  #deliveredBytes = 0;
  #deliveredUs: Micros;
  #firstSentUs: Micros;
  #lostBytes = 0;
  #misorderedBytes = 0;
  #misorderedPackets = 0;
  /** a loss of a later number is a new episode */
  #episodeEnd = -1;
  #deliveryRate: BytesPerSec = 0;
  #sendRate: BytesPerSec = 0;
  /** delivered when all that was in flight at the latest moment without data to send has come */
  #appLimitedUntil = -1;
  #wasLimited = false;
  #timer: Timer | undefined;
  readonly #users: (() => void)[] = [];
  #turn = 0;

  constructor(surroundings: Surroundings, algorithm: string | FlowAlgorithm, mssBytes: Bytes) {
    this.#surroundings = surroundings;
    this.mssBytes = mssBytes;
    this.#started = startControl(surroundings, algorithm, mssBytes, INITIAL_PACKETS * mssBytes);
    this.control = this.#started.control;
    this.#deliveredUs = this.#firstSentUs = surroundings.nowUs();
    this.#pacer = new Pacer(mssBytes);
  }

  get nowUs(): Micros {
    return this.#surroundings.nowUs();
  }

  setParams(params: Readonly<Record<string, number>>): void {
    this.#started.setParams(params, this.#surroundings.nowUs());
    this.#wakeUsers();
  }

  /** @param onRoom may send again */
  join(onRoom: () => void): void {
    this.#users.push(onRoom);
  }

  leave(onRoom: () => void): void {
    this.#users.splice(this.#users.indexOf(onRoom), 1);
  }

  close(): void {
    this.#timer?.cancel();
    this.control.onClose?.();
  }

  /** Messages that may go now. */
  room(): number {
    const free = Math.floor(this.control.cwndBytes / this.mssBytes) * this.mssBytes - this.inflightBytes;
    // a window below one packet must not stop the flow for ever
    const packets = Math.max(Math.floor(free / this.mssBytes), this.inflightBytes === 0 ? 1 : 0);
    this.#wasLimited ||= packets <= 0;
    if (packets <= 0) return 0;
    const rate = this.control.pacingRateBytesPerSec;
    if (rate === undefined) return packets;
    const nowUs = this.#surroundings.nowUs();
    const paced = this.#pacer.room(nowUs, rate);
    if (paced <= 0) this.#waitUntil(this.#pacer.nextUs(rate));
    return Math.min(packets, paced);
  }

  #waitUntil(atUs: Micros): void {
    this.#timer ??= this.#surroundings.wakeAt(
      atUs,
      () => {
        this.#timer = undefined;
        this.#wakeUsers();
      },
      true,
    );
  }

  /** There was room, and nothing to send. */
  idle(): void {
    this.#appLimitedUntil = this.#deliveredBytes + this.inflightBytes;
  }

  sent(message: Message): void {
    const nowUs = this.#surroundings.nowUs();
    const bytes = message.data instanceof Uint8Array ? message.data.length : this.mssBytes;
    if (this.inflightBytes === 0) this.#firstSentUs = this.#deliveredUs = nowUs;
    this.inflightBytes += bytes;
    const underway: Underway = {
      number: this.#nextNumber++,
      bytes,
      sentUs: nowUs,
      priorDeliveredBytes: this.#deliveredBytes,
      priorDeliveredUs: this.#deliveredUs,
      firstSentUs: this.#firstSentUs,
      txInflightBytes: this.inflightBytes,
      lostBefore: this.#lostBytes,
      appLimited: this.#appLimitedUntil > this.#deliveredBytes,
      state: "in-flight",
    };
    this.#underway.set(message, underway);
    this.#queue.push(underway);
    if (this.control.pacingRateBytesPerSec !== undefined) this.#pacer.sent(nowUs, bytes);
    this.control.onSent?.({
      nowUs,
      packetNumber: underway.number,
      sentBytes: bytes,
      inflightBytes: this.inflightBytes,
    });
  }

  fate(fate: Feedback): void {
    const { nowUs, timeout } = fate;
    const { control } = this;
    let deliveredBytes = 0;
    let deliveredPackets = 0;
    let newest: Underway | undefined;
    for (const message of fate.acked) {
      const underway = this.#take(message, "acked");
      if (underway === undefined) continue;
      deliveredBytes += underway.bytes;
      deliveredPackets++;
      this.#deliveredBytes += underway.bytes;
      this.#deliveredUs = nowUs;
      if (newest === undefined || underway.number > newest.number) newest = underway;
      if (control.readsPackets) control.onPacketAcked?.(this.#packetEvent(underway, nowUs));
    }
    let lostBytes = 0;
    let lostPackets = 0;
    let isNewEpisode = false;
    for (const message of fate.lost) {
      const underway = this.#take(message, "lost");
      if (underway === undefined) continue;
      lostBytes += underway.bytes;
      lostPackets++;
      this.#lostBytes += underway.bytes;
      isNewEpisode ||= underway.number > this.#episodeEnd;
      if (control.readsPackets) control.onPacketLost?.(this.#packetEvent(underway, nowUs));
    }
    if (deliveredPackets + lostPackets === 0 && !timeout) return;
    if (newest !== undefined) this.#takeRates(newest, nowUs);
    const { ackedBytes, ackedPackets, misorderedBytes, misorderedPackets } = this.#cumulate(
      deliveredBytes,
      deliveredPackets,
    );
    const { inflightBytes } = this;
    if (lostPackets > 0 && (timeout || isNewEpisode)) {
      this.#episodeEnd = this.#nextNumber - 1;
      control.onCongestion({
        kind: timeout ? "timeout" : "loss",
        nowUs,
        inflightBytes,
        lostPackets,
        again: timeout && !isNewEpisode,
      });
    }
    const ack: AckEvent = {
      nowUs,
      ackedBytes,
      ackedPackets,
      misorderedBytes,
      misorderedPackets,
      deliveredBytes,
      lostPackets,
      lostBytes,
      ecnPackets: 0,
      ecnBytes: 0,
      rttUs: fate.rttUs,
      srttUs: fate.srttUs,
      minRttUs: fate.minRttUs,
      inflightBytes,
      inflightPackets: this.#underway.size,
      pendingBytes: inflightBytes,
      deliveryRateBytesPerSec: this.#deliveryRate,
      sendRateBytesPerSec: this.#sendRate,
      appLimited: newest?.appLimited ?? false,
      timeout,
      nextSequence: this.#nextNumber,
      cumulativeSequence: this.#queue[this.#head]?.number ?? this.#nextNumber,
      cwndLimited: this.#wasLimited,
      packet: control.readsPackets && newest !== undefined ? this.#packetEvent(newest, nowUs) : undefined,
    };
    this.#wasLimited = false;
    control.onAck(ack);
    this.#wakeUsers();
  }

  #take(message: Message, state: "acked" | "lost"): Underway | undefined {
    const underway = this.#underway.get(message);
    if (underway === undefined) return undefined;
    this.#underway.delete(message);
    underway.state = state;
    this.inflightBytes -= underway.bytes;
    return underway;
  }

  #takeRates(newest: Underway, nowUs: Micros): void {
    this.#firstSentUs = newest.sentUs;
    const bytes = this.#deliveredBytes - newest.priorDeliveredBytes;
    const ackSpanUs = nowUs - newest.priorDeliveredUs;
    const sendSpanUs = newest.sentUs - newest.firstSentUs;
    if (ackSpanUs > 0) this.#deliveryRate = (bytes * 1e6) / Math.max(ackSpanUs, sendSpanUs);
    if (sendSpanUs > 0) this.#sendRate = (bytes * 1e6) / sendSpanUs;
  }

  /** TCP's view: what is acknowledged in order; a loss, which is sent anew under another number, is no gap. */
  #cumulate(
    deliveredBytes: Bytes,
    deliveredPackets: number,
  ): Pick<AckEvent, "ackedBytes" | "ackedPackets" | "misorderedBytes" | "misorderedPackets"> {
    let ackedBytes = 0;
    let inOrder = 0;
    const queue = this.#queue;
    while (this.#head < queue.length && queue[this.#head]!.state !== "in-flight") {
      const { state, bytes } = queue[this.#head++]!;
      if (state !== "acked") continue;
      ackedBytes += bytes;
      inOrder++;
    }
    if (this.#head > 64 && this.#head * 2 > queue.length) {
      queue.splice(0, this.#head);
      this.#head = 0;
    }
    const waitingBytes = this.#misorderedBytes + deliveredBytes - ackedBytes;
    const waitingPackets = this.#misorderedPackets + deliveredPackets - inOrder;
    const misorderedBytes = Math.max(0, waitingBytes - this.#misorderedBytes);
    const misorderedPackets = Math.max(0, waitingPackets - this.#misorderedPackets);
    this.#misorderedBytes = waitingBytes;
    this.#misorderedPackets = waitingPackets;
    return {
      ackedBytes,
      ackedPackets: deliveredPackets - misorderedPackets,
      misorderedBytes,
      misorderedPackets,
    };
  }

  #packetEvent(of: Underway, nowUs: Micros): PacketEvent {
    return {
      nowUs,
      packetNumber: of.number,
      bytes: of.bytes,
      sentUs: of.sentUs,
      priorDeliveredBytes: of.priorDeliveredBytes,
      txInflightBytes: of.txInflightBytes,
      lostSinceSentBytes: this.#lostBytes - of.lostBefore,
      appLimited: of.appLimited,
    };
  }

  /** Each in turn goes first. */
  #wakeUsers(): void {
    const users = [...this.#users];
    const first = this.#turn++ % Math.max(1, users.length);
    for (let i = 0; i < users.length; i++) users[(first + i) % users.length]!();
  }

  /** A user is gone: what it had in flight will get no fate. */
  forget(messages: Iterable<Message>): void {
    for (const message of messages) this.#take(message, "lost");
  }
}
