/**
 * Whether others fill the queue, and a window among them while they do. A flow that withdraws empties a queue of its own within a few
 * round trips. Where it stands all the same, somebody else keeps it full, and who goes on giving way gets nothing: the flow's window
 * grows and is cut by loss then, and it withdraws from time to time to see whether the queue empties by now. (Copa has two modes for the same
 * reason; it tells them apart by its own swing.)
 */
import { type Bytes, type BytesPerSec, MICROS_PER_SEC, type Micros } from "../../../core/units.ts";
import type { Interval } from "../interval.ts";
import type { FlowView } from "../observations.ts";
import { MIN_CWND_PACKETS } from "../window-limits.ts";

/** A queue that has not been empty for so many reports, although the flow gave way, is not its own. */
const STANDING_REPORTS = 10;
/** Empty is what is below so many targets, or below a part of the highest delay since it was empty. */
const EMPTY_TARGETS = 2;
const EMPTY_PART = 0.1;
/** It has given way by so much: log2 of its rate, summed over these reports. */
const GIVEN_WAY = 2;
/** A queue that shrinks this much is drained: a link that has become slower, and no other flow. */
const DRAINED_PART = 0.5;
/** Reports between two looks at the first, twice as many after each that found the queue full still, and at most. */
const FIRST_LOOK_REPORTS = 40;
const MOST_LOOK_REPORTS = 160;
/** A look lasts so long at most. */
const LOOK_REPORTS = 6;
/** Per report without loss, and with one: a window that holds its own beside Cubic's. */
const GROWTH_PACKETS = 2;
const CUT = 0.7;
/** Against bursts, without holding the window back. */
const PACING_GAIN = 1.25;

export class Competition {
  /** somebody else fills the queue, and this flow has a window among them */
  isOn = false;
  cwndBytes: Bytes = 0;
  #standingReports = 0;
  #highestUs: Micros = 0;
  /** log2 of the rate, since the queue was empty */
  #givenWay = 0;
  /** while it competes, reports until it looks; while it looks, reports that are left; 0: neither */
  #reportsLeft = 0;
  #isLooking = false;
  #lookEvery = FIRST_LOOK_REPORTS;
  #heldBytes: Bytes = 0;

  /** @param srttUs above 0 */
  rateBytesPerSec(srttUs: Micros): BytesPerSec {
    return (PACING_GAIN * this.cwndBytes * MICROS_PER_SEC) / srttUs;
  }

  /**
   * A report has come, after slow start.
   * @param delayUs queueing delay
   * @param targetUs what the flow would hold alone
   * @param gain log2 of what the flow does alone by the rate of the path
   */
  observe(view: FlowView, delayUs: Micros, targetUs: Micros, gain: number): void {
    const { path, srttUs } = view;
    const emptyUs = Math.max(EMPTY_TARGETS * targetUs, EMPTY_PART * this.#highestUs);
    if (delayUs <= emptyUs) {
      this.isOn = this.#isLooking = false;
      this.#standingReports = 0;
      this.#highestUs = delayUs;
      this.#lookEvery = FIRST_LOOK_REPORTS;
      this.#givenWay = 0;
      return;
    }
    this.#standingReports++;
    this.#givenWay -= gain;
    this.#highestUs = Math.max(this.#highestUs, delayUs);
    if (this.isOn) {
      this.#grow(view.interval);
      if (--this.#reportsLeft <= 0) this.#look();
    } else if (this.#isLooking) {
      if (--this.#reportsLeft <= 0) this.#compete(this.#heldBytes);
    } else if (
      this.#standingReports >= STANDING_REPORTS &&
      this.#givenWay >= GIVEN_WAY &&
      delayUs > DRAINED_PART * this.#highestUs
    )
      this.#compete((path.rateBytesPerSec * srttUs) / MICROS_PER_SEC);
  }

  #compete(cwndBytes: Bytes): void {
    this.isOn = true;
    this.#isLooking = false;
    this.cwndBytes = cwndBytes;
    this.#reportsLeft = this.#lookEvery;
  }

  #grow({ lostPackets, timeout, mssBytes }: Interval): void {
    if (lostPackets > 0 || timeout) this.cwndBytes *= CUT;
    else this.cwndBytes += GROWTH_PACKETS * mssBytes;
    this.cwndBytes = Math.max(this.cwndBytes, MIN_CWND_PACKETS * mssBytes);
  }

  #look(): void {
    this.isOn = false;
    this.#isLooking = true;
    this.#heldBytes = this.cwndBytes;
    this.#reportsLeft = LOOK_REPORTS;
    this.#lookEvery = Math.min(2 * this.#lookEvery, MOST_LOOK_REPORTS);
  }
}
