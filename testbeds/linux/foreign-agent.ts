/**
 * Linux TCP under an agent of another process, such as a Portus algorithm: CCP's messages between the datapath in the kernel and the
 * agent's socket. An agent that goes is asked for again; meanwhile, and when none is there, flows run natively.
 */
import type { Address } from "../../ccp-bridge/agent/agent.ts";
import type { OpenTransport } from "../../ccp-bridge/ipc/agent-link.ts";
import type { DatagramTransport } from "../../ccp-bridge/ipc/datagram-transport.ts";
import { HEADER_BYTES, MESSAGE_TYPES } from "../../ccp-bridge/wire/header.ts";
import { encodeReady } from "../../ccp-bridge/wire/ready.ts";
import type { Micros } from "../../core/units.ts";
import { type Libc, SystemCallError } from "../host/libc.ts";
import { KernelDatapath } from "./kernel-datapath.ts";

/** That the agent is there is said this often, and one that is not is asked for. */
const LOOK_MS = 100;
/** Where a create message has the name of the algorithm, and how long it may be. */
const NAME_AT = 32;
const NAME_BYTES = 63;

export interface ForeignAgentOptions {
  /** of the congestion control: what sockets choose */
  readonly name: string;
  readonly transport: OpenTransport;
  readonly agent: Address;
  /** the algorithm to ask the agent for; empty: its default */
  readonly algorithmName: string;
  readonly fallbackTimeoutUs?: Micros;
}

export interface ForeignAgentCounters {
  /** messages of the kernel that reached the agent */
  sent: number;
  /** those that did not: its queue was full, or nobody was there */
  failed: number;
  /** messages of the agent that the datapath took, and those that it refused */
  received: number;
  refused: number;
}

export class ForeignAgent {
  readonly datapath: KernelDatapath;
  readonly counters: ForeignAgentCounters = { sent: 0, failed: 0, received: 0, refused: 0 };
  readonly #options: ForeignAgentOptions;
  readonly #looks: NodeJS.Timeout;
  readonly #unwatch: () => void;
  #transport: DatagramTransport | undefined;
  /** it has answered, and every message since then has reached it */
  #isThere = false;

  /** @throws CcparkError in one sentence where this machine cannot, or the socket cannot be opened */
  static async open(libc: Libc, options: ForeignAgentOptions): Promise<ForeignAgent> {
    const agent = new ForeignAgent(libc, options);
    try {
      agent.#transport = await options.transport((bytes) => agent.#receive(bytes));
      agent.#look();
    } catch (error) {
      agent.close();
      throw error;
    }
    return agent;
  }

  private constructor(libc: Libc, options: ForeignAgentOptions) {
    this.#options = options;
    this.datapath = new KernelDatapath(libc, {
      name: options.name,
      fallbackTimeoutUs: options.fallbackTimeoutUs,
      onMessage: (message) => this.#send(message),
    });
    this.#looks = setInterval(() => this.#look(), LOOK_MS);
    this.#unwatch = this.datapath.watch();
  }

  #look(): void {
    if (this.#isThere) {
      this.datapath.beat();
      this.datapath.sweep();
    } else {
      this.#transport?.send(encodeReady({ datapathId: 0 }), this.#options.agent);
    }
  }

  /** What the kernel says; a create message gets the name of the algorithm. */
  #send(message: Uint8Array): void {
    const bytes = message.slice();
    if (bytes[0] === MESSAGE_TYPES.create) {
      const name = new TextEncoder().encode(this.#options.algorithmName).subarray(0, NAME_BYTES);
      bytes.set(name, NAME_AT);
    }
    const outcome = this.#transport?.send(bytes, this.#options.agent) ?? "gone";
    this.counters[outcome === "sent" ? "sent" : "failed"] += 1;
    if (outcome !== "gone") return;
    this.#isThere = false;
    this.datapath.loseAgent();
  }

  /** A datagram of the agent; it may hold several messages. */
  #receive(datagram: Uint8Array): void {
    this.#isThere = true;
    for (let offset = 0; offset + HEADER_BYTES <= datagram.length; ) {
      const length = datagram[offset + 2]! | (datagram[offset + 3]! << 8);
      if (length < HEADER_BYTES) return;
      const isTaken = this.#take(datagram.subarray(offset, offset + length));
      this.counters[isTaken ? "received" : "refused"] += 1;
      offset += length;
    }
  }

  /** A program that the kernel does not take is the agent's matter, not the end. */
  #take(message: Uint8Array): boolean {
    try {
      return this.datapath.receive(message) >= 0;
    } catch (error) {
      if (error instanceof SystemCallError) return false;
      throw error;
    }
  }

  /** Nobody can choose the name any more; flows that run under it go on natively. */
  close(): void {
    clearInterval(this.#looks);
    this.#unwatch();
    this.#transport?.close();
    this.datapath.close();
  }
}
