/**
 * What is lost on entering a link, before its queue: by policer, blackhole, independent loss, the same over time, bursts, period,
 * in this order.
 * A packet that one of them takes is not shown to those behind it, so their states and generators do not move.
 */
import type { Bytes, Nanos } from "../../../core/units.ts";
import { Bernoulli } from "./bernoulli.ts";
import { Blackhole } from "./blackhole.ts";
import { GilbertElliott } from "./gilbert-elliott.ts";
import type { ForkEffect, Impairments } from "./impairments.ts";
import { LossOverTime } from "./loss-over-time.ts";
import { PeriodicLoss } from "./periodic-loss.ts";
import { TokenBucket } from "./token-bucket.ts";

export class EntryFilter {
  /** packets lost by each cause */
  policedPackets = 0;
  blackholedPackets = 0;
  lostPackets = 0;
  lostOverTimePackets = 0;
  burstLostPackets = 0;
  periodicLostPackets = 0;
  readonly #policer: TokenBucket | undefined;
  readonly #blackhole: Blackhole | undefined;
  readonly #loss: Bernoulli | undefined;
  readonly #lossOverTime: LossOverTime | undefined;
  readonly #bursts: GilbertElliott | undefined;
  readonly #period: PeriodicLoss | undefined;

  /** @param fork gives generators for `loss`, `lossOverTime` and `gilbertElliott`, where they are on */
  constructor(impairments: Impairments, fork: ForkEffect) {
    const { policer, blackholes = [], lossRate, lossOverTime, gilbertElliott, periodicLoss } = impairments;
    if (policer !== undefined) this.#policer = new TokenBucket(policer.rateBytesPerSec, policer.burstBytes);
    if (blackholes.length > 0) this.#blackhole = new Blackhole(blackholes);
    this.#loss = Bernoulli.of(lossRate, () => fork("loss"));
    if (lossOverTime !== undefined) {
      this.#lossOverTime = new LossOverTime(lossOverTime, fork("lossOverTime"));
    }
    if (gilbertElliott !== undefined) {
      this.#bursts = new GilbertElliott(gilbertElliott, fork("gilbertElliott"));
    }
    if (periodicLoss !== undefined) {
      const { everyPackets, offsetPackets = everyPackets - 1 } = periodicLoss;
      this.#period = new PeriodicLoss(everyPackets, offsetPackets);
    }
  }

  /** Undefined where everything passes. */
  static of(impairments: Impairments, fork: ForkEffect): EntryFilter | undefined {
    const { policer, blackholes, lossRate, lossOverTime, gilbertElliott, periodicLoss } = impairments;
    const passesAll =
      policer === undefined &&
      (blackholes?.length ?? 0) === 0 &&
      (lossRate ?? 0) === 0 &&
      lossOverTime === undefined &&
      gilbertElliott === undefined &&
      periodicLoss === undefined;
    return passesAll ? undefined : new EntryFilter(impairments, fork);
  }

  /** A packet arrives; false: it is lost. Time must not go back between calls. */
  admits(nowNs: Nanos, bytes: Bytes): boolean {
    if (this.#policer?.admits(nowNs, bytes) === false) this.policedPackets++;
    else if (this.#blackhole?.loses(nowNs)) this.blackholedPackets++;
    else if (this.#loss?.happens()) this.lostPackets++;
    else if (this.#lossOverTime?.loses(nowNs)) this.lostOverTimePackets++;
    else if (this.#bursts?.loses()) this.burstLostPackets++;
    else if (this.#period?.loses()) this.periodicLostPackets++;
    else return true;
    return false;
  }
}
