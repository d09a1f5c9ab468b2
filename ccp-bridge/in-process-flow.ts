/** A CCP algorithm as a congestion control: datapath, channel and agent in this process, wired. */
import type { Bytes, BytesPerSec, Micros } from "../core/units.ts";
import { CcpAgent } from "./agent/agent.ts";
import type { CcpAlgorithm } from "./agent/algorithm.ts";
import type { FlowHosting, ScheduleWake } from "./agent/flow-hosting.ts";
import { compileAlgorithms, type ProgramSet } from "./agent/program-set.ts";
import type { CongestionControlFactory, FlowStart } from "./congestion-control.ts";
import { CcpFlowControl, type CcpFlowEvent } from "./datapath/ccp-flow.ts";
import { CcpDatapath } from "./datapath/datapath.ts";
import type { ArenaOffer } from "./datapath/engine-run.ts";
import { sharedArena } from "./datapath/register-arena.ts";
import { AgentEnd, DatapathEnd, InProcessChannel } from "./ipc/in-process.ts";

/** The primitives by which a program reads ECN marks: an algorithm whose programs read neither cannot react to them. */
const MARKS = /\bAck\.ecn_(packets|bytes)\b/;

/** What decides for a flow: a CCP algorithm, which runs on any datapath, or a control inside one of this process. */
export type FlowAlgorithm = CcpAlgorithm | CongestionControlFactory;

/** of algorithms that have run here: one object may be run many times, such as once an episode */
const COMPILED: WeakMap<CcpAlgorithm, ProgramSet> = new WeakMap();

export interface RunCcpAlgorithmOptions {
  /** takes over flows while the agent is gone */
  readonly fallback?: CongestionControlFactory;
  readonly onEvent?: (event: CcpFlowEvent) => void;
  /** the window never falls below; default 2 segments */
  readonly minCwndBytes?: Bytes;
  readonly minRateBytesPerSec?: BytesPerSec;
  /** one-way delay between datapath and agent, microseconds; needs `schedule` */
  readonly delayUs?: Micros;
  /** runs `deliver` at `atUs` of the host's clock */
  readonly schedule?: (atUs: Micros, deliver: () => void) => void;
  /** the host's clock; needed for a delay if the algorithm acts outside the report's call */
  readonly clock?: () => Micros;
  /** default 1 s */
  readonly fallbackTimeoutUs?: Micros;
  /** flows that are open at one time; default 1024, as of a kernel's table */
  readonly maxFlows?: number;
  readonly mode?: "strict" | "libccp";
  readonly execution?: "wasm" | "interpreter";
}

/** Makes flows that share one datapath and one agent. */
export interface CcpAlgorithmFactory extends CongestionControlFactory {
  (start: FlowStart): CcpFlowControl;
  /** The agent dies: sends fail, and after the fallback time flows fall back. */
  loseAgent(): void;
  /** A new agent comes up: it installs its programs and takes over the live flows. */
  restartAgent(nowUs: Micros): void;
}

/** The table of our own datapath in strict mode; libccp's has the agent's default. */
const STRICT_MAX_PROGRAMS = 64;

interface Link {
  readonly datapath: CcpDatapath;
  readonly channel: InProcessChannel;
  /** what the hosts of its flows give, by flow id */
  readonly hosting: Map<number, FlowHosting | undefined>;
  /** of the flow that is being opened: its agent may ask before its id is known here */
  opening: FlowStart | undefined;
  /** counts agents: the wakes of one that has died are lost */
  agents: number;
}

/**
 * Runs an algorithm on every flow that the returned factory makes. One factory serves any number of flows of one
 * clock; when the clock has gone back (a new episode) or the host has another arena (another network), the next flow starts
 * a fresh datapath and agent.
 * @throws CompileError if one of the algorithm's programs is wrong
 */
export function runCcpAlgorithm(
  algorithm: CcpAlgorithm,
  options: RunCcpAlgorithmOptions = {},
): CcpAlgorithmFactory {
  const set = COMPILED.get(algorithm) ?? compileAlgorithms([algorithm]);
  COMPILED.set(algorithm, set);
  const ignoresMarks = !Object.values(algorithm.programs).some((source) => MARKS.test(source));
  let link: Link | undefined;
  let lastStartUs: Micros = Number.NEGATIVE_INFINITY;

  const connect = (to: Link, nowUs: Micros): void => {
    const { datapath, channel } = to;
    to.agents += 1;
    const number = to.agents;
    const hosting = (flowId: number): FlowHosting => {
      const given = to.opening === undefined ? to.hosting.get(flowId) : to.opening.hosting;
      const schedule = given?.schedule;
      if (given === undefined || schedule === undefined) return given ?? {};
      const whileAlive: ScheduleWake = (atUs, run) =>
        schedule(atUs, (wokenUs) => {
          if (to.agents === number) run(wokenUs);
        });
      return { ...given, schedule: whileAlive };
    };
    const maxPrograms = datapath.mode === "strict" ? STRICT_MAX_PROGRAMS : undefined;
    const agent = new CcpAgent(Object.assign(new AgentEnd(channel), { set, hosting, maxPrograms }));
    channel.connect(datapath, agent, nowUs);
  };

  const makeLink = ({ nowUs, arena }: FlowStart & ArenaOffer): Link => {
    const { delayUs, schedule, clock } = options;
    const channel = new InProcessChannel({ delayUs, schedule, clock });
    const datapath = new CcpDatapath(
      Object.assign(new DatapathEnd(channel), {
        nowUs,
        mode: options.mode,
        execution: options.execution,
        maxFlows: options.maxFlows,
        fallbackTimeoutUs: options.fallbackTimeoutUs,
        arena,
      }),
    );
    const made: Link = { datapath, channel, hosting: new Map(), opening: undefined, agents: 0 };
    connect(made, nowUs);
    return made;
  };

  const makeFlow = (start: FlowStart & ArenaOffer): CcpFlowControl => {
    const { nowUs, arena = sharedArena() } = start;
    if (link === undefined || nowUs < lastStartUs || link.datapath.arena !== arena) link = makeLink(start);
    lastStartUs = nowUs;
    link.opening = start;
    try {
      const flow = new CcpFlowControl({
        ...start,
        datapath: link.datapath,
        algorithmName: algorithm.name,
        ignoresMarks,
        isScalable: algorithm.isScalable,
        minCwndBytes: options.minCwndBytes,
        minRateBytesPerSec: options.minRateBytesPerSec,
        fallback: options.fallback,
        onEvent: options.onEvent,
      });
      link.hosting.set(flow.flowId, start.hosting);
      return flow;
    } finally {
      link.opening = undefined;
    }
  };
  return Object.assign(makeFlow, {
    loseAgent: () => {
      if (link === undefined) return;
      link.agents += 1;
      link.channel.disconnect();
    },
    restartAgent: (nowUs: Micros) => {
      if (link !== undefined) connect(link, nowUs);
    },
  });
}
