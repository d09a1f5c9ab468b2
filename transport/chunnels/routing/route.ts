/**
 * Sends each message to the neighbour that leads to its destination, and keeps for each neighbour layers of its own (whatever
 * stands below in the list) and statistics. An attempt that failed by a neighbour is not repeated by it while there is another
 * way. At the destination, and on the way (`forward` sends it on), a message goes up.
 */
import { CcparkError, clipped, showValue } from "../../../core/errors.ts";
import type { Micros } from "../../../core/units.ts";
import type { Above, Below, Chunnel, Feedback, Message, Surroundings } from "../../chunnel.ts";
import type { ChunnelSpec, Place } from "../../stack/spec.ts";
import { causesOf } from "../../stack/through.ts";
import { WireFault, WireReader, withNumbers } from "../../wire.ts";
import { numberOption } from "../options.ts";
import { droppedNow } from "../queues/buffer.ts";

/** What is known of a neighbour. */
export interface NeighbourFacts {
  readonly name: string;
  readonly srttUs: Micros;
  readonly acked: number;
  readonly lost: number;
  readonly waiting: number;
}

/** @param avoid by these it has failed before @returns next hop; undefined: there is no way */
export type ChooseNext = (
  to: string,
  avoid: ReadonlySet<string>,
  facts: (neighbour: string) => NeighbourFacts,
) => string | undefined;

export interface RouteOptions {
  /** destination -> next hops, the best first; others are neighbours themselves */
  readonly table?: Readonly<Record<string, readonly string[]>>;
  /** in code: instead of the table */
  readonly choose?: ChooseNext;
  /** messages that wait for one neighbour; more are lost */
  readonly maxWaiting?: number;
}

const HEAD = 0;
const NO_NAMES: ReadonlySet<string> = new Set();
const MAX_HOPS = 64;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

class Neighbour implements Above {
  readonly name: string;
  readonly #route: Route;
  below!: Below;
  readonly waiting: Message[] = [];
  srttUs: Micros = 0;
  acked = 0;
  lost = 0;

  constructor(name: string, route: Route) {
    this.name = name;
    this.#route = route;
  }

  get facts(): NeighbourFacts {
    const { name, srttUs, acked, lost, waiting } = this;
    return { name, srttUs, acked, lost, waiting: waiting.length };
  }

  receive(messages: readonly Message[]): void {
    this.#route.receive(messages);
  }

  feedback(fate: Feedback): void {
    this.acked += fate.acked.length;
    this.lost += fate.lost.length;
    if (fate.srttUs > 0) this.srttUs = fate.srttUs;
    for (const { cause } of fate.lost) this.#route.failed(cause![0]!, this.name);
    this.#route.above.feedback({ ...fate, acked: causesOf(fate.acked), lost: causesOf(fate.lost) });
  }

  pull(most: number): readonly Message[] {
    if (this.waiting.length < most) this.#route.distribute(this);
    return this.waiting.splice(0, most);
  }

  roomGrew(): void {
    this.#route.above.roomGrew();
  }

  fail(error: CcparkError): void {
    // one neighbour that is gone is a matter of its messages
    this.#route.lose(this, error);
  }
}

export class Route implements Chunnel {
  above!: Above;
  below!: Below;
  readonly #surroundings: Surroundings;
  readonly #place: Place;
  readonly #choose: ChooseNext;
  readonly #maxWaiting: number;
  readonly #neighbours = new Map<string, Neighbour>();
  /** first transmission's origin -> neighbours that failed it */
  readonly #failed: WeakMap<Message, Set<string>> = new WeakMap();
  #isDistributing = false;

  constructor(surroundings: Surroundings, place: Place, choose: ChooseNext, maxWaiting: number) {
    this.#surroundings = surroundings;
    this.#place = place;
    this.#choose = choose;
    this.#maxWaiting = maxWaiting;
    place.fanOut.begin((neighbour) => void this.#neighbour(neighbour));
  }

  #neighbour(name: string): Neighbour {
    const known = this.#neighbours.get(name);
    if (known !== undefined) return known;
    const made = new Neighbour(name, this);
    this.#neighbours.set(name, made);
    made.below = this.#place.fanOut.open(name, made);
    return made;
  }

  factsOf = (name: string): NeighbourFacts =>
    this.#neighbours.get(name)?.facts ?? { name, srttUs: 0, acked: 0, lost: 0, waiting: 0 };

  failed(message: Message, neighbour: string): void {
    const origin = message.cause?.[0] ?? message;
    const failed = this.#failed.get(origin) ?? new Set();
    failed.add(neighbour);
    this.#failed.set(origin, failed);
  }

  lose(neighbour: Neighbour, _error: CcparkError): void {
    this.#neighbours.delete(neighbour.name);
    neighbour.below.close();
    const lost = causesOf(neighbour.waiting.splice(0));
    if (lost.length > 0) this.above.feedback(droppedNow(this.#surroundings.nowUs(), lost));
  }

  #put(messages: readonly Message[], woken: Set<Neighbour>): void {
    const lost: Message[] = [];
    for (const message of messages) {
      const { to = this.#place.base.peer } = message;
      const hops = (message.hops ?? 0) + 1;
      const avoid = this.#failed.get(message.cause?.[0] ?? message) ?? NO_NAMES;
      const name = to === undefined ? undefined : this.#choose(to, avoid, this.factsOf);
      const neighbour = name === undefined || hops > MAX_HOPS ? undefined : this.#neighbour(name);
      if (neighbour === undefined || neighbour.waiting.length >= this.#maxWaiting) lost.push(message);
      else {
        const data = withHead(to!, message.from ?? this.#place.self, hops, message.data as Uint8Array);
        neighbour.waiting.push({ data, priority: message.priority, cause: [message] });
        woken.add(neighbour);
      }
    }
    if (lost.length > 0) this.above.feedback(droppedNow(this.#surroundings.nowUs(), lost));
  }

  send(messages: readonly Message[]): void {
    const woken = new Set<Neighbour>();
    this.#put(messages, woken);
    for (const neighbour of woken) neighbour.below.offer();
  }

  offer(): void {
    this.distribute(undefined);
  }

  /** Takes what there is above and gives each neighbour its own; `asking` is being pulled and needs no offer. */
  distribute(asking: Neighbour | undefined): void {
    if (this.#isDistributing) return;
    this.#isDistributing = true;
    const woken = new Set<Neighbour>();
    try {
      for (let count = 0; count < this.#maxWaiting; ) {
        const messages = this.above.pull(8);
        if (messages.length === 0) break;
        count += messages.length;
        this.#put(messages, woken);
      }
    } finally {
      this.#isDistributing = false;
    }
    for (const neighbour of woken) if (neighbour !== asking) neighbour.below.offer();
  }

  receive(messages: readonly Message[]): void {
    const out: Message[] = [];
    for (const message of messages) {
      try {
        out.push(readHead(message));
      } catch (error) {
        if (!(error instanceof WireFault)) throw error;
      }
    }
    if (out.length > 0) this.above.receive(out);
  }

  room(): number {
    return this.#maxWaiting;
  }

  consumed(messages: number): void {
    for (const { below } of this.#neighbours.values()) below.consumed(messages);
  }

  feedback(): void {}
  pull(): readonly Message[] {
    return [];
  }
  roomGrew(): void {}
  fail(error: CcparkError): void {
    this.above.fail(error);
  }

  close(): void {
    for (const { below } of this.#neighbours.values()) below.close();
  }
}

function withHead(to: string, from: string, hops: number, body: Uint8Array): Uint8Array {
  const [toBytes, fromBytes] = [ENCODER.encode(to), ENCODER.encode(from)];
  const data = withNumbers(HEAD, [hops, toBytes.length, fromBytes.length], undefined);
  const whole = new Uint8Array(data.length + toBytes.length + fromBytes.length + body.length);
  whole.set(data);
  whole.set(toBytes, data.length);
  whole.set(fromBytes, data.length + toBytes.length);
  whole.set(body, data.length + toBytes.length + fromBytes.length);
  return whole;
}

function readHead(message: Message): Message {
  const reader = new WireReader(message.data as Uint8Array);
  if (reader.byte() !== HEAD) throw new WireFault("an unknown head");
  const [hops, toBytes, fromBytes] = [reader.number(), reader.number(), reader.number()];
  const to = DECODER.decode(reader.take(toBytes));
  const from = DECODER.decode(reader.take(fromBytes));
  return { data: reader.rest(), to, from, hops };
}

function checkTable(table: unknown): Readonly<Record<string, readonly string[]>> {
  const isTable =
    typeof table === "object" &&
    table !== null &&
    Object.values(table).every(
      (hops) => Array.isArray(hops) && hops.length > 0 && hops.every((hop) => typeof hop === "string"),
    );
  if (isTable) return table as Readonly<Record<string, readonly string[]>>;
  const expected = "a record of lists of addresses";
  throw new CcparkError(
    "invalid-argument",
    `[transport] route.table: got ${clipped(showValue(table))}, expected ${expected}`,
  );
}

export type RouteSpec = ChunnelSpec<"bytes", "bytes", "addressed", never>;

/** Routes by a table. */
export function route({ table = {}, choose, maxWaiting = 256 }: RouteOptions = {}): RouteSpec {
  const known = checkTable(table);
  const options = {
    table: known,
    maxWaiting: numberOption("route", "maxWaiting", maxWaiting, { low: 1, high: 1_000_000 }),
  };
  const byTable: ChooseNext = (to, avoid) => {
    const hops = Object.hasOwn(known, to) ? known[to]! : [to];
    return hops.find((hop) => !avoid.has(hop)) ?? hops[0];
  };
  return {
    name: "route",
    up: "bytes",
    down: "bytes",
    needs: ["addressed"],
    gives: [],
    ends: ["ordered"],
    options,
    capability: { match: "exact", labels: ["route-1"] },
    make: (surroundings, place) => new Route(surroundings, place, choose ?? byTable, options.maxWaiting),
  };
}
