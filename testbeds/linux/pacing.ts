/**
 * Holds a socket of Linux TCP back without any privilege: a congestion control of this process sees what TCP_INFO says, and its
 * rate becomes SO_MAX_PACING_RATE. Linux's own control goes on beneath, so the flow may be slower than asked, never faster.
 */
import type { AckEvent, CongestionControl } from "../../ccp-bridge/congestion-control.ts";
import type { AckObserver } from "../../ccp-bridge/observed-control.ts";
import { MICROS_PER_SEC } from "../../core/units.ts";
import { SO_MAX_PACING_RATE, SOL_SOCKET } from "../host/constants.ts";
import type { Libc } from "../host/libc.ts";

/** The socket's option is a 32-bit number here: 4.3 GB/s. */
const MAX_RATE = 2 ** 32 - 2;
/** Slower, and a packet would take longer than Linux waits. */
const MIN_RATE = 1000;

export class PacedControl implements AckObserver {
  readonly #libc: Libc;
  readonly #fd: () => number;
  readonly #control: CongestionControl;
  #episodeEnd = 0;
  #rate = 0;

  /** @param fd of the socket */
  constructor(libc: Libc, fd: () => number, control: CongestionControl) {
    this.#libc = libc;
    this.#fd = fd;
    this.#control = control;
  }

  record(ack: AckEvent): void {
    const { nowUs, inflightBytes, lostPackets, cumulativeSequence, nextSequence, srttUs } = ack;
    const control = this.#control;
    if (lostPackets > 0 && cumulativeSequence >= this.#episodeEnd) {
      control.onCongestion({ kind: "loss", nowUs, inflightBytes, lostPackets });
      this.#episodeEnd = nextSequence;
    }
    control.onAck(ack);
    if (control.pacingRateBytesPerSec === undefined && srttUs === 0) return;
    const asked = control.pacingRateBytesPerSec ?? (control.cwndBytes * MICROS_PER_SEC) / srttUs;
    const rate = Math.round(Math.min(MAX_RATE, Math.max(MIN_RATE, asked)));
    if (rate === this.#rate) return;
    this.#rate = rate;
    this.#libc.setsockopt(this.#fd(), SOL_SOCKET, SO_MAX_PACING_RATE, Uint32Array.of(rate));
  }
}
