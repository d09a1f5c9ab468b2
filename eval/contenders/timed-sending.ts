/** A sender that asks nobody: each packet leaves at a time known ahead. */
import type { AckEvent, CongestionControlFactory, SentEvent } from "../../ccp-bridge/congestion-control.ts";
import {
  type Bytes,
  type BytesPerSec,
  MICROS_PER_SEC,
  type Micros,
  NANOS_PER_MICRO,
} from "../../core/units.ts";
import type { KnownService } from "../../testbeds/simulated/known-service.ts";
import { ROOM_PACKETS } from "./constant-contender.ts";
import type { SuspendableControl } from "./planned-sending.ts";

/** Sends each packet so that it waits `aheadUs` in the queue until its service. */
class TimedSending implements SuspendableControl {
  readonly name = "timed";
  /** its packets would be marked for nothing */
  readonly ignoresMarks = true;
  readonly #service: KnownService;
  readonly #aheadUs: Micros;
  readonly #mssBytes: Bytes;
  #dueUs: Micros;
  cwndBytes: Bytes;
  pacingRateBytesPerSec: BytesPerSec | undefined;

  constructor(service: KnownService, aheadUs: Micros, nowUs: Micros, mssBytes: Bytes) {
    this.#service = service;
    this.#aheadUs = aheadUs;
    this.#mssBytes = mssBytes;
    this.cwndBytes = ROOM_PACKETS * mssBytes;
    this.#dueUs = this.#nextDueUs(nowUs);
  }

  onSent({ nowUs, inflightBytes }: SentEvent): void {
    // the pacer counts from where it wanted to send, before the host's jitter
    const isInTime = nowUs < this.#dueUs + this.#aheadUs;
    const fromUs = isInTime ? Math.min(nowUs, this.#dueUs) : nowUs;
    this.#dueUs = this.#nextDueUs(nowUs);
    const gapUs = this.#dueUs - fromUs;
    this.pacingRateBytesPerSec = gapUs > 0 ? (this.#mssBytes * MICROS_PER_SEC) / gapUs : undefined;
    this.cwndBytes = inflightBytes + ROOM_PACKETS * this.#mssBytes;
  }

  onAck({ inflightBytes }: AckEvent): void {
    this.cwndBytes = inflightBytes + ROOM_PACKETS * this.#mssBytes;
  }

  onCongestion(): void {}

  onSentByOther(): void {
    this.#service.skip();
  }

  onTurn(nowUs: Micros, inflightBytes: Bytes): void {
    this.#dueUs = this.#nextDueUs(nowUs);
    const gapUs = this.#dueUs - nowUs;
    this.pacingRateBytesPerSec = gapUs > 0 ? (this.#mssBytes * MICROS_PER_SEC) / gapUs : undefined;
    this.cwndBytes = inflightBytes + ROOM_PACKETS * this.#mssBytes;
  }

  #nextDueUs(nowUs: Micros): Micros {
    // a service at this very instant has not passed, whatever its time was rounded to
    const afterNs = nowUs * NANOS_PER_MICRO - 1;
    return this.#service.nextNs(afterNs) / NANOS_PER_MICRO - this.#aheadUs;
  }
}

/** @param service that has given out nothing yet: of one run */
export function timedSending(service: KnownService, aheadUs: Micros): CongestionControlFactory {
  return ({ nowUs, mssBytes }) => new TimedSending(service, aheadUs, nowUs, mssBytes);
}
