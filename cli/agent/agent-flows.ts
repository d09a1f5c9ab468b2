/** The flows that an agent has, under handles that outlast what their datapaths call them, and what is told of them to who observes. */
import { randomFillSync } from "node:crypto";
import type { AgentObserver, ObservedDecision, ObservedReport } from "../../ccp-bridge/agent/agent.ts";
import type { HostEvent } from "../../ccp-bridge/ipc/agent-host.ts";
import type { Micros } from "../../core/units.ts";
import type { BandBodies } from "../../flows/bands.ts";
import { FlowDirectory, type Scope } from "../../flows/directory.ts";
import { FlowHandle, HandleRegistry } from "../../flows/handle.ts";
import type { NamedFlow } from "../../flows/named-flow.ts";

/** What there is to say of one. */
export interface AgentFlowFacts {
  readonly handle: string;
  /** DATAPATH/ID */
  readonly name: string;
  readonly address: string;
  readonly flowId: number;
  readonly algorithm: string;
}

/** What a program in the datapath has reported, by its own names. */
interface ProgramReport {
  readonly program: string;
  readonly values: Readonly<Record<string, number>>;
}

/** What an agent can say of a flow: it knows no link. */
export interface AgentBodies {
  readonly membership: BandBodies["membership"];
  /** what the algorithm has just told the datapath */
  readonly control: {
    /** another program; absent: it stays */
    readonly program?: string;
    /** `Cwnd` (bytes), `Rate` (bytes/s) and control variables, those that were told */
    readonly fields: Readonly<Record<string, number>>;
  };
  /** a report whose `loss`, `lost`, `timeout` or `episode` is not 0 */
  readonly fault: ProgramReport;
  readonly measurement: ProgramReport;
  readonly truth: never;
}

export type AgentFlow = NamedFlow<AgentBodies>;

/** What programs call packets lost, timeouts, and that either has begun (of those that follow TCP's episodes, marks too). */
const FAULTS = ["loss", "lost", "timeout", "episode"] as const;

/** Far more than datapaths have: a bound, not a quota. */
const MAX_FLOWS = 1_000_000;

export interface FoundFlow {
  readonly facts: AgentFlowFacts;
  readonly flow: AgentFlow;
}

export class AgentFlows implements AgentObserver {
  readonly #directory = new FlowDirectory<AgentBodies>({ flows: MAX_FLOWS, flowsPerOwner: MAX_FLOWS });
  readonly #registry: HandleRegistry;
  /** by datapath, then by its id of the flow */
  readonly #known = new Map<string, Map<number, FoundFlow>>();
  readonly #byFlow = new Map<AgentFlow, FoundFlow>();
  /** flows that somebody observes */
  readonly #observed = new Set<AgentFlow>();

  constructor() {
    const word = new Uint32Array(1);
    this.#registry = new HandleRegistry(() => randomFillSync(word)[0]!);
  }

  /** Follows what the agent tells. @returns of a flow that has opened or closed: its facts */
  follow(event: HostEvent): AgentFlowFacts | undefined {
    switch (event.kind) {
      case "opened":
        return this.#open(event);
      case "closed":
        return this.#close(event.address, event.flowId, event.nowUs);
      case "vanished": {
        for (const flowId of [...(this.#known.get(event.address)?.keys() ?? [])]) {
          this.#close(event.address, flowId, event.nowUs);
        }
        return undefined;
      }
      default:
        return undefined;
    }
  }

  #open({ address, info, algorithm, nowUs }: Extract<HostEvent, { kind: "opened" }>): AgentFlowFacts {
    const { flowId, host, dstIp } = info;
    const handle = this.#registry.next();
    const name = `${address}/${flowId}`;
    const onWanted = (): void => {
      if (flow.wanted === 0) this.#observed.delete(flow);
      else this.#observed.add(flow);
    };
    const place = { owner: address, host, bottleneck: `${host} ${dstIp}` };
    const flow: AgentFlow = this.#directory.add({ handle, name, onWanted, ...place }, nowUs);
    const facts = { handle: `${handle}`, name, address, flowId, algorithm };
    const flows = this.#known.get(address) ?? new Map<number, FoundFlow>();
    const found = { facts, flow };
    this.#known.set(address, flows.set(flowId, found));
    this.#byFlow.set(flow, found);
    return facts;
  }

  #close(address: string, flowId: number, nowUs: Micros): AgentFlowFacts | undefined {
    const flows = this.#known.get(address);
    const { facts, flow } = flows?.get(flowId) ?? {};
    if (facts === undefined || flow === undefined) return undefined;
    flow.publish("membership", nowUs, () => ({ event: "left", name: flow.name }));
    this.#directory.remove(facts.handle);
    this.#byFlow.delete(flow);
    flows!.delete(flowId);
    if (flows!.size === 0) this.#known.delete(address);
    return facts;
  }

  /** The flow, if somebody observes it. */
  #observedFlow(address: string, flowId: number): AgentFlow | undefined {
    if (this.#observed.size === 0) return undefined;
    const flow = this.#known.get(address)?.get(flowId)?.flow;
    return flow !== undefined && this.#observed.has(flow) ? flow : undefined;
  }

  onReport(address: string, flowId: number, report: ObservedReport): void {
    const flow = this.#observedFlow(address, flowId);
    if (flow === undefined) return;
    const { programName: program, nowUs } = report;
    flow.publish("measurement", nowUs, () => ({ program, values: report.named() }));
    flow.publish("fault", nowUs, () => {
      const values = report.named();
      return FAULTS.some((name) => (values[name] ?? 0) > 0) ? { program, values } : undefined;
    });
  }

  onDecision(address: string, flowId: number, { program, fields, nowUs }: ObservedDecision): void {
    const flow = this.#observedFlow(address, flowId);
    flow?.publish("control", nowUs, () => ({
      ...(program !== undefined && { program }),
      fields: { ...fields },
    }));
  }

  /**
   * @param pattern of names or handles, with `*` and `?`
   * @param of handle of the flow that the scope is about
   * @throws CcparkError: invalid-argument for a scope without a flow, not-found
   */
  find(pattern: string, { scope = "all", of }: { scope?: Scope; of?: string } = {}): FoundFlow[] {
    const from = of === undefined ? {} : this.#directory.get(FlowHandle.parse(of)).place;
    return this.#directory.find({ pattern, scope, from }).map(({ flow }) => this.#byFlow.get(flow)!);
  }

  /** @throws CcparkError: invalid-argument for what is no handle, not-found */
  get(handle: string): FoundFlow {
    return this.#byFlow.get(this.#directory.get(FlowHandle.parse(handle)).flow)!;
  }
}
