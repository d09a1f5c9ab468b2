/**
 * BBRv3 in the datapath (draft-ietf-ccwg-bbr): the model of `algorithms/bbr3/` with what the host keeps of each packet, per
 * ACK and per lost packet, as the draft has it.
 */
import type {
  AckEvent,
  CongestionControl,
  CongestionControlFactory,
  CongestionEvent,
  FlowStart,
  PacketEvent,
  SentEvent,
} from "../../ccp-bridge/congestion-control.ts";
import type { Bytes, BytesPerSec, Micros } from "../../core/units.ts";
import type { Bbr3Loss } from "../bbr3/ack.ts";
import { Bbr3Model, type Bbr3Watch } from "../bbr3/model.ts";
import type { ParamValues } from "../spec.ts";

export class NativeBbr3 implements CongestionControl {
  readonly name = "bbr3";
  readonly readsPackets = true;
  readonly hearsSent = "from-idle";
  readonly model: Bbr3Model;
  /** C.delivered */
  #deliveredBytes: Bytes = 0;
  /** number of the packet that was judged lost last */
  #lastLost = -1;
  readonly #losses: Bbr3Loss[] = [];
  /** of recovery: undefined until the ACK after its beginning tells what was next to be sent */
  #recoveryPoint: number | undefined;
  /** the model's: fields, as the host reads them after each event, and a host of many controls pays for accessors */
  cwndBytes: Bytes = 0;
  pacingRateBytesPerSec: BytesPerSec = 0;

  constructor(start: FlowStart, params: ParamValues, watch?: Bbr3Watch) {
    this.model = new Bbr3Model({ ...start, rng: start.hosting?.rng }, params, watch);
    this.#show();
  }

  #show(): void {
    const { model } = this;
    this.cwndBytes = model.cwndBytes;
    this.pacingRateBytesPerSec = model.pacingRateBytesPerSec;
  }

  onSent({ nowUs, sentBytes, inflightBytes, packetNumber }: SentEvent): void {
    // after a timeout nothing is in flight either, but there is something to send
    const isRestart = inflightBytes === sentBytes && packetNumber > 0 && !this.model.isInRecovery;
    if (!isRestart) return;
    this.model.onRestartFromIdle(nowUs);
    this.#show();
  }

  onPacketLost(packet: PacketEvent): void {
    const { bytes, txInflightBytes, lostSinceSentBytes: lostBytes, appLimited, packetNumber } = packet;
    const startsRange = packetNumber !== this.#lastLost + 1;
    this.#lastLost = packetNumber;
    this.#losses.push({ bytes, txInflightBytes, lostBytes, appLimited, startsRange });
  }

  /** After `onRecovery`, which saves what an undo restores, and before the ACK that revealed them. */
  #tellLosses(nowUs: Micros): void {
    for (const loss of this.#losses) this.model.onLostPacket(nowUs, loss, this.#deliveredBytes);
    this.#losses.length = 0;
  }

  onCongestion({ kind, nowUs, inflightBytes, lostPackets, again }: CongestionEvent): void {
    if (kind === "ecn" || again === true) return;
    this.#recoveryPoint = undefined;
    const left = Math.max(0, inflightBytes - lostPackets * this.model.mssBytes);
    this.model.onRecovery(kind === "timeout" ? "timeout" : "fast", nowUs, left);
    this.#tellLosses(nowUs);
    this.#show();
  }

  onSpuriousCongestion({ nowUs }: { readonly nowUs: number }): void {
    this.model.onSpuriousLoss(nowUs, this.#deliveredBytes);
    this.#show();
  }

  onAck(ack: AckEvent): void {
    const { model } = this;
    if (this.#losses.length > 0) this.#tellLosses(ack.nowUs);
    this.#deliveredBytes += ack.deliveredBytes;
    if (model.isInRecovery) {
      if (this.#recoveryPoint === undefined) this.#recoveryPoint = ack.nextSequence;
      else if (ack.cumulativeSequence >= this.#recoveryPoint) model.onRecovered();
    }
    const { packet } = ack;
    if (packet !== undefined) this.#tellAck(ack, packet);
    this.#show();
  }

  #tellAck(ack: AckEvent, packet: PacketEvent): void {
    const { model } = this;
    const told = model.ack;
    told.nowUs = ack.nowUs;
    told.deliveredBytes = this.#deliveredBytes;
    told.newlyAckedBytes = ack.deliveredBytes;
    told.priorDeliveredBytes = packet.priorDeliveredBytes;
    told.txInflightBytes = packet.txInflightBytes;
    told.lostBytes = packet.lostSinceSentBytes;
    told.appLimited = packet.appLimited;
    // delivered / max(send interval, ACK interval)
    told.rateBytesPerSec = Math.min(ack.deliveryRateBytesPerSec, ack.sendRateBytesPerSec || Infinity);
    told.rttUs = ack.rttUs;
    told.inflightBytes = ack.inflightBytes;
    told.cwndLimited = ack.cwndLimited;
    told.ecnBytes = ack.ecnBytes;
    model.onAck();
  }
}

/** @param watch sees each ACK and each change of state */
export function nativeBbr3(params: ParamValues, watch?: Bbr3Watch): CongestionControlFactory {
  return (start) => new NativeBbr3(start, params, watch);
}
