/** The time series of one flow in equal bins from its start on: `sim/flow-statistics.ts` reads it. */
import { allocate, release } from "../memory/memory";

/** A day in bins of 50 ms, the longest run: a slow link knows departures that lie years behind its end. */
const MAX_BINS: f64 = 1728000;
const INITIAL_BINS: i32 = 128;
const BIN_SHIFT: usize = 5;

/** A bin, as the host reads it. */
@unmanaged
export class BinWords {
  /** payload packets that arrived for the first time */
  delivered: f64;
  /** of packets whose service began */
  delaySumUs: f64;
  delayCount: f64;
  unused: f64;
}

@unmanaged
export class FlowBinsWords {
  /** bins up to the last with an arrival, and to the last with a delay */
  arrivalBins: f64;
  delayBins: f64;
  binsAddress: f64;
}

/** So long before its end a bin is left by computing again. */
const MARGIN_NS: f64 = 1;

/**
 * Events of a kind come in time order, so that the next one mostly falls into the bin of the last as well: a division and
 * a conversion less for each packet. `floor((t - start) / width)` never falls as t grows, so what lies between two times of a bin
 * is in it.
 */
@unmanaged
export class FlowBins extends FlowBinsWords {
  startNs: f64;
  binNs: f64;
  /** of the last arrival and of the last delay: until when it is known that what comes is in the bin, and where that is */
  arrivalsUntilNs: f64;
  delaysUntilNs: f64;
  arrivalBin: BinWords;
  delayBin: BinWords;
  capacity: i32;

  init(startNs: f64, binNs: f64): void {
    this.startNs = startNs;
    this.binNs = binNs;
    this.capacity = INITIAL_BINS;
    this.binsAddress = <f64>allocate((<usize>INITIAL_BINS) << BIN_SHIFT);
    this.arrivalsUntilNs = this.delaysUntilNs = -1;
  }

  @inline
  countArrival(atNs: f64): void {
    if (atNs > this.arrivalsUntilNs) {
      if (!this.enterArrivalBin(atNs)) return;
    }
    this.arrivalBin.delivered += 1;
  }

  @inline
  countDelay(atNs: f64, delayUs: f64): void {
    if (atNs > this.delaysUntilNs) {
      if (!this.enterDelayBin(atNs)) return;
    }
    const bin = this.delayBin;
    bin.delaySumUs += delayUs;
    bin.delayCount += 1;
  }

  private enterArrivalBin(atNs: f64): bool {
    const number = this.numberOf(atNs);
    if (number >= MAX_BINS) return false;
    this.arrivalBin = this.bin(<i32>number);
    this.arrivalsUntilNs = this.endOf(number, atNs);
    this.arrivalBins = max<f64>(this.arrivalBins, number + 1);
    return true;
  }

  private enterDelayBin(atNs: f64): bool {
    const number = this.numberOf(atNs);
    if (number >= MAX_BINS) return false;
    this.delayBin = this.bin(<i32>number);
    this.delaysUntilNs = this.endOf(number, atNs);
    this.delayBins = max<f64>(this.delayBins, number + 1);
    return true;
  }

  private bin(i: i32): BinWords {
    if (i >= this.capacity) this.grow(i);
    return changetype<BinWords>(<usize>this.binsAddress + ((<usize>i) << BIN_SHIFT));
  }

  /** A time in the bin, close to its end if that is certain. */
  private endOf(number: f64, atNs: f64): f64 {
    const lateNs = this.startNs + (number + 1) * this.binNs - MARGIN_NS;
    return this.numberOf(lateNs) === number ? lateNs : atNs;
  }

  @inline
  private numberOf(atNs: f64): f64 {
    return floor<f64>((atNs - this.startNs) / this.binNs);
  }

  private grow(i: i32): void {
    let capacity = this.capacity;
    while (capacity <= i) capacity *= 2;
    const bins = allocate((<usize>capacity) << BIN_SHIFT);
    const bytes = (<usize>this.capacity) << BIN_SHIFT;
    memory.copy(bins, <usize>this.binsAddress, bytes);
    release(<usize>this.binsAddress, bytes);
    this.binsAddress = <f64>bins;
    this.capacity = capacity;
    // they have moved
    this.arrivalsUntilNs = this.delaysUntilNs = -1;
  }
}
