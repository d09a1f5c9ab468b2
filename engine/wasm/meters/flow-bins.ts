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
 * The bin of the last event of a kind. Events come in time order, so that the next one mostly falls into it as well: a division and
 * a conversion less for each packet. `floor((t - start) / width)` never falls as t grows, so what lies between two times of a bin
 * is in it.
 */
@unmanaged
class LastBin {
  /** times of which it is known that they are in it; empty at first */
  fromNs: f64;
  toNs: f64;
  address: usize;

  @inline
  has(atNs: f64): bool {
    return atNs >= this.fromNs && atNs <= this.toNs;
  }

  @inline
  get words(): BinWords {
    return changetype<BinWords>(this.address);
  }
}

@unmanaged
export class FlowBins extends FlowBinsWords {
  startNs: f64;
  binNs: f64;
  ofArrivals: LastBin;
  ofDelays: LastBin;
  capacity: i32;

  init(startNs: f64, binNs: f64): void {
    this.startNs = startNs;
    this.binNs = binNs;
    this.capacity = INITIAL_BINS;
    this.binsAddress = <f64>allocate((<usize>INITIAL_BINS) << BIN_SHIFT);
    this.ofArrivals = changetype<LastBin>(allocate(offsetof<LastBin>()));
    this.ofDelays = changetype<LastBin>(allocate(offsetof<LastBin>()));
    this.ofArrivals.toNs = this.ofDelays.toNs = -1;
  }

  @inline
  countArrival(atNs: f64): void {
    const last = this.ofArrivals;
    if (!last.has(atNs) && !this.enterBin(last, atNs)) return;
    last.words.delivered += 1;
  }

  @inline
  countDelay(atNs: f64, delayUs: f64): void {
    const last = this.ofDelays;
    if (!last.has(atNs) && !this.enterBin(last, atNs)) return;
    const bin = last.words;
    bin.delaySumUs += delayUs;
    bin.delayCount += 1;
  }

  /** @returns false: it lies beyond all bins */
  private enterBin(last: LastBin, atNs: f64): bool {
    const number = this.numberOf(atNs);
    if (number >= MAX_BINS) return false;
    const i = <i32>number;
    if (i >= this.capacity) this.grow(i);
    last.address = <usize>this.binsAddress + ((<usize>i) << BIN_SHIFT);
    const lateNs = this.startNs + (number + 1) * this.binNs - MARGIN_NS;
    last.fromNs = atNs;
    last.toNs = this.numberOf(lateNs) === number ? lateNs : atNs;
    const bins = number + 1;
    if (last === this.ofArrivals) this.arrivalBins = max<f64>(this.arrivalBins, bins);
    else this.delayBins = max<f64>(this.delayBins, bins);
    return true;
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
    this.ofArrivals.toNs = this.ofDelays.toNs = -1;
  }
}
