/**
 * Hosts an agent on datagram transports: gives it the clock, keeps messages that a full queue has refused, and tells when
 * a datapath has vanished. Nothing that a datapath or an algorithm does ends it.
 *
 *   datagram ──▶ agent.receive ──▶ sends ──▶ queue of the datapath, only while its socket is full ──▶ transport
 */
import { randomInt } from "node:crypto";
import { Rng } from "../../core/random.ts";
import { MICROS_PER_MILLI, type Micros } from "../../core/units.ts";
import { type Address, type AgentEvent, CcpAgent, type CcpAgentHooks } from "../agent/agent.ts";
import type { ProgramSet } from "../agent/program-set.ts";
import type { DatagramTransport, OnMessage } from "./datagram-transport.ts";

/** A datapath reads at least once per round trip: a millisecond is soon enough to try again. */
const RETRY_MS = 1;
/** Messages kept for a datapath that does not read; beyond it the datapath counts as gone. */
const MAX_PENDING = 1024;
/** How often, and after what silence, datapaths are asked for whether they still exist. */
const CHECK_MS = 5_000;
/** Silence after which a datapath is given up whose transport cannot tell whether it is there. */
const SILENCE_US = 600_000_000;
/** `setTimeout` takes no longer ones: a later wake is looked at again then */
const MAX_TIMER_MS = 2 ** 31 - 1;
const MAX_DRAWN_SEED = 2 ** 47;

export type HostEvent =
  | AgentEvent
  /** `gone`: nobody receives at its address; `stuck`: it has not read for too long. Its flows are forgotten */
  | {
      readonly kind: "vanished";
      readonly address: Address;
      readonly reason: "gone" | "stuck";
      readonly flows: number;
      readonly nowUs: Micros;
    }
  /** an algorithm threw: the message that it was given is lost, nothing else */
  | { readonly kind: "failed"; readonly address: Address; readonly error: unknown; readonly nowUs: Micros }
  /** a message from a sender that cannot be answered */
  | { readonly kind: "unnamed"; readonly nowUs: Micros };

export interface AgentHostOptions {
  readonly set: ProgramSet;
  readonly choose?: CcpAgentHooks["choose"];
  readonly onEvent?: (event: HostEvent) => void;
  readonly observer?: CcpAgentHooks["observer"];
  /** monotonic, microseconds; default the process's clock */
  readonly clock?: () => Micros;
  /** of the generators of flows, 0 to 2^53 - 1; default drawn */
  readonly seed?: number;
}

interface Peer {
  readonly transport: DatagramTransport;
  heardAtUs: Micros;
  /** in order; empty while the datapath reads */
  readonly pending: Uint8Array[];
  vanished: "gone" | "stuck" | undefined;
}

export class AgentHost {
  readonly agent: CcpAgent;
  readonly #clock: () => Micros;
  readonly #onEvent: (event: HostEvent) => void;
  readonly #transports: DatagramTransport[] = [];
  readonly #peers: Map<Address, Peer> = new Map();
  readonly #full: Set<Address> = new Set();
  readonly #vanished: Set<Address> = new Set();
  readonly #checks: NodeJS.Timeout;
  readonly #wakes: Set<NodeJS.Timeout> = new Set();
  #retry: NodeJS.Timeout | undefined;

  constructor(options: AgentHostOptions) {
    this.#clock = options.clock ?? (() => Math.floor(performance.now() * 1000));
    this.#onEvent = options.onEvent ?? (() => {});
    this.agent = new CcpAgent({
      set: options.set,
      choose: options.choose,
      send: (message, to) => this.#send(message, to),
      onEvent: options.onEvent,
      observer: options.observer,
      adoptsUnseen: true,
      rng: Rng.fromSeed(options.seed ?? randomInt(MAX_DRAWN_SEED)),
      hosting: (_, address) => ({ schedule: (atUs, run) => this.#wakeAt(atUs, run, address) }),
    });
    this.#checks = setInterval(() => this.#checkSilent(), CHECK_MS);
    this.#checks.unref();
  }

  /** Opens a transport whose messages go to the agent; any number of them. */
  async listen(open: (onMessage: OnMessage) => Promise<DatagramTransport>): Promise<DatagramTransport> {
    const transport = await open((bytes, from) => this.#receive(bytes, from, transport));
    this.#transports.push(transport);
    return transport;
  }

  /** See `CcpAgent.changeParams`. */
  changeParams(
    params: Readonly<Record<string, number>>,
    only: { readonly address?: Address; readonly flowId?: number } = {},
  ): number {
    return this.agent.changeParams(params, this.#clock(), only);
  }

  /** See `CcpAgent.giveUp`. */
  giveUp(address: Address, flowId: number): boolean {
    return this.agent.giveUp(address, flowId, this.#clock());
  }

  /** Closes all transports; flows end without a message, as when the agent dies. */
  close(): void {
    clearInterval(this.#checks);
    clearTimeout(this.#retry);
    for (const wake of this.#wakes) clearTimeout(wake);
    this.#wakes.clear();
    for (const transport of this.#transports.splice(0)) transport.close();
    this.#peers.clear();
    this.#full.clear();
  }

  #receive(bytes: Uint8Array, from: Address | undefined, transport: DatagramTransport): void {
    const nowUs = this.#clock();
    if (from === undefined) {
      this.#onEvent({ kind: "unnamed", nowUs });
      return;
    }
    const peer = this.#peers.get(from);
    if (peer !== undefined) peer.heardAtUs = nowUs;
    // what a datapath that has gone left in the queue: nobody would read the answer
    else if (transport.isThere?.(from) === false) return;
    else this.#peers.set(from, { transport, heardAtUs: nowUs, pending: [], vanished: undefined });
    try {
      this.agent.receive(bytes, from, nowUs);
    } catch (error) {
      this.#onEvent({ kind: "failed", address: from, error, nowUs });
    }
    if (this.#vanished.size > 0) this.#forgetVanished();
  }

  /** Never early: a timer counts in whole milliseconds. */
  #wakeAt(atUs: Micros, run: (nowUs: Micros) => void, address: Address): void {
    const waitMs = Math.ceil((atUs - this.#clock()) / MICROS_PER_MILLI);
    const timer = setTimeout(
      () => {
        this.#wakes.delete(timer);
        const nowUs = this.#clock();
        if (nowUs < atUs) {
          this.#wakeAt(atUs, run, address);
          return;
        }
        try {
          run(nowUs);
        } catch (error) {
          this.#onEvent({ kind: "failed", address, error, nowUs });
        }
        if (this.#vanished.size > 0) this.#forgetVanished();
      },
      Math.min(Math.max(waitMs, 0), MAX_TIMER_MS),
    );
    timer.unref();
    this.#wakes.add(timer);
  }

  #send(message: Uint8Array, to: Address): void {
    const peer = this.#peers.get(to);
    if (peer === undefined || peer.vanished !== undefined) return;
    if (peer.pending.length === 0) {
      const outcome = peer.transport.send(message, to);
      if (outcome === "sent") return;
      if (outcome === "gone") {
        this.#lose(to, peer, "gone");
        return;
      }
      this.#full.add(to);
      this.#retry ??= setTimeout(() => this.#sendAgain(), RETRY_MS);
    }
    peer.pending.push(message.slice());
    if (peer.pending.length > MAX_PENDING) this.#lose(to, peer, "stuck");
  }

  #sendAgain(): void {
    for (const to of this.#full) {
      const peer = this.#peers.get(to);
      let sent = 0;
      while (peer !== undefined && sent < peer.pending.length) {
        const outcome = peer.transport.send(peer.pending[sent]!, to);
        if (outcome === "gone") this.#lose(to, peer, "gone");
        if (outcome !== "sent") break;
        sent += 1;
      }
      peer?.pending.splice(0, sent);
      if (peer === undefined || peer.pending.length === 0) this.#full.delete(to);
    }
    if (this.#vanished.size > 0) this.#forgetVanished();
    this.#retry = this.#full.size > 0 ? setTimeout(() => this.#sendAgain(), RETRY_MS) : undefined;
  }

  /** The flows are forgotten when the agent is not in the middle of a message. */
  #lose(address: Address, peer: Peer, reason: "gone" | "stuck"): void {
    peer.vanished = reason;
    peer.pending.length = 0;
    this.#full.delete(address);
    this.#vanished.add(address);
  }

  #forgetVanished(): void {
    const nowUs = this.#clock();
    for (const address of this.#vanished) {
      const reason = this.#peers.get(address)?.vanished ?? "gone";
      this.#peers.delete(address);
      const before = this.agent.flowCount;
      try {
        this.agent.forget(address, nowUs);
      } catch (error) {
        this.#onEvent({ kind: "failed", address, error, nowUs });
      }
      const flows = before - this.agent.flowCount;
      this.#onEvent({ kind: "vanished", address, reason, flows, nowUs });
    }
    this.#vanished.clear();
  }

  /** A datapath that was killed says nothing any more, and so is never answered: its path tells. */
  #checkSilent(): void {
    const nowUs = this.#clock();
    for (const [address, peer] of this.#peers) {
      const silentUs = nowUs - peer.heardAtUs;
      if (silentUs < CHECK_MS * 1000) continue;
      const isThere = peer.transport.isThere?.(address) ?? silentUs < SILENCE_US;
      if (!isThere) this.#lose(address, peer, "gone");
    }
    if (this.#vanished.size > 0) this.#forgetVanished();
  }
}
