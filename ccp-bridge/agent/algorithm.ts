/**
 * The interface of every CCP algorithm: written once, run on any datapath. An algorithm names datapath programs, gets
 * reports and answers by choosing a program or setting `Cwnd`, `Rate` and control variables. It owns neither a clock nor
 * chance: the time of a report comes with it, `wakeAt` asks for a call in silence, `FlowInfo.rng` is where to draw from.
 */
import { CcparkError } from "../../core/errors.ts";
import type { Rng } from "../../core/random.ts";
import type { Bytes, BytesPerSec, Micros } from "../../core/units.ts";

/** A new flow: what the datapath said of it (the create message), and what the agent's host adds. */
export interface FlowInfo {
  /** socket id of the create message, unique per datapath */
  readonly flowId: number;
  readonly initCwndBytes: Bytes;
  readonly mssBytes: Bytes;
  readonly srcIp: number;
  readonly srcPort: number;
  readonly dstIp: number;
  readonly dstPort: number;
  /** when the create message arrived, on the clock of the reports */
  readonly nowUs: Micros;
  /** which host the flow sends from: the datapath's address, or what a simulator calls the host */
  readonly host: string;
  /** what the host calls the flow, such as its id in a scenario; empty: it has not said */
  readonly name: string;
  /** the flow's share among the flows of its group (see `aggregateBy`), > 0; 1 unless the host says otherwise */
  readonly weight: number;
  /** flows of flows of the group that it belongs to, from the outermost in, each with its weight among its siblings */
  readonly aggregates: readonly { readonly name: string; readonly weight: number }[];
  /** the flow's own generator, a fork of the run's: same seed, same draws, whatever other flows do */
  readonly rng: Rng;
}

/** The values of one report of the flow's current program (stale reports never reach an algorithm). */
export interface Report {
  /** uid of the program that reported */
  readonly programUid: number;
  /** name under which the algorithm knows that program */
  readonly programName: string;
  /** arrival at the agent, microseconds of the agent's clock (virtual time in the simulator) */
  readonly nowUs: Micros;
  /**
   * Value of `Report.x`, named with or without the prefix. Values above 2^53 - 1 come as the nearest double.
   * @throws CcparkError if the program has no such report variable
   */
  get(name: string): number;
  /**
   * The first `count` report variables in the order of their declaration, and perhaps more: for who reads all of them
   * and has no time to look up names. They change with the next report.
   * @throws CcparkError if the report had fewer
   */
  first(count: number): ArrayLike<number>;
}

/** How an algorithm acts on its flow. Each call is one message to the datapath, in effect from the next ACK. */
export interface FlowControl {
  readonly flowId: number;
  /**
   * Switches the flow to one of the algorithm's programs (change_prog), with initial values for its control variables,
   * `Cwnd` (bytes) and `Rate` (bytes/s).
   * @throws CcparkError for an unknown program or field, or a value that is not a whole number >= 0 below 2^64
   */
  setProgram(name: string, fields?: Readonly<Record<string, number>>): void;
  /** Sets control variables, `Cwnd` (bytes) or `Rate` (bytes/s) of the current program (update_field). Of no fields there is no message. */
  updateFields(fields: Readonly<Record<string, number>>): void;
  /**
   * The same for `Cwnd`, and for `Rate` unless it is 0; rounded to whole bytes. For who sets them at every turn.
   * @throws CcparkError for a number below 0, or 2^64 or more
   */
  setWindow(cwndBytes: Bytes, rateBytesPerSec: BytesPerSec): void;
  /**
   * Asks for `CcpFlow.onWake` once it is `atUs`, on the clock of the reports; a time that has passed means at once, though
   * never within this call. One wake per flow: a later call replaces the earlier, undefined cancels it. None comes
   * after the flow has closed.
   * @throws CcparkError (failed-precondition) if the agent's host has no clock to wake by, (invalid-argument) for NaN
   */
  wakeAt(atUs: Micros | undefined): void;
}

export interface CcpFlow {
  onReport(report: Report): void;
  /**
   * The flow's owner changes parameters of the live flow, each one of `CcpAlgorithm.liveParams` and within its range. What the
   * flow has reached (window, estimates) is to stay; the change acts by what comes after it.
   */
  onParams?(params: Readonly<Record<string, number>>, nowUs: Micros): void;
  /** The time of `FlowControl.wakeAt` has come, after everything else of that instant. What it throws is treated as of `onReport`. */
  onWake?(nowUs: Micros): void;
  onClose?(): void;
  /**
   * A further flow of this one's group (see `aggregateBy`) starts: acts on it through `control` and returns what takes
   * its reports. Called on the group's first flow as long as any flow of the group is open, also after its own end.
   */
  createSubflow?(control: FlowControl, info: FlowInfo): CcpFlow;
}

/** What `newFlow` gave, if it is a flow. @throws CcparkError (invalid-argument) for an algorithm in JavaScript that gives something else */
export function expectFlow(flow: CcpFlow, algorithm: string): CcpFlow {
  if (typeof (flow as Partial<CcpFlow> | undefined)?.onReport === "function") return flow;
  const keys = Object.keys(Object(flow)).join(", ");
  const got = keys === "" ? "nothing" : `an object with ${keys}`;
  throw new CcparkError(
    "invalid-argument",
    `[ccp-agent] newFlow of \`${algorithm}\`: got ${got}, expected an object with a function onReport`,
  );
}

/** A parameter that may change while the flow lives. */
export interface LiveParam {
  readonly name: string;
  /** inclusive, as `high` */
  readonly low: number;
  readonly high: number;
  /** only whole numbers */
  readonly whole?: true;
}

export interface CcpAlgorithm {
  /** what create messages and the command line call it */
  readonly name: string;
  /** program name -> source in the datapath language */
  readonly programs: Readonly<Record<string, string>>;
  /** true: it answers ECN marks in proportion, so that its packets may ask for the L4S service (RFC 9331) */
  readonly isScalable?: boolean;
  /** what the owner of a flow may change, by `CcpFlow.onParams`; absent: nothing */
  readonly liveParams?: readonly LiveParam[];
  newFlow(control: FlowControl, info: FlowInfo): CcpFlow;
  /**
   * Groups flows that are to be controlled as one, such as all to one host: the first of a key gets `newFlow`, those
   * that start while one of them is open get `createSubflow` of the first. undefined: a flow on its own. Flows of
   * different hosts are of different groups, unless `aggregatesHosts`.
   */
  aggregateBy?(info: FlowInfo): string | number | undefined;
  /** true: one key is one group whatever host its flows send from; default false */
  readonly aggregatesHosts?: boolean;
}
