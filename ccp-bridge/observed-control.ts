import type { AckEvent, CongestionControl, SentEvent } from "./congestion-control.ts";

/** Sees what a flow's ACKs say, such as a meter. */
export interface AckObserver {
  /** After the control has handled it. The event is the host's, and changes with the next: copy what you keep. */
  record(ack: AckEvent): void;
}

/** The same congestion control, with each ACK shown to `observer` after it was handled. */
export function observedControl(control: CongestionControl, observer: AckObserver): CongestionControl {
  return {
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
    onPacketAcked: (packet) => control.onPacketAcked?.(packet),
    onPacketLost: (packet) => control.onPacketLost?.(packet),
    onClose: () => control.onClose?.(),
    get onSent() {
      const { onSent } = control;
      return onSent === undefined ? undefined : (sent: SentEvent) => onSent.call(control, sent);
    },
  };
}
