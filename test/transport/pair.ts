/** Two ends of a stack over memory with faults, in virtual time. */
import type { CcparkError } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import type { Message } from "../../transport/chunnel.ts";
import { type App, OpenStack } from "../../transport/stack/open.ts";
import type { ChunnelSpec } from "../../transport/stack/spec.ts";
import { MemoryNetwork, type MemoryPath } from "../../transport/worlds/memory.ts";
import { seededSurroundings, VirtualClock } from "../../transport/worlds/virtual-clock.ts";

export class End implements App {
  readonly received: Message[] = [];
  readonly acked: Message[] = [];
  readonly lost: Message[] = [];
  error: CcparkError | undefined;
  stack!: OpenStack;
  onMessage: ((message: Message) => void) | undefined;
  source: ((most: number) => readonly Message[]) | undefined;

  receive(messages: readonly Message[]): void {
    this.received.push(...messages);
    for (const message of messages) this.onMessage?.(message);
  }
  feedback({ acked, lost }: { acked: readonly Message[]; lost: readonly Message[] }): void {
    this.acked.push(...acked);
    this.lost.push(...lost);
  }
  pull(most: number): readonly Message[] {
    return this.source?.(most) ?? [];
  }
  fail(error: CcparkError): void {
    this.error = error;
  }
  get texts(): string[] {
    return this.received.map(({ data }) =>
      data instanceof Uint8Array ? new TextDecoder().decode(data) : String(data),
    );
  }
}

export class Pair {
  readonly clock: VirtualClock = new VirtualClock();
  readonly rng: Rng;
  readonly network: MemoryNetwork;
  path: MemoryPath;
  client!: End;
  server!: End;
  #session = 0;

  constructor(
    stack: readonly ChunnelSpec[],
    seed: number,
    path: MemoryPath,
    serverStack: readonly ChunnelSpec[] = stack,
  ) {
    this.rng = Rng.fromSeed(seed);
    this.path = path;
    this.network = new MemoryNetwork(this.clock, this.rng.fork("network"), { path: () => this.path });
    this.restart(stack, serverStack);
  }

  /** Both ends anew: what is under way is of another session. */
  restart(stack: readonly ChunnelSpec[], serverStack: readonly ChunnelSpec[] = stack): void {
    this.client?.stack.close();
    this.server?.stack.close();
    this.#session++;
    const session = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, this.#session);
    this.client = this.#open("client", stack, session);
    this.server = this.#open("server", serverStack, session);
  }

  #open(side: "client" | "server", stack: readonly ChunnelSpec[], session: Uint8Array): End {
    const end = new End();
    const port = this.network.host(side, (datagram, from) => end.stack.arrive(datagram, from));
    const peer = side === "client" ? "server" : "client";
    const surroundings = seededSurroundings(this.clock, this.rng.fork(`${side} ${this.#session}`));
    end.stack = new OpenStack({ stack, surroundings, port, side, app: end, peer, session });
    return end;
  }

  run(sec: number, isOver?: () => boolean): void {
    this.clock.run(this.clock.nowUs + sec * 1e6, isOver);
  }
}

export function text(value: string): Message {
  return { data: new TextEncoder().encode(value) };
}

/** Sends all, as there is room. */
export function feed(end: End, messages: readonly Message[]): void {
  let next = 0;
  end.source = (most) => {
    const some = messages.slice(next, next + most);
    next += some.length;
    return some;
  };
  end.stack.offer();
}
