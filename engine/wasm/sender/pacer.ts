/** When the next packet may leave while the window is open: the pacing rate's schedule, and a jitter that keeps the order. */
import { allocate, release } from "../memory/memory";
import { Rng } from "../rng";
import { SECOND } from "../units";

/** `openSinceNs` while the window is closed: before any time. */
const CLOSED: f64 = -1;

@unmanaged
export class Pacer {
  gapNs: f64;
  /** when window and pacing rate let the next packet go, before jitter; as last planned */
  scheduledNs: f64;
  lastScheduledNs: f64;
  openSinceNs: f64;
  /** upper bound of the uniform extra wait of each packet; 0: none */
  jitterBoundNs: f64;
  jitterNs: f64;
  jitterRng: Rng;

  init(): void {
    this.scheduledNs = this.lastScheduledNs = -Infinity;
    this.openSinceNs = CLOSED;
    this.jitterRng = changetype<Rng>(allocate(offsetof<Rng>()));
  }

  free(): void {
    release(changetype<usize>(this.jitterRng), offsetof<Rng>());
  }

  /** @param rateBytesPerSec negative: none */
  @inline
  setRate(rateBytesPerSec: f64, mssBytes: f64): void {
    this.gapNs = rateBytesPerSec < 0 ? 0 : (mssBytes * SECOND) / rateBytesPerSec;
  }

  /** No packet may leave before something changes. */
  @inline
  close(): void {
    this.openSinceNs = CLOSED;
  }

  /** The window is open and there is something to send. @returns when it leaves */
  @inline
  plan(nowNs: f64): f64 {
    if (this.openSinceNs === CLOSED) this.openSinceNs = nowNs;
    const scheduledNs = this.later(this.lastScheduledNs + this.gapNs, this.openSinceNs);
    this.scheduledNs = scheduledNs;
    return this.later(scheduledNs + this.jitterNs, nowNs);
  }

  /** The later time. Where that is random, as with jitter, a branch would be mispredicted half of the time: this is none. */
  @inline
  private later(aNs: f64, bNs: f64): f64 {
    return f64x2.extract_lane(f64x2.pmax(f64x2.splat(aNs), f64x2.splat(bNs)), 0);
  }

  /** A packet leaves now whatever the window says: a probe. */
  schedule(nowNs: f64): void {
    this.scheduledNs = nowNs;
  }

  @inline
  onSent(): void {
    this.lastScheduledNs = this.scheduledNs;
    if (this.jitterBoundNs > 0) this.drawJitter();
  }

  @inline
  drawJitter(): void {
    this.jitterNs = this.jitterBoundNs * this.jitterRng.next();
  }
}
