/**
 * The agent: runs `CcpAlgorithm`s on the messages of any number of datapaths. Compiles their programs once, numbers
 * them from 1 and sends number 1 first (by it a datapath knows a fresh agent), the others when a flow first runs them.
 * Answers create, drops stale reports.
 * A bad message is counted, never fatal.
 *
 * Sans-I/O: messages come in through `receive` with their sender and time, and leave through `send`.
 */
import { CcparkError, unknownName } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import type { Bytes, BytesPerSec, Micros } from "../../core/units.ts";
import { readU32 } from "../wire/bytes.ts";
import { encodeChangeProg } from "../wire/change-prog.ts";
import { decodeCreate } from "../wire/create.ts";
import { FIELD_UPDATE_BYTES, type FieldUpdate, writeFieldUpdate } from "../wire/field-update.ts";
import { HEADER_BYTES, MESSAGE_TYPES } from "../wire/header.ts";
import { MEASURE_HEADER_BYTES } from "../wire/measure.ts";
import { READY_BYTES } from "../wire/ready.ts";
import { UPDATE_FIELD_HEADER_BYTES, UpdateMessages } from "../wire/update-field.ts";
import { WireError } from "../wire/wire-error.ts";
import {
  type CcpAlgorithm,
  type CcpFlow,
  expectFlow,
  type FlowControl,
  type FlowInfo,
  type Report,
} from "./algorithm.ts";
import type { FlowHosting, ScheduleWake } from "./flow-hosting.ts";
import { type AgentProgram, compileAlgorithms, type ProgramSet, type SettableField } from "./program-set.ts";
import { MAX_PROGRAMS, ProgramTable } from "./program-table.ts";

/** Names a datapath: a socket path, or whatever the transport uses. */
export type Address = string;

/** A message for a datapath. The bytes are the agent's again when this returns: who keeps them copies them. */
export type SendToDatapath = (message: Uint8Array, to: Address, nowUs: Micros) => void;

/** What an event log wants to know. */
export type AgentEvent =
  /** a datapath that had to be given the programs: new, restarted, or known to an earlier agent only */
  | { readonly kind: "datapath"; readonly address: Address; readonly nowUs: Micros }
  | {
      readonly kind: "opened";
      readonly address: Address;
      readonly info: FlowInfo;
      readonly algorithm: string;
      readonly nowUs: Micros;
    }
  | { readonly kind: "closed"; readonly address: Address; readonly flowId: number; readonly nowUs: Micros }
  | {
      readonly kind: "malformed";
      readonly address: Address;
      readonly reason: string;
      readonly nowUs: Micros;
    };

/** A report with its values by name. */
export interface ObservedReport {
  readonly programName: string;
  readonly nowUs: Micros;
  /** report variables without `Report.` */
  named(): Record<string, number>;
}

/** What an algorithm has told a datapath: another program, fields of the one at hand. */
export interface ObservedDecision {
  /** undefined: it stays */
  readonly program: string | undefined;
  readonly fields: Readonly<Record<string, number>>;
  readonly nowUs: Micros;
}

/** Reads along; it shall not act on flows, and what it is given is the agent's again when it returns. */
export interface AgentObserver {
  /** a report has come, before the algorithm has it */
  onReport(address: Address, flowId: number, report: ObservedReport): void;
  /** the message is sent */
  onDecision(address: Address, flowId: number, decision: ObservedDecision): void;
}

export interface CcpAgentHooks {
  /** absent: nobody reads along */
  readonly observer?: AgentObserver;
  readonly send: SendToDatapath;
  /** Chooses an algorithm by name for a flow that asked for none of them; undefined: the first one. */
  readonly choose?: (info: FlowInfo) => string | undefined;
  readonly onEvent?: (event: AgentEvent) => void;
  /** What the host adds to a flow that starts. */
  readonly hosting?: (flowId: number, address: Address) => FlowHosting;
  /** flows that the host gives no generator get forks of this one; default seed 0 */
  readonly rng?: Rng;
  /** programs that a datapath's table holds; default libccp's 9 */
  readonly maxPrograms?: number;
  /**
   * Gives program 1 to a datapath that reports without having been seen: by them our own datapaths learn at once that
   * the agent has restarted, and announce their flows again. Default false: such reports are ignored, as by Portus.
   */
  readonly adoptsUnseen?: boolean;
}

export interface CcpAgentOptions extends CcpAgentHooks {
  /** the first one answers creates that name none of them */
  readonly algorithms: readonly CcpAlgorithm[];
}

/** Messages that came to nothing, by reason. */
export interface AgentCounters {
  reports: number;
  /** too short, torn, or of a type that agents do not receive */
  malformed: number;
  /** reports of flows that are not known (the agent has restarted) */
  unknownFlow: number;
  /** reports of a program that the flow no longer runs */
  stale: number;
}

const TWO_32 = 2 ** 32;

/** One object per flow, refilled for each report. */
class FlowReport implements Report {
  programUid = 0;
  programName = "";
  /** no whole number at first, so that it is a double to V8 from then on */
  nowUs: Micros = Number.NaN;
  program: AgentProgram | undefined;
  count = 0;
  /** the 64-bit fields as nearest doubles */
  values: Float64Array = new Float64Array(16);

  get(name: string): number {
    const index = this.program?.reportIndex.get(name);
    if (index === undefined) {
      const known = [...(this.program?.reportIndex.keys() ?? [])].filter((one) => one.startsWith("Report."));
      throw unknownName("ccp-agent", "report variable", name, known);
    }
    if (index >= this.count) throw this.#missing(`\`${name}\``);
    return this.values[index]!;
  }

  named(): Record<string, number> {
    const values: Record<string, number> = {};
    for (const [name, index] of this.program?.reportIndex ?? []) {
      if (!name.startsWith("Report.") && index < this.count) values[name] = this.values[index]!;
    }
    return values;
  }

  first(count: number): ArrayLike<number> {
    if (count > this.count) throw this.#missing(`field ${count - 1}`);
    return this.values;
  }

  #missing(what: string): CcparkError {
    const message = `[ccp-agent] ${what} was not in the report: it had ${this.count} fields`;
    return new CcparkError("failed-precondition", message);
  }
}

/** What the agent knows of a datapath. */
class Datapath {
  readonly flows: Map<number, AgentFlow> = new Map();
  /** absent: no algorithm has a program */
  readonly table: ProgramTable<AgentProgram> | undefined;

  constructor(table: ProgramTable<AgentProgram> | undefined) {
    this.table = table;
  }
}

/** A field that an algorithm has set, and how the wire calls it. */
interface FieldPlace {
  readonly name: string;
  readonly program: AgentProgram;
  readonly field: SettableField;
}

/** Flows under one key of `aggregateBy`. */
interface Group {
  readonly first: CcpFlow;
  members: number;
}

class AgentFlow implements FlowControl {
  readonly flowId: number;
  readonly address: Address;
  readonly report: FlowReport = new FlowReport();
  /** of the message being answered */
  nowUs: Micros = 0;
  current: AgentProgram | undefined;
  handler: CcpFlow | undefined;
  /** leaves the group, if there is one */
  leave: (() => void) | undefined;
  closed = false;
  /** libccp's first report of a program that was installed anew under a running flow has no fields */
  mayReportNothing = false;
  readonly #datapath: Datapath;
  readonly #programs: ReadonlyMap<string, AgentProgram>;
  readonly algorithm: CcpAlgorithm;
  readonly #host: Pick<CcpAgentHooks, "send" | "observer">;
  readonly #schedule: ScheduleWake | undefined;
  readonly #updates: UpdateMessages;
  /** the fields of the last update in its order, which is mostly the next one's */
  readonly #places: FieldPlace[] = [];
  /** when to wake, and the call of the host that will see to it; Infinity: none */
  #wakeUs: Micros = Number.POSITIVE_INFINITY;
  #calledUs: Micros = Number.POSITIVE_INFINITY;

  constructor(
    flow: { readonly flowId: number; readonly address: Address; readonly nowUs: Micros },
    datapath: Datapath,
    {
      algorithm,
      programs,
    }: {
      readonly algorithm: CcpAlgorithm;
      readonly programs: ReadonlyMap<string, AgentProgram>;
    },
    host: Pick<CcpAgentHooks, "send" | "observer">,
    schedule: ScheduleWake | undefined,
  ) {
    this.flowId = flow.flowId;
    this.address = flow.address;
    this.nowUs = flow.nowUs;
    this.#datapath = datapath;
    this.#programs = programs;
    this.algorithm = algorithm;
    this.#host = host;
    this.#schedule = schedule;
    this.#updates = new UpdateMessages(flow.flowId);
  }

  setProgram(name: string, fields: Readonly<Record<string, number>> = {}): void {
    const program = this.#programs.get(name);
    if (program === undefined) {
      const known = [...this.#programs.keys()];
      throw unknownName("ccp-agent", `program of algorithm \`${this.algorithm.name}\``, name, known);
    }
    const updates = toUpdates(program, fields);
    const message = encodeChangeProg({ flowId: this.flowId, programUid: program.uid, updates });
    if (!this.closed) {
      this.#install(program);
      this.#host.send(message, this.address, this.nowUs);
      this.#decided(name, fields);
    }
    this.current = program;
  }

  #decided(program: string | undefined, fields: Readonly<Record<string, number>>): void {
    this.#host.observer?.onDecision(this.address, this.flowId, { program, fields, nowUs: this.nowUs });
  }

  /** Sees to it that the datapath has the program. */
  #install(program: AgentProgram): void {
    const { flows, table } = this.#datapath;
    const { installs, isRemade } = table!.admit(program, () => {
      const running = new Set<AgentProgram>();
      for (const { current } of flows.values()) if (current !== undefined) running.add(current);
      return running;
    });
    if (isRemade) for (const flow of flows.values()) flow.mayReportNothing = true;
    for (const install of installs) this.#host.send(install, this.address, this.nowUs);
  }

  updateFields(fields: Readonly<Record<string, number>>): void {
    const program = this.current;
    if (program === undefined) {
      throw new CcparkError("failed-precondition", "[ccp-agent] updateFields before setProgram");
    }
    let count = 0;
    for (const _ in fields) count += 1;
    if (count === 0) return;
    const message = this.#updates.of(count);
    const places = this.#places;
    let at = UPDATE_FIELD_HEADER_BYTES;
    let i = 0;
    // V8 finds the values of a loop over names without looking for each
    for (const name in fields) {
      const value = fields[name]!;
      let place = places[i];
      if (place === undefined || place.name !== name || place.program !== program) {
        place = { name, program, field: settable(program, name) };
        places[i] = place;
      }
      expectWhole(name, value);
      writeFieldUpdate(message, at, place.field.registerType, place.field.index, value);
      at += FIELD_UPDATE_BYTES;
      i += 1;
    }
    if (this.closed) return;
    this.#host.send(message, this.address, this.nowUs);
    this.#decided(undefined, fields);
  }

  setWindow(cwndBytes: Bytes, rateBytesPerSec: BytesPerSec): void {
    const cwnd = wholeBytes("cwnd", cwndBytes);
    const rate = wholeBytes("rate", rateBytesPerSec);
    if (this.closed) return;
    this.#host.send(this.#updates.ofWindow(cwnd, rate), this.address, this.nowUs);
    if (this.#host.observer !== undefined)
      this.#decided(undefined, rate === 0 ? { Cwnd: cwnd } : { Cwnd: cwnd, Rate: rate });
  }

  wakeAt(atUs: Micros | undefined): void {
    if (Number.isNaN(atUs))
      throw new CcparkError("invalid-argument", "[ccp-agent] wakeAt: got NaN, expected a time");
    if (this.#schedule === undefined) {
      throw new CcparkError(
        "failed-precondition",
        "[ccp-agent] wakeAt: the agent's host has no clock to wake by",
      );
    }
    this.#wakeUs = atUs === undefined ? Number.POSITIVE_INFINITY : Math.max(atUs, this.nowUs);
    // One that comes earlier will look again: an algorithm that puts its wake off at every report costs no call.
    if (!this.closed && this.#wakeUs < this.#calledUs) this.#callAt(this.#wakeUs);
  }

  takeParams(params: Readonly<Record<string, number>>, nowUs: Micros): void {
    if (this.closed) return;
    this.nowUs = nowUs;
    this.handler?.onParams?.(params, nowUs);
  }

  #callAt(atUs: Micros): void {
    this.#calledUs = atUs;
    this.#schedule!(atUs, (nowUs) => {
      if (this.closed || this.#calledUs !== atUs) return;
      this.#calledUs = Number.POSITIVE_INFINITY;
      if (this.#wakeUs > nowUs) {
        if (this.#wakeUs < Number.POSITIVE_INFINITY) this.#callAt(this.#wakeUs);
        return;
      }
      this.#wakeUs = Number.POSITIVE_INFINITY;
      this.nowUs = nowUs;
      this.handler?.onWake?.(nowUs);
    });
  }
}

function hasParams({ liveParams = [] }: CcpAlgorithm, params: Readonly<Record<string, number>>): boolean {
  return Object.keys(params).every((name) => liveParams.some((live) => live.name === name));
}

/** @throws CcparkError (not-found, invalid-argument) for a parameter that no live flow of the algorithm takes, or not so */
function checkParams(algorithm: CcpAlgorithm, params: Readonly<Record<string, number>>): void {
  const { name, liveParams = [] } = algorithm;
  for (const [param, value] of Object.entries(params)) {
    const live = liveParams.find((each) => each.name === param);
    if (live === undefined) {
      const known = liveParams.map((each) => each.name);
      const what = `parameter of a live flow of \`${name}\``;
      if (known.length > 0) throw unknownName("ccp-agent", what, param, known);
      throw new CcparkError("not-found", `[ccp-agent] \`${name}\` has no ${what.split(" of `")[0]}`);
    }
    const { low, high, whole } = live;
    if (!(value >= low && value <= high) || (whole && !Number.isInteger(value))) {
      const expected = `expected a ${whole ? "whole " : ""}number from ${low} to ${high}`;
      throw new CcparkError("invalid-argument", `[ccp-agent] ${name}: ${param}: got ${value}, ${expected}`);
    }
  }
}

function wholeBytes(name: string, value: number): number {
  const whole = Math.round(value);
  if (whole >= 0 && whole < TWO_32 * TWO_32) return whole;
  const expected = "expected a number from 0 to 2^64 - 1";
  throw new CcparkError("invalid-argument", `[ccp-agent] ${name}: got ${value}, ${expected}`);
}

/** @throws CcparkError for a field that cannot be set */
function settable(program: AgentProgram, name: string): SettableField {
  const field = program.settable.get(name);
  if (field === undefined) throw refusedField(program, name);
  return field;
}

/** @throws CcparkError for a value that a field cannot have */
function expectWhole(name: string, value: number): void {
  if (value >= 0 && value < TWO_32 * TWO_32 && Number.isInteger(value)) return;
  const expected = "expected a whole number from 0 to 2^64 - 1";
  throw new CcparkError("invalid-argument", `[ccp-agent] field \`${name}\`: got ${value}, ${expected}`);
}

function toUpdates(program: AgentProgram, fields: Readonly<Record<string, number>>): FieldUpdate[] {
  return Object.entries(fields).map(([name, value]) => {
    const { registerType, index } = settable(program, name);
    expectWhole(name, value);
    return { registerType, index, value };
  });
}

function refusedField(program: AgentProgram, name: string): CcparkError {
  const register = program.compiled.scope.registers.get(name);
  if (register !== undefined) {
    const what = `[ccp-agent] field \`${name}\` of program \`${program.name}\` is a ${register.file} variable`;
    return new CcparkError("invalid-argument", `${what}; only control variables, Cwnd and Rate can be set`);
  }
  return unknownName("ccp-agent", `field of program \`${program.name}\``, name, [...program.settable.keys()]);
}

export class CcpAgent {
  readonly counters: AgentCounters = { reports: 0, malformed: 0, unknownFlow: 0, stale: 0 };
  readonly #set: ProgramSet;
  readonly #byName: ReadonlyMap<string, CcpAlgorithm>;
  readonly #hooks: CcpAgentHooks;
  readonly #rng: Rng;
  /** flows so far, by which their generators are named */
  #started = 0;
  /** algorithm -> host and key -> group */
  readonly #groups: Map<CcpAlgorithm, Map<string, Group>> = new Map();
  /** a datapath that is here has program 1 */
  readonly #datapaths: Map<Address, Datapath> = new Map();

  /** @throws CompileError, CcparkError if there is no algorithm or two of one name */
  constructor(options: CcpAgentOptions | (CcpAgentHooks & { readonly set: ProgramSet })) {
    this.#set = "set" in options ? options.set : compileAlgorithms(options.algorithms);
    this.#hooks = options;
    this.#rng = options.rng ?? Rng.fromSeed(0);
    if (this.#set.algorithms.length === 0) {
      throw new CcparkError("invalid-argument", "[ccp-agent] an agent needs an algorithm");
    }
    this.#byName = new Map(this.#set.algorithms.map((algorithm) => [algorithm.name, algorithm]));
  }

  /** How many flows there are, of all datapaths. */
  get flowCount(): number {
    let count = 0;
    for (const { flows } of this.#datapaths.values()) count += flows.size;
    return count;
  }

  /**
   * A datagram from a datapath; it may hold several messages. Algorithms run, and answers are sent, before this
   * returns. What an algorithm throws passes through.
   */
  receive(datagram: Uint8Array, from: Address, nowUs: Micros): void {
    let offset = 0;
    do {
      const left = datagram.length - offset;
      const length = left < HEADER_BYTES ? 0 : datagram[offset + 2]! | (datagram[offset + 3]! << 8);
      if (length < HEADER_BYTES || length > left) {
        const reason =
          left < HEADER_BYTES ? `${left} bytes, shorter than a header` : `length field ${length} of ${left}`;
        this.#malformed(reason, from, nowUs);
        return;
      }
      this.#message(datagram, offset, length, from, nowUs);
      offset += length;
    } while (offset < datagram.length);
  }

  /**
   * The owner of live flows changes some of their parameters.
   * @returns how many flows took it: those of the datapath and id, where given, whose algorithm has all of these
   * @throws CcparkError (invalid-argument) for a value out of range, before any flow has taken it
   */
  changeParams(
    params: Readonly<Record<string, number>>,
    nowUs: Micros,
    only: { readonly address?: Address; readonly flowId?: number } = {},
  ): number {
    const taking: AgentFlow[] = [];
    for (const [address, { flows }] of this.#datapaths) {
      if (only.address !== undefined && only.address !== address) continue;
      for (const flow of flows.values()) {
        if (only.flowId !== undefined && only.flowId !== flow.flowId) continue;
        if (hasParams(flow.algorithm, params)) taking.push(flow);
      }
    }
    for (const algorithm of new Set(taking.map((flow) => flow.algorithm))) checkParams(algorithm, params);
    for (const flow of taking) flow.takeParams(params, nowUs);
    return taking.length;
  }

  /**
   * Gives a flow up: its algorithm ends, and what it reports from now on comes to nothing. Its datapath goes on as it was told, until by its
   * own rules it does without an agent, or announces the flow anew.
   * @returns false: there is no such flow
   */
  giveUp(address: Address, flowId: number, nowUs: Micros): boolean {
    const flows = this.#datapaths.get(address)?.flows;
    const flow = flows?.get(flowId);
    if (flow === undefined) return false;
    flows!.delete(flowId);
    this.#close(flow, nowUs);
    return true;
  }

  /** The datapath is gone: its flows are closed and forgotten. */
  forget(address: Address, nowUs: Micros): void {
    const datapath = this.#datapaths.get(address);
    this.#datapaths.delete(address);
    for (const flow of datapath?.flows.values() ?? []) this.#close(flow, nowUs);
  }

  #message(bytes: Uint8Array, offset: number, length: number, from: Address, nowUs: Micros): void {
    switch (bytes[offset]) {
      case MESSAGE_TYPES.measure:
        this.#measure(bytes, offset, length, from, nowUs);
        return;
      case MESSAGE_TYPES.create:
        try {
          this.#create(decodeCreate(bytes.subarray(offset, offset + length)), from, nowUs);
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
          this.#malformed(`create: ${error.message}`, from, nowUs);
        }
        return;
      case MESSAGE_TYPES.ready:
        if (length < READY_BYTES) this.#malformed(`ready of ${length} bytes`, from, nowUs);
        else {
          this.forget(from, nowUs);
          this.#install(from, nowUs);
        }
        return;
      default:
        this.#malformed(`message of type ${bytes[offset]}`, from, nowUs);
    }
  }

  #malformed(reason: string, address: Address, nowUs: Micros): void {
    this.counters.malformed += 1;
    this.#hooks.onEvent?.({ kind: "malformed", address, reason, nowUs });
  }

  /**
   * Tells a datapath of this agent, by its program 1, and gives it the others where its table holds all of them, as Portus
   * does; where it does not, each comes when a flow first runs it.
   */
  #install(to: Address, nowUs: Micros): Datapath {
    const [first, ...others] = this.#set.programs;
    const size = this.#hooks.maxPrograms ?? MAX_PROGRAMS;
    const table = first === undefined ? undefined : new ProgramTable(first, size);
    const datapath = new Datapath(table);
    this.#datapaths.set(to, datapath);
    this.#hooks.onEvent?.({ kind: "datapath", address: to, nowUs });
    if (first !== undefined) this.#hooks.send(first.install, to, nowUs);
    for (const program of others.length < size ? others : []) {
      for (const install of table!.admit(program, () => new Set()).installs) {
        this.#hooks.send(install, to, nowUs);
      }
    }
    return datapath;
  }

  #create(create: ReturnType<typeof decodeCreate>, from: Address, nowUs: Micros): void {
    const datapath = this.#datapaths.get(from) ?? this.#install(from, nowUs);
    const { flowId, algorithmName, ...info } = create;
    const known = datapath.flows.get(flowId);
    if (known !== undefined) this.#close(known, nowUs);
    const hosting = this.#hooks.hosting?.(flowId, from) ?? {};
    const { schedule, host = from, name = "", weight = 1, aggregates = [], rng, changes = [] } = hosting;
    const own = rng ?? this.#rng.fork(`flow.${this.#started}`);
    this.#started += 1;
    const flowInfo: FlowInfo = { flowId, ...info, nowUs, host, name, weight, aggregates, rng: own };
    const algorithm = this.#byName.get(algorithmName) ?? this.#chosen(flowInfo);
    const programs = this.#set.byAlgorithm.get(algorithm)!;
    const flow = new AgentFlow(
      { flowId, address: from, nowUs },
      datapath,
      { algorithm, programs },
      this.#hooks,
      schedule,
    );
    datapath.flows.set(flowId, flow);
    const event = {
      kind: "opened",
      address: from,
      info: flowInfo,
      algorithm: algorithm.name,
      nowUs,
    } as const;
    this.#hooks.onEvent?.(event);
    flow.handler = expectFlow(this.#startFlow(flow, flowInfo, algorithm), algorithm.name);
    for (const { atUs, params } of changes) {
      checkParams(algorithm, params);
      if (schedule === undefined) {
        const message = `[ccp-agent] flow ${flowId}: its host has no clock to change parameters by`;
        throw new CcparkError("failed-precondition", message);
      }
      schedule(atUs, (wokenUs) => flow.takeParams(params, wokenUs));
    }
  }

  /** The algorithm of a flow that asked for none that is here. */
  #chosen(info: FlowInfo): CcpAlgorithm {
    const name = this.#hooks.choose?.(info);
    if (name === undefined) return this.#set.algorithms[0]!;
    const algorithm = this.#byName.get(name);
    if (algorithm === undefined) throw unknownName("ccp-agent", "algorithm", name, [...this.#byName.keys()]);
    return algorithm;
  }

  #startFlow(flow: AgentFlow, info: FlowInfo, algorithm: CcpAlgorithm): CcpFlow {
    const wanted = algorithm.aggregateBy?.(info);
    if (wanted === undefined) return algorithm.newFlow(flow, info);
    const host = algorithm.aggregatesHosts === true ? "" : info.host;
    const key = `${typeof wanted} ${wanted} ${host}`;
    let groups = this.#groups.get(algorithm);
    if (groups === undefined) this.#groups.set(algorithm, (groups = new Map()));
    let group = groups.get(key);
    let handler: CcpFlow;
    if (group === undefined) {
      handler = algorithm.newFlow(flow, info);
      group = { first: handler, members: 0 };
      groups.set(key, group);
    } else if (group.first.createSubflow !== undefined) {
      handler = group.first.createSubflow(flow, info);
    } else {
      const message = `algorithm \`${algorithm.name}\` has aggregateBy, but its flows have no createSubflow`;
      throw new CcparkError("failed-precondition", `[ccp-agent] ${message}`);
    }
    const joined = group;
    joined.members += 1;
    flow.leave = () => {
      joined.members -= 1;
      if (joined.members === 0) groups.delete(key);
    };
    return handler;
  }

  /** Apart from `#readReport`: it is compiled anew with each further algorithm that answers. */
  #measure(bytes: Uint8Array, offset: number, length: number, from: Address, nowUs: Micros): void {
    const flow = this.#readReport(bytes, offset, length, from, nowUs);
    if (flow === undefined) return;
    const { flowId, report } = flow;
    this.#hooks.observer?.onReport(from, flowId, report);
    flow.handler?.onReport(report);
  }

  /** The hot path: allocates nothing. @returns whose report it is, if somebody is to answer it */
  #readReport(
    bytes: Uint8Array,
    offset: number,
    length: number,
    from: Address,
    nowUs: Micros,
  ): AgentFlow | undefined {
    const body = length - MEASURE_HEADER_BYTES;
    if (body < 0 || (body & 7) !== 0) {
      this.#malformed(`report of ${length} bytes`, from, nowUs);
      return undefined;
    }
    const datapath = this.#datapaths.get(from);
    const flowId = readU32(bytes, offset + 4);
    const flow = datapath?.flows.get(flowId);
    if (datapath === undefined || flow === undefined) {
      this.counters.unknownFlow += 1;
      const unseen = datapath === undefined && bytes[offset + 12] !== 0;
      if (unseen && this.#hooks.adoptsUnseen === true) this.#install(from, nowUs);
      return undefined;
    }
    if (bytes[offset + 12] === 0) {
      if (flow.mayReportNothing && readU32(bytes, offset + 8) !== 0) {
        flow.mayReportNothing = false;
        this.counters.stale += 1;
        return undefined;
      }
      datapath.flows.delete(flowId);
      this.#close(flow, nowUs);
      return undefined;
    }
    const program = flow.current;
    if (program === undefined || readU32(bytes, offset + 8) !== program.uid) {
      this.counters.stale += 1;
      return undefined;
    }
    const { report } = flow;
    const count = body >>> 3;
    if (count > report.values.length) report.values = new Float64Array(count);
    let at = offset + MEASURE_HEADER_BYTES;
    for (let i = 0; i < count; i++, at += 8) {
      report.values[i] = readU32(bytes, at) + readU32(bytes, at + 4) * TWO_32;
    }
    report.count = count;
    report.program = program;
    report.programUid = program.uid;
    report.programName = program.name;
    report.nowUs = nowUs;
    flow.nowUs = nowUs;
    this.counters.reports += 1;
    return flow;
  }

  #close(flow: AgentFlow, nowUs: Micros): void {
    if (flow.closed) return;
    flow.closed = true;
    flow.nowUs = nowUs;
    flow.leave?.();
    this.#hooks.onEvent?.({ kind: "closed", address: flow.address, flowId: flow.flowId, nowUs });
    flow.handler?.onClose?.();
  }
}
