/** A slow start's rules in the datapath: each ACK is a sample. */
import type { AckEvent, FlowStart } from "../../ccp-bridge/congestion-control.ts";
import type { Bytes } from "../../core/units.ts";
import type { SlowStart, SlowStartRules } from "./slow-start.ts";

export class PerAckSlowStart {
  readonly #rules: SlowStartRules;
  readonly #mssBytes: Bytes;
  #deliveredBytes: Bytes = 0;
  /** first sequence beyond the round, in packets */
  #roundEnd = 0;

  private constructor(rules: SlowStartRules, mssBytes: Bytes) {
    this.#rules = rules;
    this.#mssBytes = mssBytes;
  }

  /** undefined: only a loss ends it. */
  static of({ rules }: SlowStart, { nowUs, mssBytes }: FlowStart): PerAckSlowStart | undefined {
    return rules && new PerAckSlowStart(rules(nowUs), mssBytes);
  }

  /** @returns see `SlowStartRules` */
  onAck(ack: AckEvent, cwndBytes: Bytes): number {
    this.#deliveredBytes += ack.deliveredBytes;
    const endsRound = ack.cumulativeSequence > this.#roundEnd;
    if (endsRound) this.#roundEnd = ack.nextSequence;
    const hasRtt = ack.rttUs > 0;
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
