/** Nodes of P2's experiments: the same stack at each of them, over memory in virtual time. */
import { Rng } from "../../../core/random.ts";
import type { Message } from "../../../transport/chunnel.ts";
import { type App, OpenStack } from "../../../transport/stack/open.ts";
import type { ChunnelSpec } from "../../../transport/stack/spec.ts";
import { MemoryNetwork, type MemoryOptions } from "../../../transport/worlds/memory.ts";
import { seededSurroundings, VirtualClock } from "../../../transport/worlds/virtual-clock.ts";

export const P2_SOURCE =
  "Condie, Hellerstein, Maniatis, Rhea and Roscoe, HotNets 2005 (componentized transport protocols)";

export type OnEvent = (node: string, event: Readonly<Record<string, unknown>>) => void;

export class Nodes {
  readonly clock: VirtualClock = new VirtualClock();
  readonly network: MemoryNetwork;
  readonly #rng: Rng;

  constructor(seed: number, path: MemoryOptions["path"]) {
    this.#rng = Rng.fromSeed(seed);
    this.network = new MemoryNetwork(this.clock, this.#rng.fork("network"), { path });
  }

  /** The generator of an effect. */
  fork(effect: string): Rng {
    return this.#rng.fork(effect);
  }

  add(name: string, stack: readonly ChunnelSpec[], app: App, onEvent?: OnEvent): OpenStack {
    let opened: OpenStack | undefined;
    const port = this.network.host(name, (datagram, from) => opened?.arrive(datagram, from));
    const trace = onEvent && ((event: Readonly<Record<string, unknown>>) => onEvent(name, event));
    const surroundings = seededSurroundings(this.clock, this.#rng.fork(name), trace);
    opened = new OpenStack({ stack, surroundings, port, side: "client", app });
    return opened;
  }
}

/** Numbers of eight bytes each. */
export function numbersMessage(numbers: readonly number[], bytes: number, to?: string): Message {
  const data = new Uint8Array(Math.max(bytes, 8 * numbers.length));
  const view = new DataView(data.buffer);
  numbers.forEach((value, i) => {
    view.setFloat64(8 * i, value);
  });
  return { data, to };
}

export function numberAt({ data }: Message, i: number): number {
  const bytes = data as Uint8Array;
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(8 * i);
}

/** The value that so large a share lies at or below. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}
