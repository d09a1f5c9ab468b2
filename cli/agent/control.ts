/**
 * Where the owner of live flows changes their parameters: a unix datagram socket beside the agent's, JSON in each datagram,
 * `{ "params": { "priority": 2 }, "flow": 7, "datapath": "/tmp/ccp/0/in" }`, where flow and datapath narrow it down. A sender with
 * a path of its own is answered in JSON, `{ "flows": 1 }` or `{ "error": "..." }`.
 */
import { z } from "zod";
import type { AgentHost } from "../../ccp-bridge/ipc/agent-host.ts";
import { openUnixDatagram, type UnixDatagramSocket } from "../../ccp-bridge/ipc/unix-datagram.ts";
import { CcparkError } from "../../core/errors.ts";

export interface ControlOutcome {
  /** how many flows took the change; absent: it was refused */
  readonly flows?: number;
  /** one sentence */
  readonly message: string;
}

const CHANGE = z.strictObject({
  params: z.record(z.string(), z.number()).refine((params) => Object.keys(params).length > 0, "is empty"),
  flow: z.int().min(0).optional(),
  datapath: z.string().optional(),
});

/** @throws CcparkError (invalid-argument) for what is no change, or out of range */
function apply(host: AgentHost, bytes: Uint8Array): ControlOutcome & { readonly flows: number } {
  let input: unknown;
  try {
    input = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    const message =
      "[agent] control: got what is no JSON, expected { params: { NAME: NUMBER }, flow?, datapath? }";
    throw new CcparkError("invalid-argument", message, { cause });
  }
  const read = CHANGE.safeParse(input);
  if (!read.success) {
    const { path, message } = read.error.issues[0]!;
    throw new CcparkError("invalid-argument", `[agent] control: ${path.join(".") || "message"}: ${message}`);
  }
  const { params, flow, datapath } = read.data;
  const flows = host.changeParams(params, {
    ...(flow !== undefined && { flowId: flow }),
    ...(datapath !== undefined && { address: datapath }),
  });
  const list = Object.entries(params).map(([name, value]) => `${name}=${value}`);
  return { flows, message: `${list.join(", ")} for ${flows} flows` };
}

export function openControl(
  path: string,
  host: AgentHost,
  say: (outcome: ControlOutcome) => void,
): Promise<UnixDatagramSocket> {
  const socket = openUnixDatagram({
    path,
    onMessage: (bytes, from) => {
      let answer: object;
      try {
        const outcome = apply(host, bytes);
        say(outcome);
        answer = { flows: outcome.flows };
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
