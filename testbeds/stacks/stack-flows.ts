/**
 * The flows of a scenario that are stacks: each has a path of its own, a client that sends what the application has and a server that takes it.
 * Stacks of one run stand on one host, so that a window can be shared; what their packets go through is the network of all others.
 */
import { CcparkError } from "../../core/errors.ts";
import type { Rng } from "../../core/random.ts";
import { type Bytes, type BytesPerSec, type Micros, NANOS_PER_MICRO } from "../../core/units.ts";
import type { StackSpec } from "../../scenarios/traffic/stack.ts";
import type { GeneralFlow, GeneralNetwork } from "../../sim/general/general-network.ts";
import type { FlowSpec, Network, OutsideSpec } from "../../sim/network.ts";
import type { Surroundings } from "../../transport/chunnel.ts";
import { type Cc, type CcOptions, cc } from "../../transport/chunnels/control/cc.ts";
import type { CongestionWindow } from "../../transport/chunnels/control/window.ts";
import { OpenStack } from "../../transport/stack/open.ts";
import { parseStack } from "../../transport/stack/registry.ts";
import { type ChunnelSpec, checkStack } from "../../transport/stack/spec.ts";
import { networkClock } from "../../transport/worlds/network-clock.ts";
import { seededSurroundings } from "../../transport/worlds/virtual-clock.ts";
import { NetworkRunFlow } from "../network-flow.ts";
import type { PlannedFlow } from "../simulated/network-plan.ts";
import { counting, StackBooks } from "./books.ts";
import { StackData } from "./data.ts";
import { type DatagramCarrier, DatagramPaths } from "./datagram-paths.ts";
import { DATAGRAM_HEADER_BYTES } from "./sizes.ts";

/** IPv4 and TCP headers with timestamps: a packet counts in windows as TCP's does, whatever the chunnels add. */
const TCP_HEADER_BYTES = 52;

interface StackParts {
  readonly stack: StackSpec;
  /** where the scenario has it, such as `flows.0.stack` */
  readonly where: string;
  /** its application goes on, or ends, when all has arrived */
  readonly isAwaited: boolean;
  readonly spec: FlowSpec;
}

/** @throws CcparkError (invalid-argument, not-found) that names the chunnel */
function specsOf(
  { stack, where, isAwaited, spec }: StackParts,
  mtuBytes: Bytes,
  books: StackBooks,
): ChunnelSpec[] {
  const specs = parseStack(stack, where);
  const at = specs.findIndex(({ name }) => name === "cc");
  const { group, mssBytes } = specs[at]!.options as CcOptions;
  const given = stack[at]!;
  const size = typeof given === "object" && "mssBytes" in given ? mssBytes! : mtuBytes - TCP_HEADER_BYTES;
  const made = [...specs];
  made.splice(at, 1, cc({ algorithm: spec.control, group: group!, mssBytes: size }), counting(books));
  const { kind, labels } = checkStack(made, where);
  if (kind !== "bytes")
    throw refusal(where, `a stack that takes ${kind}`, "one that takes bytes: a stream is sent");
  if (!labels.has("once"))
    throw refusal(
      where,
      "a stack that may deliver twice",
      "`order` or `once` in it: what arrives is counted",
    );
  if (isAwaited && !labels.has("reliable"))
    throw refusal(
      where,
      "a stack that may lose",
      "`reliable` in it: its application waits until all has come",
    );
  return made;
}

function refusal(where: string, got: string, expected: string): CcparkError {
  return new CcparkError("invalid-argument", `[transport] ${where}: got ${got}, expected ${expected}`, {
    field: `scenario.${where}`,
  });
}

/** A flow's two ends. */
class StackPair {
  readonly books = new StackBooks();
  readonly data: StackData;
  window: CongestionWindow | undefined;
  readonly parts: StackParts;
  readonly #specs: readonly ChunnelSpec[];
  #client: OpenStack | undefined;

  constructor(parts: StackParts, mtuBytes: Bytes, rng: Rng) {
    this.parts = parts;
    this.#specs = specsOf(parts, mtuBytes, this.books).map((spec) =>
      spec.name === "cc" ? this.#noticing(spec) : spec,
    );
    const payload = rng.fork("payload");
    this.data = new StackData(Uint8Array.from({ length: parts.spec.mssBytes! }, () => payload.integer(256)));
  }

  #noticing(spec: ChunnelSpec): ChunnelSpec {
    const make: ChunnelSpec["make"] = (surroundings, place) => {
      const chunnel = spec.make(surroundings, place) as Cc;
      if (place.side === "client") this.window = chunnel.window;
      return chunnel;
    };
    return { ...spec, make };
  }

  begin(options: {
    readonly network: GeneralNetwork;
    readonly flow: GeneralFlow;
    readonly paths: DatagramPaths;
    readonly path: number;
    readonly maxBytes: Bytes;
    readonly clients: Surroundings;
    readonly servers: Surroundings;
  }): void {
    const { network, flow, paths, path, maxBytes, clients, servers } = options;
    const { statistics } = flow;
    flow.servedBytesAtStart = network.forward.servedBytes(network.nowNs);
    paths.watch(2 * path, {
      onIn: (delayNs, { queuedNs, isCorrupt }, nowNs) => {
        if (isCorrupt) flow.droppedPackets++;
        statistics.onDequeue(nowNs, queuedNs / NANOS_PER_MICRO);
        statistics.onTaken(nowNs, delayNs, nowNs);
        flow.arrivedPackets++;
      },
      onDrop: () => {
        flow.droppedPackets++;
      },
    });
    const stackOf = (
      side: "client" | "server",
      surroundings: Surroundings,
      app: ConstructorParameters<typeof OpenStack>[0]["app"],
    ): OpenStack => {
      const port = paths.port(path, side, maxBytes, (datagram, from) => opened.arrive(datagram, from));
      const peer = `${side === "client" ? "server" : "client"} ${path}`;
      const stack =
        side === "client" ? this.#specs : this.#specs.map((spec) => (spec.name === "cc" ? idle(spec) : spec));
      const opened: OpenStack = new OpenStack({ stack, surroundings, port, side, peer, app });
      return opened;
    };
    stackOf("server", servers, {
      receive: (messages) => {
        flow.firstArrivedPackets += messages.length;
        for (const _ of messages) statistics.onArrival(network.nowNs);
        flow.onArrival?.();
      },
    });
    const client = stackOf("client", clients, {
      receive: () => {},
      pull: (most) => this.data.pull(most),
      feedback: ({ acked }) => this.data.acknowledged(acked.length, network.nowNs),
      fail: (error) => {
        throw error;
      },
    });
    this.#client = client;
    this.data.offer = () => client.offer();
    // what is over is closed once those that told of it are through
    this.data.onComplete = () => network.schedule(network.nowNs, () => this.end(flow));
    this.books.onFate = ({ nowUs }) =>
      statistics.nextBinEndNs <= nowUs * NANOS_PER_MICRO &&
      statistics.onTime(nowUs * NANOS_PER_MICRO, this.cwndPackets);
    this.parts.spec.onStart?.(flow, network, this.data);
    client.offer();
  }

  get cwndPackets(): number {
    return this.window === undefined ? 0 : Math.floor(this.window.control.cwndBytes / this.window.mssBytes);
  }

  get hasBegun(): boolean {
    return this.#client !== undefined;
  }

  end(flow: GeneralFlow): void {
    flow.closed = true;
    this.#client?.close();
  }
}

/** The server's end has nothing to send but what its chunnels say: no agent decides there. */
function idle({ options }: ChunnelSpec): ChunnelSpec {
  return cc({ algorithm: "native-reno", mssBytes: (options as CcOptions).mssBytes! });
}

/** A flow of a scenario that is a stack. */
class StackRunFlow extends NetworkRunFlow {
  readonly #pair: StackPair;

  constructor(planned: PlannedFlow, flow: GeneralFlow, pair: StackPair) {
    super(planned, flow);
    this.#pair = pair;
  }

  override get hasStarted(): boolean {
    return this.#pair.hasBegun;
  }

  override get isComplete(): boolean {
    return this.#pair.data.isComplete;
  }

  override get acks(): number {
    return this.#pair.books.acks;
  }

  override get sentPackets(): number {
    return this.#pair.books.sentPackets;
  }

  override get deliveredPackets(): number {
    return this.#pair.books.deliveredPackets;
  }

  override get lostPackets(): number {
    return this.#pair.books.lostPackets;
  }

  override get timeouts(): number {
    return this.#pair.books.timeouts;
  }

  override get inflightPackets(): number {
    return this.#pair.books.inflightPackets;
  }

  override get cwndPackets(): number {
    return this.#pair.cwndPackets;
  }

  override get pacingRateBytesPerSec(): BytesPerSec | undefined {
    return this.#pair.window?.control.pacingRateBytesPerSec;
  }

  override get srttUs(): Micros {
    return this.#pair.books.srttUs;
  }

  override get minRttUs(): Micros {
    return this.#pair.books.minRttUs;
  }
}

export class StackFlows {
  /** where its datagrams come out */
  readonly paths: DatagramPaths;
  readonly outside: OutsideSpec;
  readonly #pairs: ReadonlyMap<number, StackPair>;
  readonly #rng: Rng;
  readonly #mtuBytes: Bytes;

  /**
   * @param planned flows of the run; those with a `stack` are these
   * @param carrier absent: virtual time
   * @throws CcparkError (invalid-argument, not-found) for a stack that does not fit, or does not carry what its application sends
   */
  constructor(planned: readonly PlannedFlow[], mtuBytes: Bytes, rng: Rng, carrier?: DatagramCarrier) {
    this.#rng = rng.fork("stacks");
    this.#mtuBytes = mtuBytes;
    this.paths = new DatagramPaths(carrier);
    const pairs = new Map<number, StackPair>();
    planned.forEach(({ id, stack, spec }, place) => {
      if (stack === undefined) return;
      const { chunnels, where, isAwaited } = stack;
      const parts = { stack: chunnels, where, isAwaited, spec };
      pairs.set(place, new StackPair(parts, mtuBytes, this.#rng.fork(id)));
    });
    this.#pairs = pairs;
    this.outside = { paths: [...pairs.values()].map(({ parts }) => parts.spec), flows: pairs.size };
  }

  /** Before the network runs. */
  attach(network: GeneralNetwork): void {
    this.paths.attach(network);
    const clock = networkClock(network);
    const clients = seededSurroundings(clock, this.#rng.fork("clients"));
    const servers = seededSurroundings(clock, this.#rng.fork("servers"));
    const maxBytes = this.#mtuBytes - DATAGRAM_HEADER_BYTES;
    let path = 0;
    for (const [place, pair] of this.#pairs) {
      const flow = network.flows[place]!;
      const at = { network, flow, paths: this.paths, path: path++, maxBytes, clients, servers };
      const { startNs, stopNs } = pair.parts.spec;
      network.schedule(startNs, () => pair.begin(at));
      if (stopNs < Number.POSITIVE_INFINITY) network.schedule(stopNs, () => pair.end(flow));
    }
  }

  /** The flow of this place; undefined: it is no stack. */
  flowAt(place: number, planned: PlannedFlow, network: Network): NetworkRunFlow | undefined {
    const pair = this.#pairs.get(place);
    return pair && new StackRunFlow(planned, network.flows[place] as GeneralFlow, pair);
  }
}
