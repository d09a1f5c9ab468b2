/** What may be chosen of senders and receivers, as plain data. */
import { type Bytes, MSS_BYTES } from "../core/units.ts";

/** RFC 6928 and Linux: initial window. Linux has 10 packets with jumbo frames too, where the RFC would have fewer. */
const INITIAL_CWND_PACKETS = 10;

/** How senders find losses and recover; absent: packet threshold, no probes, no PRR, no undo, no ECN. */
export interface SenderOptions {
  /** packet-threshold: RFC 6675 (3 packets); rack-tlp: RFC 8985, with tail loss probes */
  readonly lossDetection?: "packet-threshold" | "rack-tlp";
  /** proportional rate reduction: RFC 6937, or its successor RFC 9937 */
  readonly prr?: "off" | "rfc6937" | "rfc9937";
  /** spurious timeouts and fast retransmits are undone (RFC 3708, RFC 4015) */
  readonly undo?: boolean;
  /** classic: RFC 3168; accurate: the receiver tells how many packets were marked (RFC 9768) */
  readonly ecn?: "off" | "classic" | "accurate";
  /** absent: no limit */
  readonly receiveWindowPackets?: number;
  /** absent: 10 (RFC 6928) */
  readonly initialCwndPackets?: number;
  /** floor of the retransmission timer's variance term, milliseconds; absent: 200 (Linux) */
  readonly minRtoMs?: number;
}

/**
 * What Linux's sender has by default: RACK-TLP, PRR as its tcp_cwnd_reduction does it, and undo by F-RTO, Eifel and DSACK.
 * test/fidelity holds it against Linux 6.18.
 */
export const LINUX_SENDER: SenderOptions = { lossDetection: "rack-tlp", prr: "rfc9937", undo: true };

/** When a receiver acknowledges: delayed is every second packet or after 40 ms; per-packet each. */
export type AckPolicy = "delayed" | "per-packet" | { readonly packets: number; readonly delayMs: number };

/** The window that a flow's congestion control starts with. */
export function initialCwndBytes(options: SenderOptions = {}, mssBytes: Bytes = MSS_BYTES): Bytes {
  return (options.initialCwndPackets ?? INITIAL_CWND_PACKETS) * mssBytes;
}
