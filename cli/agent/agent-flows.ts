/** The flows that an agent has, under handles that outlast what their datapaths call them. */
import { randomFillSync } from "node:crypto";
import type { HostEvent } from "../../ccp-bridge/ipc/agent-host.ts";
import { FlowDirectory } from "../../flows/directory.ts";
import { FlowHandle, HandleRegistry } from "../../flows/handle.ts";

/** What there is to say of one. */
export interface AgentFlowFacts {
  readonly handle: string;
  /** DATAPATH/ID */
  readonly name: string;
  readonly address: string;
  readonly flowId: number;
  readonly algorithm: string;
}

/** Far more than datapaths have: a bound, not a quota. */
const MAX_FLOWS = 1_000_000;

export class AgentFlows {
  readonly #directory = new FlowDirectory({ flows: MAX_FLOWS, flowsPerOwner: MAX_FLOWS });
  readonly #registry: HandleRegistry;
  /** by datapath, then by its id of the flow */
  readonly #known = new Map<string, Map<number, AgentFlowFacts>>();

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
        return this.#close(event.address, event.flowId);
      case "vanished": {
        for (const flowId of [...(this.#known.get(event.address)?.keys() ?? [])]) {
          this.#close(event.address, flowId);
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
    this.#directory.add({ handle, name, owner: address, host, bottleneck: `${host} ${dstIp}` }, nowUs);
    const facts = { handle: `${handle}`, name, address, flowId, algorithm };
    const flows = this.#known.get(address) ?? new Map<number, AgentFlowFacts>();
    this.#known.set(address, flows.set(flowId, facts));
    return facts;
  }

  #close(address: string, flowId: number): AgentFlowFacts | undefined {
    const flows = this.#known.get(address);
    const facts = flows?.get(flowId);
    if (facts === undefined) return undefined;
    this.#directory.remove(facts.handle);
    flows!.delete(flowId);
    if (flows!.size === 0) this.#known.delete(address);
    return facts;
  }

  /** @param pattern of names or handles, with `*` and `?` */
  find(pattern: string): AgentFlowFacts[] {
    const wanted = new Set(this.#directory.find({ pattern }).map(({ flow }) => `${flow.handle}`));
    return [...this.#known.values()].flatMap((flows) =>
      [...flows.values()].filter(({ handle }) => wanted.has(handle)),
    );
  }

  /** @throws CcparkError: invalid-argument for what is no handle, not-found */
  get(handle: string): AgentFlowFacts {
    const { flow } = this.#directory.get(FlowHandle.parse(handle));
    return this.find(`${flow.handle}`)[0]!;
  }
}
