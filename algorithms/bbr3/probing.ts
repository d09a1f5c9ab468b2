/** How BBRv3 looks for more: is the pipe full, when to probe again, and how far inflight may go (draft-ietf-ccwg-bbr). */
import type { Rng } from "../../core/random.ts";
import type { Bytes, BytesPerSec, Micros } from "../../core/units.ts";
import {
  FULL_BW_GROWTH,
  FULL_BW_ROUNDS,
  MAX_UP_ROUNDS,
  PROBE_WAIT_BASE_US,
  PROBE_WAIT_SPREAD_US,
  RENO_ROUNDS,
} from "./constants.ts";

/** BBR.full_bw: the bandwidth has stopped growing. */
export class FullPipe {
  /** BBR.full_bw_reached: once, and the pipe has been full since; BBR.full_bw_now: as of the probe that is going on */
  reached = false;
  now = false;
  /** BBR.full_bw_count: rounds without growth */
  count = 0;
  #bw: BytesPerSec = 0;

  /** ResetFullBW. @param bw from which on it counts as grown */
  reset(bw: BytesPerSec = 0): void {
    this.#bw = bw;
    this.count = 0;
    this.now = false;
  }

  /** CheckFullBWReached, of a round's first ACK that is not application-limited */
  onRound(rateBytesPerSec: BytesPerSec): void {
    if (this.now) return;
    if (rateBytesPerSec >= this.#bw * FULL_BW_GROWTH) {
      this.reset(rateBytesPerSec);
      return;
    }
    this.count += 1;
    this.now = this.count >= FULL_BW_ROUNDS;
    if (this.now) this.reached = true;
  }
}

/** When ProbeBW probes again: after 2 to 3 s, or as many rounds as Reno on the same path would take. */
export class ProbeClock {
  readonly #rng: Rng | undefined;
  #waitUs: Micros = 0;
  #sinceUs: Micros = 0;
  /** BBR.rounds_since_bw_probe */
  #rounds = 0;

  /** @param rng absent: flows of one start probe in step */
  constructor(rng: Rng | undefined) {
    this.#rng = rng;
  }

  /** PickProbeWait */
  start(nowUs: Micros): void {
    this.#rounds = this.#rng === undefined ? 0 : Math.floor(2 * this.#rng.next());
    this.#waitUs = PROBE_WAIT_BASE_US + PROBE_WAIT_SPREAD_US * (this.#rng?.next() ?? 0.5);
    this.#sinceUs = nowUs;
  }

  onRound(): void {
    this.#rounds += 1;
  }

  /** IsTimeToProbeBW. @param targetPackets a round of Reno's for each */
  isTime(nowUs: Micros, targetPackets: number): boolean {
    return nowUs > this.#sinceUs + this.#waitUs || this.#rounds >= Math.min(targetPackets, RENO_ROUNDS);
  }
}

/** BBR.inflight_longterm: where losses began, and how fast a probe that finds none moves it up. */
export class LongTermInflight {
  /** Infinity: no loss has bounded it yet */
  bytes: Bytes = Infinity;
  /** BBR.bw_probe_up_rounds */
  upRounds = 0;
  #ackedBytes: Bytes = 0;
  /** BBR.probe_up_cnt */
  #ackedPerPacket: Bytes = Infinity;
  readonly #mssBytes: Bytes;

  constructor(mssBytes: Bytes) {
    this.#mssBytes = mssBytes;
  }

  /** A probe will begin. */
  beginProbe(): void {
    this.upRounds = 0;
    this.#ackedBytes = 0;
  }

  endProbe(): void {
    this.#ackedPerPacket = Infinity;
  }

  /** RaiseInflightLongtermSlope: each round of a probe twice as many packets more */
  raiseSlope(cwndBytes: Bytes): void {
    const growth = 2 ** this.upRounds;
    this.upRounds = Math.min(this.upRounds + 1, MAX_UP_ROUNDS);
    this.#ackedPerPacket = Math.max(cwndBytes / growth, this.#mssBytes);
  }

  /** ProbeInflightLongtermUpward */
  grow(newlyAckedBytes: Bytes): void {
    this.#ackedBytes += newlyAckedBytes;
    if (this.#ackedBytes < this.#ackedPerPacket) return;
    const delta = Math.floor(this.#ackedBytes / this.#ackedPerPacket);
    this.#ackedBytes -= delta * this.#ackedPerPacket;
    this.bytes += delta * this.#mssBytes;
  }
}
