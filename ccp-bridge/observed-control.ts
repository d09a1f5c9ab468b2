import type { Bytes, BytesPerSec, Micros } from "../core/units.ts";
import type { AckEvent, CongestionControl, SentEvent } from "./congestion-control.ts";

/** Sees what a flow's ACKs say, such as a meter. */
export interface AckObserver {
  /** After the control has handled it. The event is the host's, and changes with the next: copy what you keep. */
  record(ack: AckEvent): void;
  /**
   * Given where sums are all that it asks for: a host that sums ACKs by itself hands its sums over when the flow starts,
   * and does not call `record`. An optimisation that changes no result.
   */
  readFrom?(totals: AckTotals): void;
}

/** What a flow's ACKs have said since the last `clear`. */
export interface AckTotals {
  /** ACKs and timeouts */
  readonly events: number;
  readonly ackedBytes: Bytes;
  readonly ackedPackets: number;
  readonly misorderedPackets: number;
  readonly ecnBytes: Bytes;
  readonly ecnPackets: number;
  readonly lostPackets: number;
  readonly timeouts: number;
  /** RTT samples, each times the packets that its ACK delivered */
  readonly rttSumUs: Micros;
  // of the last event, and of the last with a sample; held by `clear`
  readonly lastLostPackets: number;
  readonly inflightPackets: number;
  readonly pendingBytes: Bytes;
  readonly rttUs: Micros;
  readonly minRttUs: Micros;
  readonly sendRateBytesPerSec: BytesPerSec;
  readonly deliveryRateBytesPerSec: BytesPerSec;
  /** Zeroes the sums. */
  clear(): void;
}

/** A congestion control and who sees its ACKs: a host may call them by itself, one after the other. */
export interface ObservedControl extends CongestionControl {
  readonly observed: CongestionControl;
  readonly observer: AckObserver;
}

/** The same congestion control, with each ACK shown to `observer` after it was handled. */
export function observedControl(control: CongestionControl, observer: AckObserver): ObservedControl {
  return {
    observed: control,
    observer,
    name: control.name,
    get cwndBytes() {
      return control.cwndBytes;
    },
    get pacingRateBytesPerSec() {
      return control.pacingRateBytesPerSec;
    },
    onAck: (ack) => {
      control.onAck(ack);
      observer.record(ack);
    },
    onCongestion: (event) => control.onCongestion(event),
    onSpuriousCongestion: (event) => control.onSpuriousCongestion?.(event),
    ignoresMarks: control.ignoresMarks,
    isDecidedOutside: control.isDecidedOutside,
    isScalable: control.isScalable,
    readsPackets: control.readsPackets,
    hearsSent: control.hearsSent,
    ...(control.onPacketAcked && { onPacketAcked: (packet) => control.onPacketAcked?.(packet) }),
    onPacketLost: (packet) => control.onPacketLost?.(packet),
    onClose: () => control.onClose?.(),
    get onSent() {
      const { onSent } = control;
      return onSent === undefined ? undefined : (sent: SentEvent) => onSent.call(control, sent);
    },
  };
}
