/**
 * Queueing and one-way delays of one flow. They are read off the list of its arrivals, many at a time: a loop over rows takes half
 * the instructions of a packet here and there.
 */
import { allocate } from "../memory/memory";
import { Arrivals } from "../sender/arrivals";
import { DelayHistogram } from "./delay-histogram";
import { FlowBins } from "./flow-bins";

@unmanaged
export class FlowDelays {
  /** arrivals whose queueing delays are counted, and whose one-way delays are */
  queueCounted: i64;
  oneWayCounted: i64;
  /** in the queue */
  queue: DelayHistogram;
  /** from leaving the sender to reaching the receiver; null: not measured */
  oneWay: DelayHistogram | null;
  /** time series of the queueing delays; null: none */
  bins: FlowBins | null;

  static make(bins: FlowBins | null, hasOneWay: bool): FlowDelays {
    const delays = changetype<FlowDelays>(allocate(offsetof<FlowDelays>()));
    delays.queue = changetype<DelayHistogram>(allocate(offsetof<DelayHistogram>()));
    if (hasOneWay) delays.oneWay = changetype<DelayHistogram>(allocate(offsetof<DelayHistogram>()));
    delays.bins = bins;
    return delays;
  }

  /** Counts what is not counted yet of the queueing delays of the arrivals before `queueEnd`, and of the one-way delays of those before `oneWayEnd`. */
  count(arrived: Arrivals, queueEnd: i64, oneWayEnd: i64): void {
    if (queueEnd > this.queueCounted) {
      this.queue.recordQueueing(arrived, this.queueCounted, queueEnd);
      const bins = this.bins;
      if (bins !== null) {
        for (let n = this.queueCounted; n < queueEnd; n++)
          bins.countDelay(arrived.startNs(n), arrived.queueingUs(n));
      }
      this.queueCounted = queueEnd;
    }
    const oneWay = this.oneWay;
    if (oneWay === null || oneWayEnd <= this.oneWayCounted) return;
    oneWay.recordOneWay(arrived, this.oneWayCounted, oneWayEnd);
    this.oneWayCounted = oneWayEnd;
  }
}
