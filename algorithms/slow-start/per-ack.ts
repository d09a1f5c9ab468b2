/** A slow start's rules in the datapath: each ACK is a sample. */
import type { AckEvent, FlowStart } from "../../ccp-bridge/congestion-control.ts";
import { type Bytes, type BytesPerSec, MICROS_PER_SEC } from "../../core/units.ts";
import type { ParamValues } from "../spec.ts";
import { slowStartOf, slowStartPlaceOf } from "./registry.ts";
import { PACED_WINDOWS_PER_RTT, type PerAckRules, type SlowStartRules } from "./slow-start.ts";

export class PerAckSlowStart {
  readonly #rules: SlowStartRules;
  /** instead, where the kind has them */
  readonly #perAck: PerAckRules | undefined;
  readonly #mssBytes: Bytes;
  readonly #paces: boolean;
  /** payload; undefined: not paced, or no RTT is known yet */
  rateBytesPerSec: BytesPerSec | undefined = undefined;
  #deliveredBytes: Bytes = 0;
  /** first sequence beyond the round, in packets */
  #roundEnd = 0;

  private constructor(
    rules: SlowStartRules,
    perAck: PerAckRules | undefined,
    mssBytes: Bytes,
    paces: boolean,
  ) {
    this.#rules = rules;
    this.#perAck = perAck;
    this.#mssBytes = mssBytes;
    this.#paces = paces;
  }

  /** undefined: only a loss ends it. */
  static of(params: ParamValues, { nowUs, mssBytes }: FlowStart): PerAckSlowStart | undefined {
    const { rules, perAck, paces } = slowStartOf(params);
    const isPaced = paces === true && slowStartPlaceOf(params) === "datapath-rate";
    return rules && new PerAckSlowStart(rules(nowUs), perAck?.(nowUs), mssBytes, isPaced);
  }

  /** What is paced never has the whole window in flight: half of it counts as used (Linux: tcp_is_cwnd_limited). */
  isUsed(ack: AckEvent, cwndBytes: Bytes): boolean {
    return this.#paces && 2 * (ack.inflightBytes + ack.deliveredBytes) > cwndBytes;
  }

  /** @returns see `SlowStartRules` */
  onAck(ack: AckEvent, cwndBytes: Bytes): number {
    if (this.#perAck !== undefined) return this.#perAck.onAck(ack, cwndBytes / this.#mssBytes) ? 0 : 1;
    this.#deliveredBytes += ack.deliveredBytes;
    const endsRound = ack.cumulativeSequence > this.#roundEnd;
    if (endsRound) this.#roundEnd = ack.nextSequence;
    const hasRtt = ack.rttUs > 0;
    if (this.#paces && ack.minRttUs < Infinity) {
      this.rateBytesPerSec = (PACED_WINDOWS_PER_RTT * cwndBytes * MICROS_PER_SEC) / ack.minRttUs;
    }
    return this.#rules.onSample({
      nowUs: ack.nowUs,
      lowRttUs: hasRtt ? ack.rttUs : Infinity,
      samples: hasRtt ? 1 : 0,
      minRttUs: ack.minRttUs,
      deliveredBytes: this.#deliveredBytes,
      sentBytes: this.#deliveredBytes + ack.inflightBytes,
      cwndPackets: cwndBytes / this.#mssBytes,
      endsRound,
    });
  }
}
