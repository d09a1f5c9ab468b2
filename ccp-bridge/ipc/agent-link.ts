/**
 * The datapath's end of a connection to an agent in another process: our `CcpDatapath` for the flows of one host, and
 * the transport that carries its messages. It notices when the agent goes away or is replaced, asks for a new one every
 * 100 ms of the host's clock, and then has all live flows announced anew.
 *
 *   here --send fails, or another socket under the path--> gone --ready, answered by programs--> here
 */
import { accessSync, constants, statSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { CcparkError } from "../../core/errors.ts";
import type { Micros } from "../../core/units.ts";
import type { Address } from "../agent/agent.ts";
import type { AckEvent, CongestionControlFactory, CongestionEvent } from "../congestion-control.ts";
import { CcpFlowControl } from "../datapath/ccp-flow.ts";
import { CcpDatapath, SEND_FULL } from "../datapath/datapath.ts";
import { DATAPATH_ERRORS } from "../datapath/datapath-errors.ts";
import { HEADER_BYTES, MESSAGE_TYPES } from "../wire/header.ts";
import type { DatagramTransport, OnMessage } from "./datagram-transport.ts";

export type AgentEventKind =
  | "agent-gone"
  | "agent-replaced"
  | "agent-back"
  | "queue-full"
  | "refused"
  | "fallback"
  | "adopted";

/** Something that a person who watches the run wants to know. */
export interface AgentEvent {
  readonly kind: AgentEventKind;
  readonly nowUs: Micros;
  readonly message: string;
}

export interface AgentLinkCounters {
  /** reports that were sent */
  reports: number;
  /** ACKs after which an agent's flow had another window than before */
  cwndChanges: number;
  /** loss episodes and timeouts of the flows */
  lossEvents: number;
  /** programs that were installed */
  installs: number;
  /** flows that a native algorithm took over */
  fallbackEvents: number;
  /** flows that an agent took back */
  adoptions: number;
  /** messages that did not reach an agent */
  failedSends: number;
  /** messages of the agent that the datapath refused */
  refusedMessages: number;
  /** times that the host waited for an answer to reports, and those of them without one */
  stops: number;
  unansweredStops: number;
}

export type OpenTransport = (onMessage: OnMessage) => Promise<DatagramTransport>;

export interface AgentLinkOptions {
  readonly transport: OpenTransport;
  readonly agent: Address;
  /** the address is the path of a socket: a new file there is a new agent */
  readonly agentIsPath: boolean;
  /** drives a flow while there is no agent */
  readonly fallback: CongestionControlFactory;
  /** the algorithm to ask the agent for; empty: its default */
  readonly algorithmName: string;
  /** milliseconds that the first answer to a report may take */
  readonly quietMs: number;
  readonly onEvent?: (event: AgentEvent) => void;
  /** A message has left: a host in lock-step stops its clock. */
  readonly onSent?: () => void;
}

const SENT = 0;
const FAILED = -1;
/** An agent that is not there is asked for again this often. */
const PROBE_US = 100_000;
/** A ready that nobody has answered is repeated after this time only: the new agent may still be reading its files. */
const REPEAT_READY_US = 500_000;
/** How long the first answer may take: to the very first ready, to a later ready or create. */
const FIRST_READY_MS = 5000;
const SET_UP_MS = 1000;
/** Meanwhile it is looked whether the agent is still there this often. */
const LOOK_MS = 100;
/** An answer is complete when so long no further message came: after ready and create, after a report. */
const SET_UP_SILENCE_MS = 20;
const SILENCE_MS = 1;
/** An agent that never stops talking does not stop the clock for ever. */
const MAX_EXCHANGE_MS = 2000;

/** Counts what the flow goes through. */
class LinkedFlow extends CcpFlowControl {
  counters: AgentLinkCounters | undefined;

  override onAck(ack: AckEvent): void {
    const before = this.cwndBytes;
    super.onAck(ack);
    if (this.cwndBytes !== before && !this.inFallback) this.counters!.cwndChanges += 1;
  }

  override onCongestion(event: CongestionEvent): void {
    this.counters!.lossEvents += 1;
    super.onCongestion(event);
  }
}

export class AgentLink {
  readonly counters: AgentLinkCounters = {
    reports: 0,
    cwndChanges: 0,
    lossEvents: 0,
    installs: 0,
    fallbackEvents: 0,
    adoptions: 0,
    failedSends: 0,
    refusedMessages: 0,
    stops: 0,
    unansweredStops: 0,
  };
  readonly flows: CcpFlowControl[] = [];
  /** flow id -> change_progs that the datapath has accepted for it */
  readonly programChanges: Map<number, number> = new Map();
  readonly #options: AgentLinkOptions;
  #transport: DatagramTransport | undefined;
  #datapath: CcpDatapath | undefined;
  #nowUs: Micros = 0;
  /** socket file of the agent that has our ready */
  #identity: string | undefined;
  #gone = false;
  #full = false;
  /** a ready or create has reached a socket since the agent was lost */
  #asked = false;
  #readySentUs: Micros = Number.NEGATIVE_INFINITY;
  #probedUs: Micros = 0;
  /** what was sent since the last `settle` */
  #awaiting: "nothing" | "report" | "set-up" = "nothing";
  #received = 0;
  /** the first message that the datapath refused, and why */
  #refused: string | undefined;
  #wake: (() => void) | undefined;
  #closed = false;

  private constructor(options: AgentLinkOptions) {
    this.#options = options;
  }

  /**
   * Opens the socket, says ready and waits for the agent's programs.
   * @throws CcparkError (unavailable) if there is no agent, or none that answers
   */
  static async open(options: AgentLinkOptions): Promise<AgentLink> {
    const link = new AgentLink(options);
    link.#transport = await options.transport((bytes) => link.#receive(bytes));
    try {
      link.#datapath = new CcpDatapath({ send: (message, nowUs) => link.#send(message, nowUs), nowUs: 0 });
      const { agent } = options;
      if (link.#gone) {
        const why = options.agentIsPath ? whyGone(agent) : "nobody receives there";
        throw new CcparkError("unavailable", `[agent-link] no agent at \`${agent}\`: ${why}`);
      }
      await link.#awaitPrograms();
      link.#awaiting = "nothing";
      if (link.counters.installs === 0) {
        throw new CcparkError("unavailable", `[agent-link] the agent at \`${agent}\` ${link.#whatWasSeen()}`);
      }
      return link;
    } catch (error) {
      link.close();
      throw error;
    }
  }

  /** Makes the flows of the host. */
  readonly control: CongestionControlFactory = (start) => {
    this.#nowUs = start.nowUs;
    const { fallback, algorithmName } = this.#options;
    const flow = new LinkedFlow({
      ...start,
      datapath: this.datapath,
      algorithmName,
      fallback,
      onEvent: ({ kind, nowUs }) => {
        const who = `flow ${flow.flowId}`;
        if (kind === "fallback") {
          this.counters.fallbackEvents += 1;
          this.#tell(kind, nowUs, `${who} is driven by a native algorithm until an agent takes it over`);
        } else {
          this.counters.adoptions += 1;
          this.#tell(kind, nowUs, `${who} is driven by the agent again`);
        }
      },
    });
    flow.counters = this.counters;
    this.flows.push(flow);
    return flow;
  };

  get datapath(): CcpDatapath {
    return this.#datapath!;
  }

  /** To be called every 100 ms of the host's clock: asks for a new agent if there is none. */
  probe(nowUs: Micros): void {
    this.#nowUs = nowUs;
    this.#notice(this.#identityNow());
    if (this.#gone && !this.#closed && nowUs - this.#probedUs >= PROBE_US) {
      this.#probedUs = nowUs;
      this.datapath.announce(nowUs);
    }
  }

  /** Waits until the agent has answered what was sent, or has been quiet for long enough. */
  async settle(): Promise<void> {
    const awaiting = this.#awaiting;
    this.#awaiting = "nothing";
    if (awaiting === "report") {
      this.counters.stops += 1;
      if (!(await this.#exchange(this.#options.quietMs, SILENCE_MS))) this.counters.unansweredStops += 1;
    } else if (awaiting === "set-up") await this.#exchange(SET_UP_MS, SET_UP_SILENCE_MS);
  }

  /** Closes the flows, so that the agent forgets them, and the socket. */
  close(): void {
    if (this.#closed) return;
    for (const flow of this.flows) flow.onClose();
    this.#closed = true;
    this.#transport?.close();
    this.#wake?.();
  }

  #tell(kind: AgentEventKind, nowUs: Micros, message: string): void {
    // What goes wrong while the link is opened is an error instead.
    if (this.#datapath !== undefined) this.#options.onEvent?.({ kind, nowUs, message });
  }

  /** The datapath's `send`. */
  #send(message: Uint8Array, nowUs: Micros): number {
    this.#nowUs = nowUs;
    const type = message[0];
    const identity = this.#identityNow();
    if (type === MESSAGE_TYPES.ready) {
      const repeated = nowUs - this.#readySentUs < REPEAT_READY_US && identity === this.#identity;
      if (this.#gone && repeated && identity !== undefined) return SENT;
    } else this.#notice(identity);
    // A new agent knows nothing of our flows: it gets ready and create, and reports once it has given programs.
    if (this.#gone && type === MESSAGE_TYPES.measure) {
      this.counters.failedSends += 1;
      return FAILED;
    }
    const outcome = this.#transport!.send(message, this.#options.agent);
    if (outcome !== "sent") {
      this.counters.failedSends += 1;
      if (outcome === "gone") {
        this.#lose("agent-gone", "nobody receives at the agent's address");
        return FAILED;
      }
      this.#noteFull();
      return SEND_FULL;
    }
    this.#full = false;
    if (type === MESSAGE_TYPES.measure) {
      this.counters.reports += 1;
      if (this.#awaiting === "nothing") this.#awaiting = "report";
    } else {
      this.#awaiting = "set-up";
      this.#asked = true;
      this.#identity = identity;
      if (type === MESSAGE_TYPES.ready) this.#readySentUs = nowUs;
    }
    this.#options.onSent?.();
    return SENT;
  }

  #notice(identity: string | undefined): void {
    if (this.#identity === undefined || identity === undefined || identity === this.#identity) return;
    this.#lose("agent-replaced", "another agent listens under the address of the one that was there");
  }

  #noteFull(): void {
    if (!this.#full) {
      this.#tell(
        "queue-full",
        this.#nowUs,
        "the agent's queue is full: reports are dropped until it reads again",
      );
    }
    this.#full = true;
    // In lock-step the agent gets the time to read.
    if (this.#awaiting === "nothing") this.#awaiting = "report";
    this.#options.onSent?.();
  }

  #lose(kind: "agent-gone" | "agent-replaced", message: string): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#asked = false;
    this.#identity = undefined;
    this.#readySentUs = Number.NEGATIVE_INFINITY;
    // a replaced agent is there already: ask at the next occasion
    this.#probedUs = kind === "agent-gone" ? this.#nowUs : Number.NEGATIVE_INFINITY;
    this.#tell(kind, this.#nowUs, message);
  }

  #identityNow(): string | undefined {
    const { agent, agentIsPath } = this.#options;
    if (!agentIsPath) return undefined;
    try {
      const stat = statSync(agent, { throwIfNoEntry: false, bigint: true });
      return stat === undefined ? undefined : `${stat.ino}:${stat.birthtimeNs}`;
    } catch {
      // a folder that may not be read: the send will tell
      return undefined;
    }
  }

  #receive(message: Uint8Array): void {
    if (this.#closed) return;
    this.#received += 1;
    const type = message.length < HEADER_BYTES ? -1 : message[0]!;
    const code = this.datapath.receive(message);
    if (code < 0) {
      this.counters.refusedMessages += 1;
      if (this.#refused === undefined) {
        this.#refused = `${describeMessage(message)}: ${describeError(code)}`;
        this.#tell("refused", this.#nowUs, `the datapath refused a message of the agent, ${this.#refused}`);
      }
    } else if (type === MESSAGE_TYPES.install) {
      this.counters.installs += 1;
      if (this.#gone && this.#asked) {
        this.#gone = false;
        this.#tell("agent-back", this.#nowUs, "an agent has sent its programs");
      }
    } else if (type === MESSAGE_TYPES.changeProgram && code === 0) {
      const flowId = message[4]! | (message[5]! << 8);
      this.programChanges.set(flowId, (this.programChanges.get(flowId) ?? 0) + 1);
    }
    this.#wake?.();
  }

  /** Until the first answer has programs, the agent is gone, it talks nonsense and falls silent, or the time is over. */
  async #awaitPrograms(): Promise<void> {
    const untilMs = performance.now() + FIRST_READY_MS;
    let heardMs = performance.now();
    while (this.counters.installs === 0) {
      if (await this.#messageWithin(LOOK_MS, this.#received)) heardMs = performance.now();
      else if (this.#received > 0 && performance.now() - heardMs > SET_UP_MS) return;
      if (this.#isAgentGone() || performance.now() > untilMs) return;
    }
    await this.#exchange(SET_UP_SILENCE_MS, SET_UP_SILENCE_MS);
  }

  #isAgentGone(): boolean {
    return this.#transport!.isThere?.(this.#options.agent) === false;
  }

  /** What came instead of programs, as the end of a sentence about the agent. */
  #whatWasSeen(): string {
    const count = this.#received === 1 ? "one message" : `${this.#received} messages`;
    const refused =
      this.#refused === undefined ? "" : `; the datapath refused the first of them, ${this.#refused}`;
    if (this.#isAgentGone()) {
      const before = this.#received === 0 ? "without an answer" : `after ${count} that held no program`;
      return `went away after our ready, ${before}${refused}: nobody receives there any more`;
    }
    if (this.#received > 0) return `answered our ready with ${count}, none of them a program${refused}`;
    return (
      `is there and sent nothing within ${FIRST_READY_MS / 1000} s of our ready: it hangs, does not speak CCP, or ` +
      `answers elsewhere than at \`${this.#transport!.address}\``
    );
  }

  /** @returns whether there was an answer */
  async #exchange(firstMs: number, silenceMs: number): Promise<boolean> {
    const beganMs = performance.now();
    const before = this.#received;
    if (!(await this.#messageWithin(firstMs, before))) return false;
    for (;;) {
      const heard = this.#received;
      if (!(await this.#messageWithin(silenceMs, heard))) return true;
      if (performance.now() - beganMs > MAX_EXCHANGE_MS) return true;
    }
  }

  /** True if a message has come since the count was `before`, or comes in time. */
  async #messageWithin(timeMs: number, before: number): Promise<boolean> {
    if (this.#received > before) return true;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
    // A message may lie in the socket already when the timer fires first.
    if (this.#received === before) await turn();
    return this.#received > before;
  }
}

/** Bytes of a message that a reader is shown: the header and what begins behind it. */
const SHOWN_BYTES = 16;

function describeMessage(message: Uint8Array): string {
  const known = Object.entries(MESSAGE_TYPES).find(([, type]) => type === message[0])?.[0];
  const type = message.length === 0 ? "" : ` of type ${known ?? message[0]}`;
  const more = message.length > SHOWN_BYTES ? " ..." : "";
  const shown = [...message.subarray(0, SHOWN_BYTES)].map((byte) => byte.toString(16).padStart(2, "0"));
  return `${message.length} bytes${type} (${shown.join(" ")}${more})`;
}

/** Such as `unknown type (-32)`. */
function describeError(code: number): string {
  const name = Object.entries(DATAPATH_ERRORS).find(([, value]) => value === code)?.[0];
  return `${name?.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`) ?? "refused"} (${code})`;
}

function whyGone(path: string): string {
  try {
    accessSync(path, constants.W_OK);
    return statSync(path).isSocket() ? "no process receives there" : "it is not a socket";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "EACCES" ? "permission denied" : "there is no such socket";
  }
}
