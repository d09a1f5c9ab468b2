/**
 * Algorithms that go on below a form of action, at the pace of reports: a policy changes what they say, and they go on from
 * there. A report is about a round trip, so that what they do per ACK elsewhere they do per report here, with the packets of it.
 */
import { cbrt } from "../../../core/math.ts";
import { type Bytes, type BytesPerSec, MICROS_PER_SEC, type Micros } from "../../../core/units.ts";
import type { Interval } from "../interval.ts";
import type { FlowView } from "../observations.ts";
import { MIN_CWND_PACKETS } from "../window-limits.ts";

export interface Inner {
  readonly cwndBytes: Bytes;
  /** 0: ACK-clocked */
  readonly rateBytesPerSec: BytesPerSec;
  /** A step is over. */
  observe(view: FlowView, nowUs: Micros): void;
  /** The window is this from now on, whoever set it. */
  take(cwndBytes: Bytes): void;
}

/** Window arithmetic and the answer to loss, once per report. */
abstract class WindowInner implements Inner {
  readonly rateBytesPerSec = 0;
  readonly #mssBytes: Bytes;
  protected cwndPackets: number;
  protected isSlowStart = true;

  constructor(mssBytes: Bytes, cwndBytes: Bytes) {
    this.#mssBytes = mssBytes;
    this.cwndPackets = cwndBytes / mssBytes;
  }

  get cwndBytes(): Bytes {
    return this.cwndPackets * this.#mssBytes;
  }

  take(cwndBytes: Bytes): void {
    this.cwndPackets = Math.max(MIN_CWND_PACKETS, cwndBytes / this.#mssBytes);
  }

  observe({ interval, path }: FlowView, nowUs: Micros): void {
    if (!interval.report) return;
    if (!path.isStartup) this.isSlowStart = false;
    const delivered = interval.ackedPackets + interval.misorderedPackets;
    if (interval.lostPackets > 0 || interval.timeout) {
      this.cut();
      this.isSlowStart = false;
    } else if (this.isSlowStart) this.cwndPackets += delivered;
    else this.grow(interval, delivered, nowUs);
    this.cwndPackets = Math.max(MIN_CWND_PACKETS, this.cwndPackets);
  }

  protected abstract cut(): void;
  protected abstract grow(interval: Interval, deliveredPackets: number, nowUs: Micros): void;
}

/** RFC 9438 */
const CUBIC_BETA = 0.7;
const CUBIC_C = 0.4;
const RENO_ALPHA = (3 * (1 - CUBIC_BETA)) / (1 + CUBIC_BETA);
const MAX_GROWTH = 1.5;

export class InnerCubic extends WindowInner {
  #wMaxPackets = 0;
  #epochUs: Micros | undefined;
  #kSec = 0;
  #originPackets = 0;
  #renoPackets = 0;

  protected override cut(): void {
    this.#wMaxPackets = this.cwndPackets;
    this.cwndPackets *= CUBIC_BETA;
    this.#epochUs = undefined;
  }

  protected override grow({ minRttUs }: Interval, deliveredPackets: number, nowUs: Micros): void {
    if (this.#epochUs === undefined) {
      this.#epochUs = nowUs;
      this.#originPackets = Math.max(this.#wMaxPackets, this.cwndPackets);
      this.#kSec = cbrt((this.#originPackets - this.cwndPackets) / CUBIC_C);
      this.#renoPackets = this.cwndPackets;
    }
    const cwnd = this.cwndPackets;
    const d = (nowUs - this.#epochUs + minRttUs) / MICROS_PER_SEC - this.#kSec;
    this.#renoPackets += (RENO_ALPHA * deliveredPackets) / cwnd;
    const target = Math.max(this.#originPackets + CUBIC_C * d * d * d, this.#renoPackets);
    const growth = Math.min(Math.max(target, cwnd), MAX_GROWTH * cwnd) - cwnd;
    this.cwndPackets += growth * Math.min(1, deliveredPackets / cwnd);
  }

  override take(cwndBytes: Bytes): void {
    const before = this.cwndPackets;
    super.take(cwndBytes);
    // the curve begins anew where the window has been moved
    if (this.cwndPackets !== before) this.#epochUs = undefined;
  }
}

/** Linux's alpha and beta, packets of one's own in the queue, and Reno's cut. */
const VEGAS_LEAST = 2;
const VEGAS_MOST = 4;

export class InnerVegas extends WindowInner {
  protected override cut(): void {
    this.cwndPackets /= 2;
  }

  protected override grow({ meanRttUs, minRttUs }: Interval): void {
    if (minRttUs === 0 || meanRttUs === 0) return;
    const queued = (this.cwndPackets * (meanRttUs - minRttUs)) / minRttUs;
    if (queued > VEGAS_MOST) this.cwndPackets--;
    else if (queued < VEGAS_LEAST) this.cwndPackets++;
  }
}

/** BBR's gains in turn (Cardwell et al. 2016), one report each, and its window. */
const PROBE_GAINS = [1.25, 0.75, 1, 1, 1, 1, 1, 1] as const;
const STARTUP_GAIN = 2;
const WINDOW_GAIN = 2;

export class InnerRate implements Inner {
  cwndBytes: Bytes;
  rateBytesPerSec = 0;
  #turn = 0;

  constructor(_mssBytes: Bytes, cwndBytes: Bytes) {
    this.cwndBytes = cwndBytes;
  }

  observe({ interval, path }: FlowView): void {
    if (!interval.report || path.rateBytesPerSec === 0) return;
    const gain = path.isStartup ? STARTUP_GAIN : PROBE_GAINS[this.#turn++ % PROBE_GAINS.length]!;
    this.rateBytesPerSec = gain * path.rateBytesPerSec;
    const product = (path.rateBytesPerSec * interval.minRttUs) / MICROS_PER_SEC;
    this.cwndBytes = Math.max(WINDOW_GAIN * product, 2 * MIN_CWND_PACKETS * interval.mssBytes);
  }

  /** Its window follows from the path. */
  take(): void {}
}
