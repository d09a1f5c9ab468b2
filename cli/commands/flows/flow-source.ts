/** Who has the flows that `ccpark flows` is asked about: a server, over gRPC, or a CCP agent, at its control socket. */
import { CcparkError } from "../../../core/errors.ts";
import type { TlsOptions } from "../../../envs/grpc/client.ts";
import type { BandReport } from "../../../flows/bands.ts";
import type { Scope } from "../../../flows/directory.ts";
import type { OverflowNotice } from "../../../flows/observation-queue.ts";
import type { AgentReport } from "../../agent/control-client.ts";
import { readOption } from "../../text-input.ts";

export const DEFAULT_ADDRESS = "127.0.0.1:50551";

export interface SourceOptions {
  readonly agent?: string;
  readonly address?: string;
  readonly port?: number;
  readonly tls?: true;
  readonly tlsCa?: string;
  readonly tokenFile?: string;
}

export interface ListedFlow {
  readonly handle: string;
  readonly name: string;
  readonly observers: number;
}

export interface Lookup {
  readonly scope?: Scope;
  readonly of?: string;
  readonly limit?: number;
}

export interface Watching {
  readonly bands?: readonly string[];
  readonly queue?: number;
  readonly signal: AbortSignal;
}

export type Watched =
  | { readonly report: BandReport | AgentReport; readonly overflow?: undefined }
  | { readonly overflow: OverflowNotice; readonly report?: undefined };

/** Each call throws CcparkError. */
export interface FlowSource {
  /** heading of the table's last column, and what it says of a flow */
  readonly kind: string;
  kindOf(flow: ListedFlow): string;
  /** what to do where there are more than are listed */
  readonly more: string;
  list(
    pattern: string | undefined,
    lookup?: Lookup,
  ): Promise<{ flows: readonly ListedFlow[]; total: number }>;
  watch(handle: string, watching: Watching): AsyncIterable<Watched>;
  move(handle: string, to: { readonly forward: string; readonly reverse: string }): Promise<void>;
  kill(handle: string): Promise<void>;
}

const readText = (option: string, path: string): string => readOption("flows", option, path).toString("utf8");

const wrong = (message: string): CcparkError => new CcparkError("invalid-argument", `[flows] ${message}`);

async function withServer<T>(options: SourceOptions, use: (source: FlowSource) => Promise<T>): Promise<T> {
  const { FlowsClient } = await import("../../../envs/grpc/client.ts");
  const { address, port, tls, tlsCa, tokenFile } = options;
  if (address !== undefined && port !== undefined) {
    throw wrong("got both --address and --port, expected one of them");
  }
  const secured: boolean | TlsOptions =
    tlsCa === undefined ? tls === true : { ca: readText("--tls-ca", tlsCa) };
  const client = new FlowsClient({
    address: address ?? (port === undefined ? DEFAULT_ADDRESS : `127.0.0.1:${port}`),
    tls: secured,
    ...(tokenFile !== undefined && { token: readText("--token-file", tokenFile).trim() }),
    timeoutMs: 10_000,
  });
  try {
    return await use({
      kind: "environment",
      kindOf: (flow) => ("envId" in flow ? String(flow.envId) : ""),
      more: "see --limit",
      list: (pattern, lookup) => client.list({ ...(pattern !== undefined && { pattern }), ...lookup }),
      watch: (handle, watching) => client.watch(handle, watching),
      move: (handle, to) => client.move(handle, to),
      kill: (handle) => client.kill(handle),
    });
  } finally {
    client.close();
  }
}

async function withAgent<T>(
  path: string,
  { address, port, tls, tlsCa, tokenFile }: SourceOptions,
  use: (source: FlowSource) => Promise<T>,
): Promise<T> {
  const { ControlClient } = await import("../../agent/control-client.ts");
  const ofServers = { address, port, tls, "tls-ca": tlsCa, "token-file": tokenFile };
  const [other] = Object.entries(ofServers).find(([, value]) => value !== undefined) ?? [];
  if (other !== undefined) throw wrong(`got both --agent and --${other}, expected one of them`);
  const client = await ControlClient.open(path);
  try {
    return await use({
      kind: "algorithm",
      kindOf: (flow) => ("algorithm" in flow ? String(flow.algorithm) : ""),
      more: "a pattern narrows it down",
      list: async (pattern, { scope, of, limit } = {}) => {
        if (limit !== undefined) throw wrong("--limit: an agent lists 100 flows at most, expected a pattern");
        return client.list(pattern, {
          ...(scope !== undefined && { scope }),
          ...(of !== undefined && { of }),
        });
      },
      watch: (handle, watching) => client.watch(handle, watching),
      move: () => Promise.reject(wrong("move: an agent owns no links, expected a server's flow")),
      kill: (handle) => client.kill(handle),
    });
  } finally {
    client.close();
  }
}

/** Opens who is asked, and closes it when `use` is done. @throws CcparkError */
export function withFlows<T>(options: SourceOptions, use: (source: FlowSource) => Promise<T>): Promise<T> {
  const { agent } = options;
  return agent === undefined ? withServer(options, use) : withAgent(agent, options, use);
}
