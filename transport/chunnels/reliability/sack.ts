/**
 * Numbers what is sent and tells its fate: selective acknowledgements (RFC 9000's ranges), loss by time and by number (RACK,
 * RFC 8985), a probe when the tail is silent and a timeout (RFC 6298). It repeats nothing itself: `reliable` above it does, or
 * nobody. Every transmission has a number of its own, so an RTT sample is never that of another one (Karn).
 */
import type { Micros } from "../../../core/units.ts";
import type { Feedback, Message, Surroundings, Timer } from "../../chunnel.ts";
import { peerIsSilent } from "../../failures.ts";
import type { ChunnelSpec, Place } from "../../stack/spec.ts";
import { Through } from "../../stack/through.ts";
import {
  numberBytes,
  prepended,
  readUint32,
  WireFault,
  WireReader,
  withNumbers,
  writeNumber,
} from "../../wire.ts";
import { numberOption } from "../options.ts";
import { ReceivedNumbers } from "./received.ts";
import { RttEstimator } from "./rtt.ts";

const DATA = 0;
const ACK = 1;
const PING = 2;
const PONG_AT_ONCE = 2;
/** RFC 9002 6.1.1: so many later ones acknowledged, where no reordering has been seen. */
const REORDER_PACKETS = 3;
/** Numbers taken for lost that are remembered, so that a late acknowledgement shows reordering. */
const REMEMBERED_LOST = 64;
/** RFC 8985 6.2: the reordering window grows by quarters of the minimum RTT. */
const MAX_WINDOW_QUARTERS = 16;
/** RFC 5961-like guard: an acknowledgement may name so many ranges. */
const MAX_RANGES = 64;

interface Sent {
  readonly message: Message | undefined;
  readonly sentUs: Micros;
}

export interface SackOptions {
  /** an acknowledgement waits for so long for a second message */
  readonly ackDelayMs?: number;
  /** after so long without any answer the peer is taken for gone */
  readonly giveUpSec?: number;
}

class Sack extends Through {
  readonly #surroundings: Surroundings;
  readonly #ackDelayUs: Micros;
  readonly #giveUpUs: Micros;
  readonly #sent = new Map<number, Sent>();
  readonly #lostNumbers = new Set<number>();
  readonly #rtt = new RttEstimator();
  readonly #received = new ReceivedNumbers();
  /** of the first transmission; a server's cannot be guessed, so that an acknowledgement shows that the client's address is its own */
  readonly #firstNumber: number;
  #nextNumber: number;
  #largestAcked = -1;
  /** when the latest sent of the acknowledged was sent */
  #rackSentUs: Micros = Number.NEGATIVE_INFINITY;
  #windowQuarters = 0;
  #backoff = 0;
  #hasProbed = false;
  #heardUs: Micros;
  #lastSentUs: Micros = 0;
  #timer: Timer | undefined;
  #timerAtUs: Micros = Number.POSITIVE_INFINITY;
  #ackTimer: Timer | undefined;
  #soon: Timer | undefined;
  #unacked = 0;
  #largestReceivedUs: Micros = 0;
  #peer: string | undefined;

  constructor(surroundings: Surroundings, { side }: Place, options: Required<SackOptions>) {
    super();
    this.#firstNumber = side === "server" ? readUint32(surroundings.randomBytes(4), 0) : 0;
    this.#nextNumber = this.#firstNumber;
    this.#surroundings = surroundings;
    this.#ackDelayUs = options.ackDelayMs * 1000;
    this.#giveUpUs = options.giveUpSec * 1e6;
    this.#heardUs = surroundings.nowUs();
  }

  protected override down(messages: readonly Message[]): readonly Message[] {
    const nowUs = this.#surroundings.nowUs();
    if (this.#sent.size === 0 && this.#backoff === 0) this.#heardUs = nowUs;
    this.#lastSentUs = nowUs;
    const out = messages.map((message) => {
      const number = this.#nextNumber++;
      this.#sent.set(number, { message, sentUs: nowUs });
      const data = prepended(1 + numberBytes(number), message.data as Uint8Array);
      data[0] = DATA;
      writeNumber(data, 1, number);
      return { data, to: message.to, priority: message.priority };
    });
    this.#arm();
    return out;
  }

  override receive(messages: readonly Message[]): void {
    const fresh: Message[] = [];
    let ackNow = false;
    for (const message of messages) {
      this.#peer = message.from;
      try {
        const reader = new WireReader(message.data as Uint8Array);
        const kind = reader.byte();
        if (kind === ACK) {
          this.#acknowledged(reader);
          continue;
        }
        if (kind !== DATA && kind !== PING) continue;
        const number = reader.number();
        const expected = this.#received.largest + 1;
        ackNow ||= kind === PING || number !== expected;
        if (number >= expected) this.#largestReceivedUs = this.#surroundings.nowUs();
        const isNew = this.#received.add(number);
        this.#unacked++;
        if (isNew && kind === DATA) fresh.push({ data: reader.rest(), from: message.from });
      } catch (error) {
        if (!(error instanceof WireFault)) throw error;
      }
    }
    if (this.#unacked > 0) {
      if (ackNow || this.#unacked >= PONG_AT_ONCE) this.#acknowledgeSoon();
      else {
        this.#ackTimer ??= this.#surroundings.wakeAt(this.#surroundings.nowUs() + this.#ackDelayUs, () =>
          this.#acknowledge(),
        );
      }
    }
    if (fresh.length > 0) this.above.receive(fresh);
  }

  /** One for all that have come together. */
  #acknowledgeSoon(): void {
    const { soon } = this.#surroundings;
    if (soon === undefined) this.#acknowledge();
    else this.#soon ??= soon(() => this.#acknowledge());
  }

  #acknowledge(): void {
    this.#ackTimer?.cancel();
    this.#soon?.cancel();
    this.#ackTimer = this.#soon = undefined;
    this.#unacked = 0;
    const { ranges, largest } = this.#received;
    if (largest < 0) return;
    const delayUs = Math.max(0, Math.round(this.#surroundings.nowUs() - this.#largestReceivedUs));
    const numbers = [largest, delayUs, ranges.length];
    let before = largest + 1;
    for (const { low, high } of ranges) {
      numbers.push(before - 1 - high, high - low);
      before = low;
    }
    this.below.send([{ data: withNumbers(ACK, numbers), to: this.#peer }]);
  }

  #acknowledged(reader: WireReader): void {
    const nowUs = this.#surroundings.nowUs();
    const largest = reader.number();
    const ackDelayUs = reader.number();
    const count = reader.number();
    if (largest >= this.#nextNumber || count > MAX_RANGES)
      throw new WireFault("acknowledges what was not sent");
    const acked: Message[] = [];
    let latest: Sent | undefined;
    let lowestSent = Number.POSITIVE_INFINITY;
    for (const number of this.#sent.keys()) {
      lowestSent = number;
      break;
    }
    let before = largest + 1;
    for (let i = 0; i < count; i++) {
      const high = before - 1 - reader.number();
      const low = high - reader.number();
      if (low < this.#firstNumber) throw new WireFault("acknowledges what was not sent");
      if (this.#lostNumbers.size > 0) this.#noticeReordering(low, high);
      for (let number = high; number >= Math.max(low, lowestSent); number--) {
        const sent = this.#sent.get(number);
        if (sent === undefined) continue;
        this.#sent.delete(number);
        if (number < this.#largestAcked && this.#windowQuarters === 0) this.#windowQuarters = 1;
        if (sent.message !== undefined) acked.push(sent.message);
        if (latest === undefined || sent.sentUs > latest.sentUs) latest = sent;
      }
      before = low;
    }
    this.#heardUs = nowUs;
    if (latest === undefined) return;
    this.#backoff = 0;
    this.#hasProbed = false;
    const hasSample = largest > this.#largestAcked;
    if (hasSample)
      this.#rtt.sample(Math.max(1, nowUs - latest.sentUs), Math.min(ackDelayUs, this.#ackDelayUs));
    this.#largestAcked = Math.max(this.#largestAcked, largest);
    this.#rackSentUs = Math.max(this.#rackSentUs, latest.sentUs);
    acked.reverse();
    this.#tell(nowUs, acked, this.#findLost(nowUs), hasSample ? this.#rtt.latestUs : 0, false);
    this.#arm();
  }

  /** RFC 8985 6.2: what was taken for lost has come, so the window was too small. */
  #noticeReordering(low: number, high: number): void {
    for (const number of this.#lostNumbers) {
      if (number < low || number > high) continue;
      this.#lostNumbers.delete(number);
      this.#windowQuarters = Math.min(MAX_WINDOW_QUARTERS, this.#windowQuarters + 1);
    }
  }

  get #windowUs(): Micros {
    return Math.min(this.#rtt.srttUs, (this.#rtt.minRttUs * Math.max(1, this.#windowQuarters)) / 4);
  }

  /** RFC 8985: sent so much before one that was acknowledged that it should have come. */
  #findLost(nowUs: Micros): Message[] {
    const lost: Message[] = [];
    const afterUs = Math.max(this.#rtt.latestUs, this.#rtt.srttUs) + this.#windowUs;
    for (const [number, sent] of this.#sent) {
      if (sent.sentUs > this.#rackSentUs || number > this.#largestAcked) break;
      const byNumber = this.#windowQuarters === 0 && this.#largestAcked - number >= REORDER_PACKETS;
      if (!byNumber && sent.sentUs + afterUs > nowUs) break;
      this.#lose(number, sent, lost);
    }
    return lost;
  }

  #lose(number: number, { message }: Sent, lost: Message[]): void {
    this.#sent.delete(number);
    this.#lostNumbers.add(number);
    if (this.#lostNumbers.size > REMEMBERED_LOST) {
      for (const oldest of this.#lostNumbers) {
        this.#lostNumbers.delete(oldest);
        break;
      }
    }
    if (message !== undefined) lost.push(message);
  }

  #tell(
    nowUs: Micros,
    acked: readonly Message[],
    lost: readonly Message[],
    rttUs: Micros,
    timeout: boolean,
  ): void {
    const { srttUs, minRttUs } = this.#rtt;
    const fate: Feedback = { nowUs, acked, lost, rttUs, srttUs, minRttUs, timeout };
    this.above.feedback(fate);
  }

  /** When something is to be done if nothing comes. */
  #dueUs(): Micros {
    if (this.#sent.size === 0) return Number.POSITIVE_INFINITY;
    for (const [number, { sentUs }] of this.#sent) {
      if (number < this.#largestAcked && sentUs <= this.#rackSentUs) {
        return sentUs + Math.max(this.#rtt.latestUs, this.#rtt.srttUs) + this.#windowUs;
      }
      break;
    }
    if (!this.#hasProbed && this.#backoff === 0)
      return this.#lastSentUs + this.#rtt.probeUs(this.#ackDelayUs);
    return this.#lastSentUs + this.#rtt.rtoUs(this.#ackDelayUs, this.#backoff);
  }

  #arm(): void {
    const dueUs = this.#dueUs();
    // a timer that rings early only arms the next one
    if (dueUs >= this.#timerAtUs && this.#timer !== undefined) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAtUs = dueUs;
    if (dueUs < Number.POSITIVE_INFINITY) this.#timer = this.#surroundings.wakeAt(dueUs, () => this.#ring());
  }

  #ring(): void {
    this.#timer = undefined;
    this.#timerAtUs = Number.POSITIVE_INFINITY;
    const nowUs = this.#surroundings.nowUs();
    if (nowUs >= this.#dueUs()) {
      const lost = this.#findLost(nowUs);
      if (lost.length > 0) this.#tell(nowUs, [], lost, 0, false);
      else if (!this.#hasProbed && this.#backoff === 0) this.#probe(nowUs);
      else this.#timeOut(nowUs);
    }
    this.#arm();
  }

  #probe(nowUs: Micros): void {
    this.#hasProbed = true;
    this.#lastSentUs = nowUs;
    const number = this.#nextNumber++;
    this.#sent.set(number, { message: undefined, sentUs: nowUs });
    this.below.send([{ data: withNumbers(PING, [number]), to: this.#peer }]);
  }

  #timeOut(nowUs: Micros): void {
    if (nowUs - this.#heardUs > this.#giveUpUs) {
      this.fail(peerIsSilent(nowUs - this.#heardUs));
      return;
    }
    this.#backoff++;
    this.#lastSentUs = nowUs;
    const lost: Message[] = [];
    for (const [number, sent] of [...this.#sent]) this.#lose(number, sent, lost);
    this.#tell(nowUs, [], lost, 0, true);
  }

  override close(): void {
    if (this.#unacked > 0) this.#acknowledge();
    this.#timer?.cancel();
    this.#ackTimer?.cancel();
    this.#soon?.cancel();
    this.#timer = this.#ackTimer = this.#soon = undefined;
    this.#sent.clear();
    super.close();
  }
}

export type SackSpec = ChunnelSpec<"bytes", "bytes", never, "fate">;

/** Sequence numbers and selective acknowledgements: tells the fate of each message. */
export function sack({ ackDelayMs = 5, giveUpSec = 60 }: SackOptions = {}): SackSpec {
  const options = {
    ackDelayMs: numberOption("sack", "ackDelayMs", ackDelayMs, { low: 0, high: 1000, whole: false }),
    giveUpSec: numberOption("sack", "giveUpSec", giveUpSec, { low: 0.1, high: 86_400, whole: false }),
  };
  return {
    name: "sack",
    up: "bytes",
    down: "bytes",
    needs: [],
    gives: ["fate"],
    options,
    capability: { match: "exact", labels: ["sack-1"] },
    make: (surroundings, place) => new Sack(surroundings, place, options),
  };
}
