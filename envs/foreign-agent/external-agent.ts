/**
 * Runs a scenario under an agent of another process: the simulator is the datapath, unix datagram sockets carry the
 * messages. Measured like any other run (`episode.ts`), but not reproducible to the bit: the agent's clock, its
 * scheduling and its restarts are no part of the scenario.
 */
import { cubic } from "../../algorithms/native/cubic.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { type AgentEvent, AgentLink, type AgentLinkCounters } from "../../ccp-bridge/ipc/agent-link.ts";
import { openUnixDatagram } from "../../ccp-bridge/ipc/unix-datagram.ts";
import { CcparkError } from "../../core/errors.ts";
import type { RunResult } from "../../testbeds/results.ts";
import { beginRun, type MeasuredRun, type RunOptions } from "../measured-run.ts";
import { drive, type Pace } from "./pace.ts";
import { makeSocketLayout } from "./socket-layout.ts";

export interface ExternalAgentOptions {
  /** path of the agent's socket, or its name below `socketDir` */
  readonly agent: string;
  /** folder of the agents' sockets; absent: /tmp/ccp, Portus' own */
  readonly socketDir?: string;
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

/** Reports after which it is said whether the agent heeds them: before, one may still be starting. */
const MIN_STOPS = 20;
/** More changes of the window than so many per answer are the program's own. */
const CHANGES_PER_ANSWER = 4;
/** An agent that leaves more than this share of stops unanswered is not one that answers in time. */
const MAX_UNANSWERED = 0.5;

/**
 * What is to be said of an agent that ignored most reports in lock-step; undefined: it did not, or its program moves the
 * window by itself between the answers.
 */
export function unheededText(
  agent: string,
  {
    stops,
    unansweredStops,
    cwndChanges,
  }: Pick<AgentLinkCounters, "stops" | "unansweredStops" | "cwndChanges">,
): string | undefined {
  if (stops < MIN_STOPS || unansweredStops <= MAX_UNANSWERED * stops) return undefined;
  if (cwndChanges > CHANGES_PER_ANSWER * (stops - unansweredStops + 1)) return undefined;
  return (
    `${agent} left ${unansweredStops} of ${stops} reports unanswered for which virtual time stood still. If it reads the ` +
    "wall clock (a timer, a minimum interval), its time hardly passes in lock-step: --mode real-time lets both clocks run together"
  );
}

/**
 * Connects to an agent from a socket of our own that its version can answer (socket-layout.ts).
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
  const layout = makeSocketLayout(options.agent, options.socketDir);
  const removeFolder = (): void => {
    process.off("exit", removeFolder);
    layout.remove();
  };
  // Ctrl-C ends the process without closing.
  process.on("exit", removeFolder);
  try {
    const link = await AgentLink.open({
      transport: (onMessage) => openUnixDatagram({ path: layout.own, onMessage }),
      agent: layout.agent,
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
    run = beginRun({ ...options, algorithm: link.control });
    await drive(link, run.run, run.run.endNs, pace);
    return { ...run.result(), counters: { ...link.counters }, events };
  } finally {
    close();
  }
}
