/**
 * What no congestion control can override, so that one that never backs off harms nobody but itself:
 *
 * 1. Without any feedback one packet per retransmission timeout, which doubles (RFC 6298 5.5; RFC 8085 3.1.1 and RFC 9743 ask
 *    for it): from a timeout on, until an ACK tells of something.
 * 2. What decides outside of the datapath, an agent or a policy: where most packets were lost in two rounds running, or nearly all
 *    in one, the window is cut to what the last one delivered. From there it grows by a quarter per round, and is cut again where more than a fifth
 *    was lost, until it is the control's own again. Who halves on loss never sees it.
 */
import { NO_LIMIT } from "../units";

/** So many of 10 packets of a round, or fewer, may be lost before the window is cut, and once it has been. */
const NEARLY_ALL: f64 = 8;
const MOST: f64 = 5;
const MANY: f64 = 2;
/** One such round is what a slow start ends with. */
const BAD_ROUNDS: i32 = 2;
const GROWTH: i64 = 4;
/** What delivers less is left to the timeout. */
const MIN_PACKETS: i64 = 2;

@unmanaged
export class Guard {
  /** the transmission before which silence allows them; NO_LIMIT: there is feedback */
  allowedBefore: i64;
  /** what the window may be at most; NO_LIMIT: what the congestion control says */
  capPackets: i64;
  /** the running round ends when a transmission from this one on has been seen; -1: none runs */
  private roundEnd: i64;
  private roundDelivered: i64;
  private roundLost: f64;
  private badRounds: i32;
  /** the second rule holds for this flow */
  weighsLosses: bool;

  init(): void {
    this.allowedBefore = this.capPackets = NO_LIMIT;
    this.roundEnd = -1;
  }

  /** Rounds are to be counted: something was lost in the running one, or in one before it. */
  @inline
  get isWatching(): bool {
    return this.roundEnd !== -1;
  }

  /** What silence leaves of the window, with `inflight` packets in flight. */
  windowPackets(next: i64, inflight: i64): i64 {
    return this.allowedBefore === NO_LIMIT ? NO_LIMIT : inflight + this.allowedBefore - next;
  }

  /**
   * What is in flight has been judged lost, which ends a round. One that brought nothing is left to the first rule.
   * @param next the next transmission, the only one that may leave before the next timeout or ACK
   */
  onTimeout(next: i64, delivered: i64, lost: f64, windowPackets: i64): void {
    this.allowedBefore = next + 1;
    if (!this.weighsLosses) return;
    if (this.roundEnd !== -1 && delivered > this.roundDelivered) this.weigh(delivered, lost, windowPackets);
    this.begin(next, delivered, lost);
  }

  /**
   * An ACK was read that tells of losses, or `isWatching`.
   * @param next the next transmission
   * @param unseen the first that no ACK has told of, nor of a later one
   * @param delivered @param lost packets of the flow so far
   */
  onAck(next: i64, unseen: i64, delivered: i64, lost: f64, windowPackets: i64): void {
    if (this.roundEnd === -1) {
      this.begin(next, delivered, lost);
      return;
    }
    if (unseen <= this.roundEnd) return;
    const hasLost = lost > this.roundLost;
    this.weigh(delivered, lost, windowPackets);
    if (!hasLost && this.capPackets === NO_LIMIT) this.roundEnd = -1;
    else this.begin(next, delivered, lost);
  }

  private weigh(delivered: i64, lost: f64, windowPackets: i64): void {
    const got = delivered - this.roundDelivered;
    const gone = lost - this.roundLost;
    const tenths = (10 * gone) / max<f64>(1, <f64>got + gone);
    this.badRounds = tenths > MOST ? this.badRounds + 1 : 0;
    const isCut = this.capPackets !== NO_LIMIT;
    const isBad = this.badRounds >= BAD_ROUNDS || tenths > NEARLY_ALL || (isCut && tenths > MANY);
    if (isBad) this.capPackets = max<i64>(MIN_PACKETS, got);
    else if (isCut && 2 * (got + <i64>gone) >= this.capPackets) this.grow(windowPackets);
  }

  private begin(next: i64, delivered: i64, lost: f64): void {
    this.roundEnd = next;
    this.roundDelivered = delivered;
    this.roundLost = lost;
  }

  /** Only while the flow makes use of it. */
  private grow(windowPackets: i64): void {
    const cap = this.capPackets;
    const grown = cap + max<i64>(1, cap / GROWTH);
    this.capPackets = grown > windowPackets ? NO_LIMIT : grown;
  }
}
