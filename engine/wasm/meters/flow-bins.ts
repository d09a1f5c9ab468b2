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

@unmanaged
export class FlowBins extends FlowBinsWords {
  startNs: f64;
  binNs: f64;
  capacity: i32;

  init(startNs: f64, binNs: f64): void {
    this.startNs = startNs;
    this.binNs = binNs;
    this.capacity = INITIAL_BINS;
    this.binsAddress = <f64>allocate((<usize>INITIAL_BINS) << BIN_SHIFT);
  }

  @inline
  countArrival(atNs: f64): void {
    const number = floor<f64>((atNs - this.startNs) / this.binNs);
    if (number >= MAX_BINS) return;
    this.bin(number).delivered += 1;
    this.arrivalBins = max<f64>(this.arrivalBins, number + 1);
  }

  @inline
  countDelay(atNs: f64, delayUs: f64): void {
    const number = floor<f64>((atNs - this.startNs) / this.binNs);
    if (number >= MAX_BINS) return;
    const bin = this.bin(number);
    bin.delaySumUs += delayUs;
    bin.delayCount += 1;
    this.delayBins = max<f64>(this.delayBins, number + 1);
  }

  @inline
  private bin(number: f64): BinWords {
    const i = <i32>number;
    if (i >= this.capacity) this.grow(i);
    return changetype<BinWords>(<usize>this.binsAddress + ((<usize>i) << BIN_SHIFT));
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
  }
}
