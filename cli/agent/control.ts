/**
 * Where the owner of live flows looks at them, observes them, changes their parameters and gives them up: a unix datagram socket beside the
 * agent's, JSON in each datagram, of these forms:
 *
 *   { "params": { "priority": 2 }, "handle": "..." }     a handle, or "flow": 7, "datapath": "/tmp/ccp/0/in", narrows it down
 *   { "list": "*", "scope": "bottleneck", "of": "..." }   names or handles; scope and the flow that it is about may be left out
 *   { "watch": "...", "bands": ["fault"], "queue": 64 }   reports of a flow, which come as datagrams until it ends; bands and queue too
 *   { "kill": "..." }                                     the agent gives the flow up
 *
 * A sender with a path of its own is answered in JSON: `{ "flows": 1 }`, `{ "list": [...], "total": 3 }`, `{ "watching": "..." }`,
 * `{ "killed": "..." }` or `{ "error": "..." }`.
 */
import * as z from "zod";
import type { AgentHost } from "../../ccp-bridge/ipc/agent-host.ts";
import { openUnixDatagram, type UnixDatagramSocket } from "../../ccp-bridge/ipc/unix-datagram.ts";
import { CcparkError } from "../../core/errors.ts";
import { SCOPES, type Scope } from "../../flows/directory.ts";
import type { AgentFlows, FoundFlow } from "./agent-flows.ts";
import { Watchers } from "./watchers.ts";

export interface ControlOutcome {
  /** how many flows took the change; absent: it was refused */
  readonly flows?: number;
  /** one sentence */
  readonly message: string;
}

const MESSAGE = z.strictObject({
  list: z.string().optional(),
  scope: z.enum(Object.keys(SCOPES) as [Scope, ...Scope[]]).optional(),
  of: z.string().optional(),
  watch: z.string().optional(),
  bands: z.array(z.string()).optional(),
  queue: z.int().min(1).optional(),
  kill: z.string().optional(),
  params: z
    .record(z.string(), z.number())
    .refine((params) => Object.keys(params).length > 0, "is empty")
    .optional(),
  handle: z.string().optional(),
  flow: z.int().min(0).optional(),
  datapath: z.string().optional(),
});
type Message = z.infer<typeof MESSAGE>;

/** What a message may ask for, one of them, and what belongs to each. */
const ASKED = {
  list: ["scope", "of"],
  watch: ["bands", "queue"],
  kill: [],
  params: ["handle", "flow", "datapath"],
} as const satisfies Partial<Record<keyof Message, readonly (keyof Message)[]>>;

const FORMS =
  "{ params: { NAME: NUMBER }, handle?, flow?, datapath? }, { list: PATTERN, scope?, of? }, { watch: HANDLE, bands?, queue? } or { kill: HANDLE }";

/** @throws CcparkError (invalid-argument) */
function parseMessage(bytes: Uint8Array): Message {
  let input: unknown;
  try {
    input = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new CcparkError("invalid-argument", `[agent] control: got what is no JSON, expected ${FORMS}`, {
      cause,
    });
  }
  const read = MESSAGE.safeParse(input);
  if (!read.success) {
    const { path, message } = read.error.issues[0]!;
    throw new CcparkError("invalid-argument", `[agent] control: ${path.join(".") || "message"}: ${message}`);
  }
  const given = Object.keys(read.data) as (keyof Message)[];
  const asked = (Object.keys(ASKED) as (keyof typeof ASKED)[]).filter((key) => given.includes(key));
  const [only] = asked;
  const own: readonly (keyof Message)[] = only === undefined ? [] : [only, ...ASKED[only]];
  if (asked.length !== 1 || given.some((key) => !own.includes(key))) {
    throw new CcparkError(
      "invalid-argument",
      `[agent] control: got ${given.join(", ") || "nothing"}, expected ${FORMS}`,
    );
  }
  return read.data;
}

interface Context {
  readonly host: AgentHost;
  readonly named: AgentFlows;
  readonly watchers: Watchers;
}

interface Applied {
  /** absent: nothing has changed */
  readonly outcome?: ControlOutcome;
  readonly answer: object;
}

/**
 * @param from who asks; undefined: it cannot be answered
 * @throws CcparkError (invalid-argument) for what is no message, or out of range; not-found
 */
function apply({ host, named, watchers }: Context, bytes: Uint8Array, from: string | undefined): Applied {
  const message = parseMessage(bytes);
  const { list, scope, of, watch, bands, queue, kill, params } = message;
  if (list !== undefined) {
    const found = named.find(list, {
      ...(scope !== undefined && { scope }),
      ...(of !== undefined && { of }),
    });
    return { answer: { list: found.slice(0, MAX_LISTED).map(listed), total: found.length } };
  }
  if (watch !== undefined) {
    if (from === undefined) {
      throw new CcparkError(
        "invalid-argument",
        "[agent] watch: the socket has no path that reports could go to",
      );
    }
    watchers.watch(named.get(watch).flow, from, { bands, queue });
    return { answer: { watching: watch } };
  }
  if (kill !== undefined) {
    const { flowId, address, name } = named.get(kill).facts;
    host.giveUp(address, flowId);
    return { outcome: { flows: 1, message: `gave up ${kill}, ${name}` }, answer: { killed: kill } };
  }
  const { flow, datapath } = chosen(named, message);
  const flows = host.changeParams(params!, {
    ...(flow !== undefined && { flowId: flow }),
    ...(datapath !== undefined && { address: datapath }),
  });
  const changes = Object.entries(params!).map(([name, value]) => `${name}=${value}`);
  const outcome = { flows, message: `${changes.join(", ")} for ${flows} flows` };
  return { outcome, answer: { flows } };
}

/** Of a datagram: what more there are, the asker narrows down. */
const MAX_LISTED = 100;

function listed({ facts, flow }: FoundFlow): object {
  return { ...facts, observers: flow.observerCount };
}

/** A handle says which flow of which datapath. @throws CcparkError */
function chosen(named: AgentFlows, { handle, flow, datapath }: Message): Pick<Message, "flow" | "datapath"> {
  if (handle === undefined) return { flow, datapath };
  if (flow !== undefined || datapath !== undefined) {
    throw new CcparkError("invalid-argument", "[agent] control: expected `handle`, or `flow` and `datapath`");
  }
  const { flowId, address } = named.get(handle).facts;
  return { flow: flowId, datapath: address };
}

export async function openControl(
  path: string,
  host: AgentHost,
  named: AgentFlows,
  say: (outcome: ControlOutcome) => void,
): Promise<{ close(): void }> {
  let context: Context | undefined;
  const socket: UnixDatagramSocket = await openUnixDatagram({
    path,
    onMessage: (bytes, from) => {
      context ??= { host, named, watchers: new Watchers(socket) };
      let answer: object;
      try {
        const applied = apply(context, bytes, from);
        if (applied.outcome !== undefined) say(applied.outcome);
        answer = applied.answer;
      } catch (error) {
        if (!(error instanceof CcparkError)) throw error;
        say({ message: error.message });
        answer = { error: error.message };
      }
      if (from !== undefined) socket.send(new TextEncoder().encode(JSON.stringify(answer)), from);
    },
  });
  return {
    close: () => {
      context?.watchers.close();
      socket.close();
    },
  };
}
