/**
 * Where the owner of live flows looks at them and changes their parameters: a unix datagram socket beside the agent's, JSON in each
 * datagram, `{ "params": { "priority": 2 }, "handle": "..." }`, where a handle, or `"flow": 7, "datapath": "/tmp/ccp/0/in"`, narrows it
 * down, or `{ "list": "*" }`. A sender with a path of its own is answered in JSON, `{ "flows": 1 }`, `{ "list": [...] }` or
 * `{ "error": "..." }`.
 */
import * as z from "zod";
import type { AgentHost } from "../../ccp-bridge/ipc/agent-host.ts";
import { openUnixDatagram, type UnixDatagramSocket } from "../../ccp-bridge/ipc/unix-datagram.ts";
import { CcparkError } from "../../core/errors.ts";

import type { AgentFlowFacts, AgentFlows } from "./agent-flows.ts";

export interface ControlOutcome {
  /** how many flows took the change; absent: it was refused */
  readonly flows?: number;
  /** one sentence */
  readonly message: string;
}

const CHANGE = z.strictObject({
  list: z.string().optional(),
  params: z
    .record(z.string(), z.number())
    .refine((params) => Object.keys(params).length > 0, "is empty")
    .optional(),
  handle: z.string().optional(),
  flow: z.int().min(0).optional(),
  datapath: z.string().optional(),
});

/** @throws CcparkError (invalid-argument) for what is no change, or out of range */
function apply(
  host: AgentHost,
  named: AgentFlows,
  bytes: Uint8Array,
): { readonly outcome?: ControlOutcome; readonly answer: object } {
  let input: unknown;
  try {
    input = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    const message =
      "[agent] control: got what is no JSON, expected { params: { NAME: NUMBER }, handle?, flow?, datapath? } or { list: PATTERN }";
    throw new CcparkError("invalid-argument", message, { cause });
  }
  const read = CHANGE.safeParse(input);
  if (!read.success) {
    const { path, message } = read.error.issues[0]!;
    throw new CcparkError("invalid-argument", `[agent] control: ${path.join(".") || "message"}: ${message}`);
  }
  const { list: pattern, params } = read.data;
  if (pattern !== undefined && params === undefined) return { answer: { list: listed(named.find(pattern)) } };
  if (params === undefined || pattern !== undefined) {
    throw new CcparkError("invalid-argument", "[agent] control: expected either `params` or `list`");
  }
  const { flow, datapath } = chosen(named, read.data);
  const flows = host.changeParams(params, {
    ...(flow !== undefined && { flowId: flow }),
    ...(datapath !== undefined && { address: datapath }),
  });
  const list = Object.entries(params).map(([name, value]) => `${name}=${value}`);
  const outcome = { flows, message: `${list.join(", ")} for ${flows} flows` };
  return { outcome, answer: { flows } };
}

/** Of a datagram: what more there are, the asker narrows down. */
const MAX_LISTED = 100;

function listed(flows: readonly AgentFlowFacts[]): readonly AgentFlowFacts[] {
  return flows.slice(0, MAX_LISTED);
}

/** A handle says which flow of which datapath. @throws CcparkError */
function chosen(
  named: AgentFlows,
  { handle, flow, datapath }: z.infer<typeof CHANGE>,
): Pick<z.infer<typeof CHANGE>, "flow" | "datapath"> {
  if (handle === undefined) return { flow, datapath };
  if (flow !== undefined || datapath !== undefined) {
    throw new CcparkError("invalid-argument", "[agent] control: expected `handle`, or `flow` and `datapath`");
  }
  const { flowId, address } = named.get(handle);
  return { flow: flowId, datapath: address };
}

export function openControl(
  path: string,
  host: AgentHost,
  named: AgentFlows,
  say: (outcome: ControlOutcome) => void,
): Promise<UnixDatagramSocket> {
  const socket = openUnixDatagram({
    path,
    onMessage: (bytes, from) => {
      let answer: object;
      try {
        const applied = apply(host, named, bytes);
        if (applied.outcome !== undefined) say(applied.outcome);
        answer = applied.answer;
      } catch (error) {
        if (!(error instanceof CcparkError)) throw error;
        say({ message: error.message });
        answer = { error: error.message };
      }
      if (from === undefined) return;
      const text = new TextEncoder().encode(JSON.stringify(answer));
      void socket.then((open) => open.send(text, from));
    },
  });
  return socket;
}
