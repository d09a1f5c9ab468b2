/**
 * Joins one datapath and one agent of the same process by messages. Without a delay everything happens inside the call
 * that caused it; with one, the host's `schedule` delivers, which models the latency of a real channel.
 */
import { CcparkError } from "../../core/errors.ts";
import type { Micros } from "../../core/units.ts";
import type { Address, CcpAgent } from "../agent/agent.ts";
import type { CcpDatapath } from "../datapath/datapath.ts";

export interface InProcessChannelOptions {
  /** what the agent calls the datapath; unique among the datapaths of one agent */
  readonly address?: Address;
  /** one-way delay of every message, microseconds; default 0: at once */
  readonly delayUs?: Micros;
  /** Runs `deliver` at `atUs` of the host's clock, in order of time. Needed if there is a delay. */
  readonly schedule?: (atUs: Micros, deliver: () => void) => void;
  /** The host's clock, for algorithms that act later than in the report's call. Default: the time of the last message. */
  readonly clock?: () => Micros;
}

/** An end's `send` is a method, the same function in each run, which V8 compiles into the end that calls it. */
export class DatapathEnd {
  readonly #channel: InProcessChannel;

  constructor(channel: InProcessChannel) {
    this.#channel = channel;
  }

  send(message: Uint8Array, nowUs: Micros): number {
    return this.#channel.toAgent(message, nowUs);
  }
}

/** The same of the agent. */
export class AgentEnd {
  readonly #channel: InProcessChannel;

  constructor(channel: InProcessChannel) {
    this.#channel = channel;
  }

  send(message: Uint8Array, _to: Address, nowUs: Micros): void {
    this.#channel.toDatapath(message, nowUs);
  }
}

const SENT = 0;
const FAILED = -1;

export class InProcessChannel {
  readonly address: Address;
  readonly #delayUs: Micros;
  readonly #schedule: ((atUs: Micros, deliver: () => void) => void) | undefined;
  readonly #clock: (() => Micros) | undefined;
  #datapath: CcpDatapath | undefined;
  #agent: CcpAgent | undefined;
  /** counts connections: messages of an earlier one are lost on the way */
  #connection = 0;

  /** @throws CcparkError for a delay without `schedule` */
  constructor(options: InProcessChannelOptions = {}) {
    this.address = options.address ?? "in-process";
    this.#delayUs = options.delayUs ?? 0;
    this.#schedule = options.schedule;
    this.#clock = options.clock;
    if (this.#delayUs > 0 && this.#schedule === undefined) {
      throw new CcparkError("invalid-argument", "[ccp-ipc] a delay needs `schedule`");
    }
  }

  /** Of the datapath: fails while no agent is connected. */
  toAgent(message: Uint8Array, nowUs: Micros): number {
    const agent = this.#agent;
    if (agent === undefined) return FAILED;
    if (this.#delayUs <= 0) agent.receive(message, this.address, nowUs);
    else {
      const copy = message.slice();
      const atUs = nowUs + this.#delayUs;
      this.#later(atUs, () => agent.receive(copy, this.address, atUs));
    }
    return SENT;
  }

  /** Of the agent. */
  toDatapath(message: Uint8Array, nowUs: Micros): void {
    const datapath = this.#datapath;
    if (datapath === undefined) return;
    if (this.#delayUs <= 0) datapath.receive(message);
    else {
      const copy = message.slice();
      this.#later((this.#clock?.() ?? nowUs) + this.#delayUs, () => datapath.receive(copy));
    }
  }

  /** Both ends are up; the datapath says ready, and the agent answers with its programs. */
  connect(datapath: CcpDatapath, agent: CcpAgent, nowUs: Micros): void {
    this.disconnect();
    this.#datapath = datapath;
    this.#agent = agent;
    datapath.announce(nowUs);
  }

  /** The agent is gone: sends fail from now on, and messages on the way are lost. */
  disconnect(): void {
    this.#agent = undefined;
    this.#connection += 1;
  }

  #later(atUs: Micros, deliver: () => void): void {
    const connection = this.#connection;
    this.#schedule!(atUs, () => {
      if (connection === this.#connection) deliver();
    });
  }
}
