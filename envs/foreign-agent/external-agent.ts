/**
 * Runs a scenario under an agent of another process: the simulator is the datapath, unix datagram sockets carry the
 * messages. Measured like any other run (`episode.ts`), but not reproducible to the bit: the agent's clock, its
 * scheduling and its restarts are no part of the scenario.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cubic } from "../../algorithms/native/cubic.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { type AgentEvent, AgentLink, type AgentLinkCounters } from "../../ccp-bridge/ipc/agent-link.ts";
import { openUnixDatagram, toSocketPath } from "../../ccp-bridge/ipc/unix-datagram.ts";
import { CcparkError } from "../../core/errors.ts";
import type { RunResult } from "../../testbeds/results.ts";
import { beginRun, type MeasuredRun, type RunOptions } from "../measured-run.ts";
import { drive, type Pace } from "./pace.ts";

export interface ExternalAgentOptions {
  /** path of the agent's socket, or its name below /tmp/ccp */
  readonly agent: string;
  /** the algorithm to ask the agent for; absent: its default */
  readonly algorithmName?: string;
  /** default lock-step */
  readonly pace?: Pace;
  /** milliseconds that the first answer to a report may take in lock-step; default 5 */
  readonly quietMs?: number;
  /** drives the flow while there is no agent; default Cubic */
  readonly fallback?: CongestionControlFactory;
  readonly onEvent?: (event: AgentEvent) => void;
}

export interface ExternalRunResult extends RunResult {
  readonly counters: AgentLinkCounters;
  /** the first thousand */
  readonly events: readonly AgentEvent[];
}

export const DEFAULT_QUIET_MS = 5;
/** The create message has 64 bytes for it, the last one 0. */
export const MAX_ALGORITHM_NAME_BYTES = 63;
const MAX_EVENTS = 1000;

export interface OpenAgentLinkOptions extends ExternalAgentOptions {
  /** A message has left: a host in lock-step stops its clock. */
  readonly onSent?: () => void;
}

function makeFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), "ccpark-datapath-"));
  } catch (cause) {
    const { code = "failed" } = cause as NodeJS.ErrnoException;
    const message = `cannot make a folder for the datapath's socket below \`${tmpdir()}\`: ${code}`;
    throw new CcparkError("permission-denied", `[agent-link] ${message}`, { cause });
  }
}

/**
 * Connects to an agent from a socket of our own in a temporary folder.
 * @throws CcparkError (unavailable) if there is no agent, or none that answers
 */
export async function openAgentLink(
  options: OpenAgentLinkOptions,
): Promise<{ readonly link: AgentLink; close(): void }> {
  const { algorithmName = "" } = options;
  if (Buffer.byteLength(algorithmName) > MAX_ALGORITHM_NAME_BYTES) {
    const message = `algorithm name \`${algorithmName}\`: expected at most ${MAX_ALGORITHM_NAME_BYTES} bytes`;
    throw new CcparkError("invalid-argument", `[agent-link] ${message}`);
  }
  const folder = makeFolder();
  const removeFolder = (): void => {
    process.off("exit", removeFolder);
    rmSync(folder, { recursive: true, force: true });
  };
  // Ctrl-C ends the process without closing.
  process.on("exit", removeFolder);
  try {
    const link = await AgentLink.open({
      transport: (onMessage) => openUnixDatagram({ path: join(folder, "socket"), onMessage }),
      agent: toSocketPath(options.agent),
      agentIsPath: true,
      fallback: options.fallback ?? cubic,
      algorithmName,
      quietMs: options.quietMs ?? DEFAULT_QUIET_MS,
      onEvent: options.onEvent,
      onSent: options.onSent,
    });
    const close = (): void => {
      link.close();
      removeFolder();
    };
    return { link, close };
  } catch (error) {
    removeFolder();
    throw error;
  }
}

/**
 * One run of one flow.
 * @throws CcparkError (unavailable) if there is no agent at the start; one that is lost later is no error
 */
export async function runExternalAgent(
  options: RunOptions & ExternalAgentOptions,
): Promise<ExternalRunResult> {
  const { pace = "lock-step" } = options;
  const events: AgentEvent[] = [];
  let run: MeasuredRun | undefined;
  const { link, close } = await openAgentLink({
    ...options,
    onEvent(event) {
      if (events.length < MAX_EVENTS) events.push(event);
      options.onEvent?.(event);
    },
    onSent: pace === "lock-step" ? () => run?.run.requestStop() : undefined,
  });
  try {
    run = beginRun({ ...options, control: link.control });
    await drive(link, run.run, run.run.endNs, pace);
    return { ...run.result(), counters: { ...link.counters }, events };
  } finally {
    close();
  }
}
