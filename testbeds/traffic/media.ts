/**
 * A call over one flow (`scenarios/traffic/media.ts`): frames come at their times, wait by priority, and become segments shortly
 * before they can be sent, so that a frame of a higher priority overtakes what waits. The receiver has a frame when all of it and
 * all before it has arrived in order, since a flow is one ordered stream here; it is seen by its ACK, less the way back of it.
 */
import type { AckObserver } from "../../ccp-bridge/observed-control.ts";
import { type Bytes, NANOS_PER_MICRO, NANOS_PER_MILLI, NANOS_PER_SEC, type Nanos } from "../../core/units.ts";
import type { Sender } from "../../engine/sender.ts";
import type { MediaApplication, MediaStream } from "../../scenarios/traffic/media.ts";
import type { Network, NetworkFlow } from "../../sim/network.ts";

/** So many segments are given to the sender ahead: what a millisecond takes at 100 Mbit/s. */
const AHEAD_SEGMENTS = 8;
const FEED_EVERY_NS = NANOS_PER_MILLI;

/** Delays of the frames of a stream, from their generation to the receiver. */
export interface StreamDelays {
  readonly name: string;
  readonly frames: number;
  /** of `frames`, those that never were whole: abandoned, or not there by the end */
  readonly missing: number;
  /** NaN where no frame counts; a frame that is not there by the end counts as late as it was then */
  readonly meanMs: number;
  readonly maxMs: number;
}

interface Frame {
  readonly stream: MediaStream;
  readonly bornNs: Nanos;
  readonly isKey: boolean;
  bytesLeft: Bytes;
  /** segments that the sender had been given when the last of it was; undefined: some of it waits */
  endSequence: number | undefined;
}

class StreamLog {
  readonly stream: MediaStream;
  made = 0;
  isAbandoned = false;
  frames = 0;
  missing = 0;
  #sumMs = 0;
  #maxMs = 0;

  constructor(stream: MediaStream) {
    this.stream = stream;
  }

  /** Of a frame that counts. */
  count(delayMs: number, isMissing = false): void {
    this.frames++;
    if (isMissing) this.missing++;
    this.#sumMs += delayMs;
    this.#maxMs = Math.max(this.#maxMs, delayMs);
  }

  copy(): StreamLog {
    const copy = new StreamLog(this.stream);
    copy.frames = this.frames;
    copy.missing = this.missing;
    copy.#sumMs = this.#sumMs;
    copy.#maxMs = this.#maxMs;
    return copy;
  }

  get delays(): StreamDelays {
    const { frames, missing } = this;
    return {
      name: this.stream.name,
      frames,
      missing,
      meanMs: frames === 0 ? Number.NaN : this.#sumMs / frames,
      maxMs: frames === 0 ? Number.NaN : this.#maxMs,
    };
  }
}

/** The call of one flow: attach it to the flow's start, and show it the flow's ACKs. */
export class MediaCall implements AckObserver {
  readonly #spec: MediaApplication;
  readonly #backNs: Nanos;
  readonly #logs: readonly StreamLog[];
  #network: Network | undefined;
  #flow: NetworkFlow | undefined;
  #sender: Sender | undefined;
  #fromNs: Nanos = 0;
  /** by priority, then by birth */
  #waiting: Frame[] = [];
  /** given to the sender whole, in the order of their last segments */
  #travelling: Frame[] = [];
  #supplied = 0;
  #roomBytes = 0;
  #isFeeding = false;

  /** @param backNs how long an ACK travels */
  constructor(spec: MediaApplication, backNs: Nanos) {
    this.#spec = spec;
    this.#backNs = backNs;
    this.#logs = spec.streams.map((stream) => new StreamLog(stream));
  }

  readonly attach = (flow: NetworkFlow, network: Network): void => {
    this.#network = network;
    this.#flow = flow;
    this.#sender = flow.sender!;
    this.#sender.withdraw(network.nowNs);
    this.#fromNs = network.nowNs + (this.#spec.measureFromSec ?? 0) * NANOS_PER_SEC;
    for (const log of this.#logs) this.#generate(log, network.nowNs);
    this.#feed();
  };

  record({ nowUs, cumulativeSequence }: Parameters<AckObserver["record"]>[0]): void {
    const arrivedNs = nowUs * NANOS_PER_MICRO - this.#backNs;
    while (this.#travelling.length > 0 && this.#travelling[0]!.endSequence! <= cumulativeSequence) {
      const { stream, bornNs } = this.#travelling.shift()!;
      if (bornNs >= this.#fromNs) this.#logOf(stream).count((arrivedNs - bornNs) / NANOS_PER_MILLI);
    }
  }

  /** By stream, as of now. A frame that was born less than its own delay ago is not late yet. */
  delays(nowNs: Nanos): readonly StreamDelays[] {
    const open = [...this.#travelling, ...this.#waiting].filter(({ bornNs }) => bornNs >= this.#fromNs);
    return this.#logs.map((log) => {
      const { meanMs } = log.delays;
      const copy = log.copy();
      for (const { stream, bornNs } of open) {
        const lateMs = (nowNs - bornNs) / NANOS_PER_MILLI;
        if (stream === log.stream && !(lateMs <= meanMs)) copy.count(lateMs, true);
      }
      return copy.delays;
    });
  }

  #logOf(stream: MediaStream): StreamLog {
    return this.#logs.find((log) => log.stream === stream)!;
  }

  #generate(log: StreamLog, nowNs: Nanos): void {
    const { stream } = log;
    const isKey = stream.keyFrameEvery !== undefined && log.made % stream.keyFrameEvery === 0;
    log.made++;
    if (isKey) log.isAbandoned = false;
    if (!log.isAbandoned) {
      const bytesLeft = isKey ? stream.keyFrameBytes! : stream.bytes;
      const frame: Frame = { stream, bornNs: nowNs, isKey, bytesLeft, endSequence: undefined };
      const { priority = 0 } = stream;
      const behind = this.#waiting.findLastIndex((other) => (other.stream.priority ?? 0) <= priority);
      this.#waiting.splice(behind + 1, 0, frame);
    }
    const bornNs = nowNs + NANOS_PER_SEC / stream.framesPerSec;
    this.#network!.schedule(bornNs, () => {
      this.#generate(log, bornNs);
      this.#feed();
    });
  }

  /** What is too late is sent no more, and its stream waits for a key frame. */
  #abandon(nowNs: Nanos): void {
    for (const log of this.#logs) {
      const { abandonAfterMs } = log.stream;
      if (abandonAfterMs === undefined || log.isAbandoned) continue;
      const bornBefore = nowNs - abandonAfterMs * NANOS_PER_MILLI;
      const isLate = ({ stream, bornNs }: Frame): boolean => stream === log.stream && bornNs < bornBefore;
      if (!this.#waiting.some(isLate)) continue;
      log.isAbandoned = true;
      for (const { stream, bornNs } of this.#waiting) {
        if (stream !== log.stream || bornNs < this.#fromNs) continue;
        log.count((nowNs - bornNs) / NANOS_PER_MILLI, true);
      }
      this.#waiting = this.#waiting.filter(({ stream }) => stream !== log.stream);
    }
  }

  #feed(): void {
    const sender = this.#sender!;
    const network = this.#network!;
    const { mssBytes } = sender;
    this.#abandon(network.nowNs);
    const unsent = sender.unsentPackets;
    // what has left takes no more bytes along
    if (unsent === 0) this.#roomBytes = 0;
    const room = AHEAD_SEGMENTS - unsent;
    let segments = 0;
    while (this.#waiting.length > 0) {
      const frame = this.#waiting[0]!;
      const inRoom = Math.min(frame.bytesLeft, this.#roomBytes);
      frame.bytesLeft -= inRoom;
      this.#roomBytes -= inRoom;
      while (frame.bytesLeft > 0 && segments < room) {
        const taken = Math.min(frame.bytesLeft, mssBytes);
        frame.bytesLeft -= taken;
        this.#roomBytes = mssBytes - taken;
        segments++;
      }
      if (frame.bytesLeft > 0) break;
      frame.endSequence = this.#supplied + segments;
      this.#travelling.push(frame);
      this.#waiting.shift();
    }
    if (segments > 0) {
      this.#supplied += segments;
      sender.supply(segments, network.nowNs);
      network.refresh(this.#flow!);
    }
    if (this.#waiting.length === 0 || this.#isFeeding) return;
    this.#isFeeding = true;
    network.schedule(network.nowNs + FEED_EVERY_NS, () => {
      this.#isFeeding = false;
      this.#feed();
    });
  }
}
