/**
 * The flows of a server's sessions under their handles. A session is read only while somebody observes one of its flows: then, after
 * each reset and step, once per environment with observed flows, whatever their number; what the session answers stays the same.
 */
import { randomFillSync } from "node:crypto";
import { CcparkError } from "../../../core/errors.ts";
import { FlowDirectory, type FlowEntry, type FlowTerms } from "../../../flows/directory.ts";
import { FlowHandle, HandleRegistry } from "../../../flows/handle.ts";
import type { NamedFlow } from "../../../flows/named-flow.ts";
import type { MoveTarget } from "../../../scenarios/traffic/named-flows.ts";
import type { EnvBooks } from "../../vector/place.ts";
import type { FlowState } from "../../vector/slots/ground-truth.ts";
import type { ServerLimits } from "../server/limits.ts";
import type { Session } from "../session/env-host.ts";

/** What the flows belong to. */
export interface FlowsOwner {
  readonly id: string;
  /** as of `clientOf` */
  readonly client: string;
  readonly session: Session;
}

/** All flows of one server are sent from its process. */
const HOST = "server";
/** Of a session's id, in the names of its flows. */
const SHORT_ID = 8;

/** Counters of a slot, which go on over its episodes. */
interface Counters {
  readonly deliveredBytes: number;
  readonly lostPackets: number;
  readonly timeouts: number;
}
const NONE: Counters = { deliveredBytes: 0, lostPackets: 0, timeouts: 0 };

function plus(a: Counters, b: Counters): Counters {
  return {
    deliveredBytes: a.deliveredBytes + b.deliveredBytes,
    lostPackets: a.lostPackets + b.lostPackets,
    timeouts: a.timeouts + b.timeouts,
  };
}

/** What was last seen of an observed slot. */
interface Seen {
  /** -1: nothing yet */
  seed: number;
  timeUs: number;
  isLive: boolean;
  /** of episodes before the one at hand */
  before: Counters;
  /** of the one at hand */
  now: Counters;
}

interface Slot {
  readonly flow: NamedFlow;
  readonly seen: Seen;
}

function newSeen(): Seen {
  return { seed: -1, timeUs: 0, isLive: false, before: NONE, now: NONE };
}

/** The flows of one session. */
class SessionFlows {
  readonly owner: FlowsOwner;
  readonly #make: (terms: Omit<FlowTerms, "handle">) => NamedFlow;
  /** by row; undefined: killed, and no episode has begun since */
  readonly #slots: (Slot | undefined)[];
  readonly #killed = new Set<number>();
  /** rows that somebody observes */
  readonly #observed = new Set<number>();
  #stopListening: (() => void) | undefined;

  constructor(owner: FlowsOwner, make: (terms: Omit<FlowTerms, "handle">) => NamedFlow) {
    const { config, description } = owner.session;
    this.owner = owner;
    this.#make = make;
    const rows = config.numEnvs * description.slotsPerEnv;
    this.#slots = Array.from({ length: rows }, (_, row) => this.#makeSlot(row));
  }

  #makeSlot(row: number): Slot {
    const { id, client, session } = this.owner;
    const { slotsPerEnv, flowIds } = session.description;
    const env = Math.floor(row / slotsPerEnv);
    const flow: NamedFlow = this.#make({
      name: `${id.slice(0, SHORT_ID)}/${env}/${flowIds[row % slotsPerEnv]}`,
      owner: client,
      host: HOST,
      bottleneck: `${id}/${env}`,
      onWanted: () => {
        // a killed one is no longer the slot's
        if (this.#slots[row]?.flow !== flow) return;
        if (flow.wanted === 0) this.#observed.delete(row);
        else this.#observed.add(row);
        this.#listen();
      },
    });
    return { flow, seen: newSeen() };
  }

  get flows(): NamedFlow[] {
    return this.#slots.flatMap((slot) => (slot === undefined ? [] : [slot.flow]));
  }

  /** The environment's next step ends its episode; the next one has the slot's flow under a new handle. */
  kill(flow: NamedFlow): void {
    const row = this.#slots.findIndex((slot) => slot?.flow === flow);
    try {
      this.owner.session.cut(this.#envOf(row));
    } catch (error) {
      // before its first reset there is no episode to end
      if (!(error instanceof CcparkError)) throw error;
    }
    this.#left(this.#slots[row]!);
    this.#observed.delete(row);
    this.#slots[row] = undefined;
    this.#killed.add(row);
    this.#listen();
  }

  /** As of `Session.move`. @throws CcparkError, at once or later */
  async move(flow: NamedFlow, to: MoveTarget): Promise<void> {
    const { session } = this.owner;
    const row = this.#slots.findIndex((slot) => slot?.flow === flow);
    await session.move(this.#envOf(row), row % session.description.slotsPerEnv, to);
    const { seen } = this.#slots[row] ?? {};
    if (seen?.isLive) flow.publish("membership", seen.timeUs, () => ({ event: "moved", name: flow.name }));
  }

  close(): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
    for (const slot of this.#slots) if (slot !== undefined) this.#left(slot);
  }

  #left({ flow, seen }: Slot): void {
    if (seen.isLive) flow.publish("membership", seen.timeUs, () => ({ event: "left", name: flow.name }));
  }

  #envOf(row: number): number {
    return Math.floor(row / this.owner.session.description.slotsPerEnv);
  }

  /** Listens to the session while something is to be read, or a killed slot waits for its next episode. */
  #listen(): void {
    if (this.#observed.size > 0 || this.#killed.size > 0) {
      this.#stopListening ??= this.owner.session.onAnswer(() => this.#answered());
    } else {
      this.#stopListening?.();
      this.#stopListening = undefined;
    }
  }

  #answered(): void {
    for (const row of this.#killed) {
      if (this.owner.session.isCut(this.#envOf(row))) continue;
      this.#killed.delete(row);
      this.#slots[row] = this.#makeSlot(row);
    }
    const envs = new Set([...this.#observed].map((row) => this.#envOf(row)));
    for (const env of envs) this.#readEnv(env);
    this.#listen();
  }

  #readEnv(env: number): void {
    try {
      const books = this.owner.session.books(env);
      if (books instanceof Promise) {
        books.then(
          (late) => this.#report(env, late),
          // its thread is lost, which the session's owner is told
          () => undefined,
        );
      } else this.#report(env, books);
    } catch (error) {
      // not reset yet, or a world that does not know its link: there is nothing to report
      if (!(error instanceof CcparkError)) throw error;
    }
  }

  #report(env: number, books: EnvBooks): void {
    const { slotsPerEnv, flowIds } = this.owner.session.description;
    for (let place = 0; place < slotsPerEnv; place++) {
      const slot = this.#slots[env * slotsPerEnv + place];
      if (slot === undefined || slot.flow.wanted === 0) continue;
      const state = books.flows.find(({ flowId }) => flowId === flowIds[place]);
      reportSlot(slot, books, state);
    }
  }
}

/** @param state absent: the episode has no such flow */
function reportSlot({ flow, seen }: Slot, books: EnvBooks, state: FlowState | undefined): void {
  const { timeUs, seed } = books;
  const membership = (event: "joined" | "left", atUs: number): void => {
    seen.isLive = event === "joined";
    flow.publish("membership", atUs, () => ({ event, name: flow.name }));
  };
  if (seed !== seen.seed || timeUs < seen.timeUs) {
    if (seen.isLive) membership("left", seen.timeUs);
    seen.before = plus(seen.before, seen.now);
    seen.now = NONE;
    seen.seed = seed;
  }
  seen.timeUs = timeUs;
  const isLive = state?.live === true;
  if (isLive !== seen.isLive) membership(isLive ? "joined" : "left", timeUs);
  if (state === undefined) return;
  const told = seen.now;
  const { deliveredBytes, lostPackets, rtoCount: timeouts } = state;
  seen.now = { deliveredBytes, lostPackets, timeouts };
  const total = plus(seen.before, seen.now);
  flow.publish("control", timeUs, () => ({
    cwndBytes: state.cwndBytes,
    rateBytesPerSec: state.pacingRateBytesPerSec,
    inflightBytes: state.inflightBytes,
  }));
  flow.publish("fault", timeUs, () =>
    lostPackets > told.lostPackets || timeouts > told.timeouts
      ? { lostPackets: total.lostPackets, timeouts: total.timeouts }
      : undefined,
  );
  flow.publish("measurement", timeUs, () => ({
    srttUs: state.srttUs,
    minRttUs: state.minRttUs,
    deliveredBytes: total.deliveredBytes,
  }));
  const { measured: link } = books;
  flow.publish("truth", timeUs, () => ({
    capacityBytesPerSec: link.rateBytesPerSec,
    queueBytes: link.queueBytes,
    droppedPackets: link.droppedPackets,
  }));
}

/** A flow as calls ask for it. */
export interface ServedFlow {
  readonly entry: FlowEntry;
  readonly owner: FlowsOwner;
  /** It goes on over other links from the next step on. @throws CcparkError (as a rejection) as `Session.move` */
  move(to: MoveTarget): Promise<void>;
  /** Its handle is gone now, and the episode of its environment ends with the next step. */
  kill(): void;
}

export class ServedFlows {
  readonly directory: FlowDirectory;
  readonly #registry: HandleRegistry;
  /** by session id */
  readonly #sessions = new Map<string, SessionFlows>();
  /** the flows among which one is; while they are made they have no name yet */
  readonly #of = new WeakMap<NamedFlow, () => SessionFlows>();

  constructor({ maxFlows, maxFlowsPerClient }: Pick<ServerLimits, "maxFlows" | "maxFlowsPerClient">) {
    this.directory = new FlowDirectory({ flows: maxFlows, flowsPerOwner: maxFlowsPerClient });
    const word = new Uint32Array(1);
    this.#registry = new HandleRegistry(() => randomFillSync(word)[0]!);
  }

  /** @throws CcparkError (resource-exhausted) if the client may not have so many more */
  open(owner: FlowsOwner): void {
    const { config, description } = owner.session;
    this.directory.checkRoom(owner.client, config.numEnvs * description.slotsPerEnv);
    const flows: SessionFlows = new SessionFlows(owner, (terms) => {
      const flow = this.directory.add({ ...terms, handle: this.#registry.next() }, 0);
      this.#of.set(flow, () => flows);
      return flow;
    });
    this.#sessions.set(owner.id, flows);
  }

  /** The session is over. */
  close(sessionId: string): void {
    const flows = this.#sessions.get(sessionId);
    if (flows === undefined) return;
    this.#sessions.delete(sessionId);
    flows.close();
    for (const { handle } of flows.flows) this.directory.remove(handle);
  }

  /** @throws CcparkError: invalid-argument for what is no handle, not-found */
  get(handle: string): ServedFlow {
    const entry = this.directory.get(FlowHandle.parse(handle));
    const { flow } = entry;
    return {
      entry,
      owner: this.ownerOf(entry),
      move: (to) => this.#of.get(flow)!().move(flow, to),
      kill: () => this.#kill(flow),
    };
  }

  ownerOf({ flow }: FlowEntry): FlowsOwner {
    return this.#of.get(flow)!().owner;
  }

  #kill(flow: NamedFlow): void {
    this.#of.get(flow)!().kill(flow);
    this.directory.remove(flow.handle);
  }
}
