/**
 * What a flow does unless its policy says otherwise: it sends at the rate that comes through, a little more while nothing waits,
 * less the more waits, and twice as much as long as a slow start finds more. Where the rate changes by itself its window does so in place of
 * its rate, and where others fill the queue it has a window among them. A policy that adds nothing to it is Steering itself.
 */
import { log2 } from "../../../core/math.ts";
import { type Bytes, type BytesPerSec, MICROS_PER_SEC, type Micros } from "../../../core/units.ts";
import type { FlowView } from "../observations.ts";
import { Competition } from "./competition.ts";
import type { PathModel } from "./path-model.ts";

/** What may be tuned; the defaults were, by hand, on links of the curriculum `general`, and before that on most of the league's validation split. */
export interface Law {
  /** queueing delay that is held: the longest of a time, a part of the min RTT, and so many packets of one's own */
  readonly targetUs: number;
  readonly targetRtt: number;
  readonly targetPackets: number;
  /** and of how much the RTT changes from report to report: what it does by itself is no queue of the flow's */
  readonly targetNoise: number;
  /** of which no more counts than this part of the min RTT and so many packets: where a queue grows, so does its noise */
  readonly noiseRtt: number;
  readonly noisePackets: number;
  /**
   * the same of a path that lets packets go at random: its rate changes by this many octaves from report to report, too little for a path
   * whose rate changes by itself, and packets wait at it however little is sent
   */
  readonly randomFrom: number;
  readonly randomNoise: number;
  readonly randomPackets: number;
  readonly randomRtt: number;
  /** log2 of the rate, per report and octave of delay above the target */
  readonly down: number;
  readonly mostDown: number;
  /** the same below it, and by how much that grows with every report in a row */
  readonly up: number;
  readonly ramp: number;
  readonly mostUp: number;
  /** where more than this is lost, and the path shows no queue, it is policed or lossy: less is added than what is made up for */
  readonly lossRate: number;
  readonly upInLoss: number;
  /** window: so many products, and what comes in one bunch of ACKs so often */
  readonly products: number;
  readonly bunches: number;
  /** octaves that the path's rate changes by from report to report: above it, the window holds the target, and the rate (log2) only spreads it */
  readonly varying: number;
  readonly varyingGain: number;
  /** after so many reports in a row below the target the window grows, too: by so many times the gain of a rate */
  readonly varyingQuiet: number;
  readonly varyingUp: number;
}

export const LAW: Law = {
  targetUs: 600,
  targetRtt: 0.01,
  targetPackets: 0.5,
  targetNoise: 1,
  noiseRtt: 0.5,
  noisePackets: 2,
  randomFrom: 0.06,
  randomNoise: 5,
  randomPackets: 10,
  randomRtt: 0.1,
  down: 0.1,
  mostDown: 0.5,
  up: 0.03,
  ramp: 1.15,
  mostUp: 0.5,
  lossRate: 0.01,
  upInLoss: 0.02,
  products: 1.25,
  bunches: 1.5,
  varying: 0.15,
  varyingGain: 1,
  varyingQuiet: 2,
  varyingUp: 6,
};

/** The bunch of ACKs is forgotten by so much per report. */
const BUNCH_MEMORY = 0.9;
const SPARE_PACKETS = 3;
const STARTUP_GAIN = 2;
/** Octaves per report above which a path's rate changes by itself, and not only by when packets happen to go. */
const RANDOM_TO = 0.25;

export class Steering {
  /** log2 of what it sends by that of the path; 0 before the first report */
  gain = 0;
  rateBytesPerSec: BytesPerSec = 0;
  cwndBytes: Bytes;
  readonly #law: Law;
  #quietReports = 0;
  #bunchUs = 0;

  readonly competition: Competition = new Competition();

  constructor(cwndBytes: Bytes, law: Law = LAW) {
    this.cwndBytes = cwndBytes;
    this.#law = law;
  }

  /** A step is over. */
  observe(view: FlowView): void {
    const { interval, path, srttUs } = view;
    const { minRttUs, mssBytes } = interval;
    if (!interval.report || path.rateBytesPerSec === 0 || minRttUs === 0) return;
    const law = this.#law;
    this.#bunchUs = Math.max(this.#bunchUs * BUNCH_MEMORY, path.isBunched ? interval.stepUs : 0);
    if (path.isStartup) {
      this.cwndBytes += (interval.ackedPackets + interval.misorderedPackets) * mssBytes;
      this.rateBytesPerSec = Math.max(
        STARTUP_GAIN * path.rateBytesPerSec,
        (STARTUP_GAIN * this.cwndBytes * MICROS_PER_SEC) / Math.max(srttUs, minRttUs),
      );
      return;
    }
    const packetUs = (mssBytes * MICROS_PER_SEC) / path.maxRateBytesPerSec;
    const targetUs = Math.max(
      law.targetUs,
      noiseUs(path, law, minRttUs, packetUs),
      law.targetRtt * minRttUs,
      law.targetPackets * packetUs,
    );
    const octaves = log2(Math.max(path.delayUs(interval), targetUs / 4) / targetUs);
    if (octaves > 0) {
      this.#quietReports = 0;
      this.gain = Math.max(-law.mostDown, -law.down * octaves);
    } else {
      const mostUp = path.lossRate > law.lossRate ? law.upInLoss - 0.5 * log2(1 - path.lossRate) : law.mostUp;
      this.gain = Math.min(mostUp, law.up * -octaves * 0.5 * law.ramp ** this.#quietReports);
      this.#quietReports = Math.min(this.#quietReports + 1, MOST_QUIET);
    }
    this.competition.observe(view, path.delayUs(interval), targetUs, this.gain);
    if (this.competition.isOn) {
      this.gain = 0;
      this.cwndBytes = this.competition.cwndBytes;
      this.rateBytesPerSec = this.competition.rateBytesPerSec(srttUs);
      return;
    }
    this.rateBytesPerSec = path.rateBytesPerSec;
    const bunchUs = law.bunches * this.#bunchUs;
    if (path.rateChange > law.varying) {
      // a window follows each change within a round trip, since every ACK lets as much go as has come through
      const isQuiet = this.#quietReports > law.varyingQuiet;
      const more = isQuiet ? Math.min(law.varyingUp * this.gain, law.mostUp) : 0;
      this.gain = law.varyingGain;
      this.cwndBytes =
        2 ** more * bytesIn(path.rateBytesPerSec, minRttUs + targetUs + bunchUs) + SPARE_PACKETS * mssBytes;
    } else {
      this.cwndBytes =
        bytesIn(path.maxRateBytesPerSec, law.products * minRttUs + bunchUs) + SPARE_PACKETS * mssBytes;
    }
  }
}

/** Queueing delay that is no queue of the flow's: how much the RTT changes by itself. */
function noiseUs(path: PathModel, law: Law, minRttUs: Micros, packetUs: Micros): Micros {
  const most = law.noiseRtt * minRttUs + law.noisePackets * packetUs;
  const own = law.targetNoise * Math.min(path.rttChangeUs, most);
  if (path.rateChange < law.randomFrom || path.rateChange > RANDOM_TO) return own;
  const mostRandom = Math.min(law.randomPackets * packetUs, law.randomRtt * minRttUs);
  return Math.max(own, Math.min(law.randomNoise * path.rttChangeUs, mostRandom));
}

const bytesIn = (rateBytesPerSec: BytesPerSec, us: Micros): Bytes => (rateBytesPerSec * us) / MICROS_PER_SEC;

const MOST_QUIET = 24;
