/**
 * What carries CCP messages between processes: datagrams between named ends. One message per datagram is the rule;
 * several are allowed. Implementations: unix datagram sockets (`unix-datagram.ts`) and UDP on loopback (`udp.ts`).
 */
import type { Address } from "../agent/agent.ts";

/** libccp's largest message: what a transport must be able to receive. */
export const MAX_MESSAGE_BYTES = 32_678;

/**
 * `sent`: the system has it; `full`: the receiver's queue has no room, try again in a millisecond; `gone`: nobody
 * receives at that address.
 */
export type SendOutcome = "sent" | "full" | "gone";

/** `from` is undefined if the sender cannot be answered (it has no name). The bytes are valid during the call only. */
export type OnMessage = (bytes: Uint8Array, from: Address | undefined) => void;

export interface TransportCounters {
  received: number;
  sent: number;
  /** sends that found the queue full */
  full: number;
  /** sends to an address that nobody receives at */
  gone: number;
  /** messages of senders that cannot be answered */
  unnamed: number;
  /** datagrams longer than the largest message: dropped */
  oversize: number;
}

export interface DatagramTransport {
  /** where others reach this end */
  readonly address: Address;
  readonly counters: Readonly<TransportCounters>;
  /** The bytes are the caller's again when this returns. Never blocks. */
  send(bytes: Uint8Array, to: Address): SendOutcome;
  /** Whether anybody receives at an address, without sending; missing where a transport cannot tell. */
  isThere?(address: Address): boolean;
  /** No message arrives after this. May be called twice. */
  close(): void;
}

export function noTraffic(): TransportCounters {
  return { received: 0, sent: 0, full: 0, gone: 0, unnamed: 0, oversize: 0 };
}
