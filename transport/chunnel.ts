/**
 * The contract of a chunnel: one function of a transport, with data going down (`send`, or `pull` where the layer below asks
 * when it may send) and up (`receive`, and `feedback`, the fate of what was sent). A stack is a list of chunnels, top first, and
 * its order is its meaning. All is synchronous and owns neither clock nor chance: `Surroundings` brings time, timers and randomness.
 *
 *   send  offer  room  consumed │ ▲ receive  feedback  roomGrew  fail      a push goes down by `send`;
 *                               ▼ │ pull                                  a pull: `offer` goes down, the base asks by `pull`
 */
import type { CcparkError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { Micros } from "../core/units.ts";

/** What messages carry, by kind: a chunnel takes one kind from above and hands one down; `same`: whatever comes. */
export interface DataKinds {
  bytes: Uint8Array;
  /** anything that a codec can write: null, booleans, numbers, texts, lists, records of such */
  value: unknown;
  /** a value whose message has a `key` */
  keyed: unknown;
  /** asked when the network can take it; undefined: there is nothing to say any more */
  late: () => unknown;
}
export type DataKind = keyof DataKinds;

/** What the layers below a chunnel vouch for. */
export type Label =
  | "fate" // each message is told acknowledged or lost
  | "addressed" // `Message.to` and `from` name hosts
  | "checked" // damaged datagrams are dropped
  | "private"
  | "controlled" // congestion control
  | "reliable"
  | "ordered"
  | "once" // at most once
  | "bounded"; // flow control

export interface Message<D = unknown> {
  readonly data: D;
  readonly to?: string;
  readonly from?: string;
  readonly key?: string;
  readonly priority?: number; // 0 goes first; absent: 0
  /** which attempt it is, from 1 on, where `retry` lies above */
  readonly attempt?: number;
  /** how many nodes have routed it on its way here */
  readonly hops?: number;
  readonly isLocal?: true; // it came, or goes, inside this host
  /** the messages of the layer above that this one carries: whom its fate concerns */
  readonly cause?: readonly Message[];
}

/** The fate of messages, as the acknowledging chunnel sees it. Each message that was sent gets one fate, once. */
export interface Feedback {
  readonly nowUs: Micros;
  readonly acked: readonly Message[];
  readonly lost: readonly Message[];
  /** sample of the latest sent of the acknowledged; 0: none (Karn: a repetition is a message of its own) */
  readonly rttUs: Micros;
  readonly srttUs: Micros;
  /** Infinity: no sample yet */
  readonly minRttUs: Micros;
  /** all that was in flight is taken for lost, since nothing came back */
  readonly timeout: boolean;
}

/** As the chunnel below sees it. */
export interface Above {
  receive(messages: readonly Message[]): void;
  feedback(fate: Feedback): void;
  /** The network can take messages: at most `most`, none if there is nothing to say now (`Below.offer` tells when there is). */
  pull(most: number): readonly Message[];
  /** `room` has grown from 0 */
  roomGrew(): void;
  /** the connection cannot go on */
  fail(error: CcparkError): void;
}

/** A chunnel as the one above it sees it. */
export interface Below {
  /** Pushes. Who pushes more than there is `room` for loses the rest: its fate is `lost`. */
  send(messages: readonly Message[]): void;
  /** There is something to pull. */
  offer(): void;
  /** messages that it would take; Infinity: any number */
  room(): number;
  /** the application has taken so many of the messages that it received */
  consumed(messages: number): void;
  close(): void;
}

export interface Chunnel extends Above, Below {
  above: Above; // both set by the stack before anything is called
  below: Below;
}

export interface Timer {
  cancel(): void;
}

/** What a stack runs in: virtual or real time, seeded or real randomness. */
export interface Surroundings {
  nowUs(): Micros;
  /** @param isExact each microsecond counts, as for pacing */
  wakeAt(atUs: Micros, call: () => void, isExact?: boolean): Timer;
  /** When all datagrams that have come together are handled; absent: they come one by one. */
  soon?(call: () => void): Timer;
  readonly rng: Rng;
  /** for keys and identifiers: from the system where the peer is real */
  randomBytes(count: number): Uint8Array;
  /** state that stacks of one host share, made on first use, such as a congestion window per group */
  shared<T>(name: string, make: () => T): T;
  /** events of the tracing chunnel */
  trace?(event: Readonly<Record<string, unknown>>): void;
}

/** What both ends must agree on: the same labels, or one in common. Absent: one end's own matter. */
export interface Capability {
  readonly match: "exact" | "overlap";
  readonly labels: readonly string[];
}
