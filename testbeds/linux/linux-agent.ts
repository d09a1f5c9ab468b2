/**
 * The agent of Linux TCP's flows: our `CcpAgent` in this thread, on what the kernel reports. The event loop watches the ring, so
 * that a report is handled some 50 us after its ACK, and a command lies in the flow's slot when the next ACK comes.
 */
import { type AgentEvent, CcpAgent, type CcpAgentHooks } from "../../ccp-bridge/agent/agent.ts";
import type { FlowHosting } from "../../ccp-bridge/agent/flow-hosting.ts";
import type { ProgramSet } from "../../ccp-bridge/agent/program-set.ts";
import { type CreateMessage, decodeCreate } from "../../ccp-bridge/wire/create.ts";
import { MESSAGE_TYPES } from "../../ccp-bridge/wire/header.ts";
import type { Rng } from "../../core/random.ts";
import { MICROS_PER_MILLI, type Micros } from "../../core/units.ts";
import { DelayHistogram } from "../../sim/delay-histogram.ts";
import type { Libc } from "../host/libc.ts";
import { KernelDatapath } from "./kernel-datapath.ts";
import type { KernelFlowFacts } from "./slots.ts";

/** The agent says that it is there this often at least, and looks for flows that have ended unheard. */
const BEAT_MS = 100;
const DEFAULT_FALLBACK_US = 1_000_000;
/** `setTimeout` takes no longer ones: a later wake is looked at again then */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** What the agent calls its datapath. */
const ADDRESS = "linux";

export interface LinuxAgentOptions {
  /** of the congestion control: what sockets choose */
  readonly name: string;
  readonly set: ProgramSet;
  readonly choose?: CcpAgentHooks["choose"];
  /** Flows for which it says no leave for `other`; absent: all are the agent's. */
  readonly admits?: (create: CreateMessage) => boolean;
  /** congestion control of those that leave; default cubic */
  readonly other?: string;
  readonly onEvent?: (event: AgentEvent) => void;
  /** an algorithm threw: the message that it was given is lost, nothing else. Absent: thrown */
  readonly onError?: (error: unknown) => void;
  /** what is added to a flow, besides the clock */
  readonly hosting?: (flowId: number) => FlowHosting;
  readonly rng?: Rng;
  /** silence of this thread after which flows run natively; default 1 s */
  readonly fallbackTimeoutUs?: Micros;
  /** as of the datapath */
  readonly ringBytes?: number;
  /** every invocation leaves its registers: for tests */
  readonly isTracing?: boolean;
}

export class LinuxAgent {
  readonly agent: CcpAgent;
  readonly datapath: KernelDatapath;
  /** from the ACK to this thread, of every message */
  readonly latency: DelayHistogram = new DelayHistogram();
  readonly #admits: LinuxAgentOptions["admits"];
  readonly #onError: ((error: unknown) => void) | undefined;
  readonly #beats: NodeJS.Timeout;
  readonly #unwatch: () => void;
  readonly #wakes: Set<NodeJS.Timeout> = new Set();
  #isClosed = false;

  /**
   * From here on sockets may choose the congestion control by its name.
   * @throws CcparkError in one sentence where this machine cannot, as of `KernelDatapath`
   */
  constructor(libc: Libc, options: LinuxAgentOptions) {
    const { hosting, onError, fallbackTimeoutUs = DEFAULT_FALLBACK_US } = options;
    this.#onError = onError;
    this.#admits = options.admits;
    this.datapath = new KernelDatapath(libc, {
      name: options.name,
      fallbackTimeoutUs,
      ringBytes: options.ringBytes,
      isTracing: options.isTracing,
      onMessage: (message, stampUs) => this.#receive(message, stampUs),
    });
    const schedule: FlowHosting["schedule"] = (atUs, run) => this.#wakeAt(atUs, run);
    this.agent = new CcpAgent({
      set: options.set,
      choose: options.choose,
      onEvent: options.onEvent,
      rng: options.rng,
      maxPrograms: this.datapath.maxPrograms,
      send: (message) => this.datapath.receive(message),
      hosting: (flowId) => ({ schedule, ...hosting?.(flowId) }),
    });
    this.datapath.other = options.other ?? "cubic";
    this.datapath.beat();
    this.#beats = setInterval(
      () => this.#beat(),
      Math.min(BEAT_MS, fallbackTimeoutUs / MICROS_PER_MILLI / 4),
    );
    this.#unwatch = this.datapath.watch();
  }

  /** The clock of the reports, of `Ack.now` and of wakes. */
  get nowUs(): Micros {
    return this.datapath.nowUs;
  }

  facts(): KernelFlowFacts[] {
    return this.datapath.facts();
  }

  #beat(): void {
    this.datapath.beat();
    this.datapath.sweep();
  }

  #guard(run: () => void): void {
    if (this.#onError === undefined) {
      run();
      return;
    }
    try {
      run();
    } catch (error) {
      this.#onError(error);
    }
  }

  #receive(message: Uint8Array, stampUs: Micros): void {
    const { nowUs } = this;
    this.latency.record(Math.max(0, nowUs - stampUs));
    if (message[0] === MESSAGE_TYPES.create) {
      const create = decodeCreate(message);
      if (this.#admits?.(create) === false) {
        this.datapath.leave(create.flowId);
        return;
      }
    }
    this.#guard(() => this.agent.receive(message, ADDRESS, nowUs));
  }

  /** Never early: a timer counts in whole milliseconds. */
  #wakeAt(atUs: Micros, run: (nowUs: Micros) => void): void {
    const waitMs = Math.ceil((atUs - this.nowUs) / MICROS_PER_MILLI);
    const timer = setTimeout(
      () => {
        this.#wakes.delete(timer);
        const { nowUs } = this;
        if (nowUs < atUs) this.#wakeAt(atUs, run);
        else this.#guard(() => run(nowUs));
      },
      Math.min(Math.max(waitMs, 0), MAX_TIMER_MS),
    );
    this.#wakes.add(timer);
  }

  /** Nobody can choose the name any more; flows that run under it go on natively. May be called twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#beats);
    for (const wake of this.#wakes) clearTimeout(wake);
    this.#unwatch();
    this.datapath.close();
  }
}
