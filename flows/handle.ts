/**
 * The name of a flow apart from its endpoints: 128 bits that whoever makes a flow draws by itself, so that no two are equal and
 * nobody has to be asked. `creator` is drawn by a process, `registry` by each of its workers, `local` counts.
 *
 *   0123456789abcdef.01234567.00000001        creator (64 bits) . registry (32) . local (32), hexadecimal
 */
import { CcparkError, showValue } from "../core/errors.ts";

const TWO_32 = 2 ** 32;
const TWO_64 = 2n ** 64n;
const PRINTED = /^([0-9a-f]{16})\.([0-9a-f]{8})\.([0-9a-f]{8})$/;

/** A value: two handles are the same where their printed forms are. */
export class FlowHandle {
  /** 0 to 2^64 - 1 */
  readonly creator: bigint;
  /** 0 to 2^32 - 1, as `local` */
  readonly registry: number;
  readonly local: number;
  readonly #text: string;

  /** @throws CcparkError (invalid-argument) for a part that does not fit into its bits */
  constructor(creator: bigint, registry: number, local: number) {
    if (creator < 0n || creator >= TWO_64) throw outOfRange("creator", creator, "2^64 - 1");
    if (!isWord(registry)) throw outOfRange("registry", registry, "2^32 - 1");
    if (!isWord(local)) throw outOfRange("local", local, "2^32 - 1");
    this.creator = creator;
    this.registry = registry;
    this.local = local;
    this.#text = [
      creator.toString(16).padStart(16, "0"),
      registry.toString(16).padStart(8, "0"),
      local.toString(16).padStart(8, "0"),
    ].join(".");
  }

  /** Reads the printed form. @throws CcparkError (invalid-argument) */
  static parse(text: string): FlowHandle {
    const parts = PRINTED.exec(text);
    if (parts === null) {
      throw new CcparkError(
        "invalid-argument",
        `[flows] handle: got ${showValue(text)}, expected CREATOR.REGISTRY.LOCAL of 16, 8 and 8 hexadecimal digits`,
        { field: "handle" },
      );
    }
    return new FlowHandle(
      BigInt(`0x${parts[1]}`),
      Number.parseInt(parts[2]!, 16),
      Number.parseInt(parts[3]!, 16),
    );
  }

  equals(other: FlowHandle): boolean {
    return this.#text === other.#text;
  }

  toString(): string {
    return this.#text;
  }

  toJSON(): string {
    return this.#text;
  }
}

function isWord(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < TWO_32;
}

function outOfRange(part: string, value: bigint | number, most: string): CcparkError {
  return new CcparkError(
    "invalid-argument",
    `[flows] handle: ${part}: got ${value}, expected a whole number, 0 to ${most}`,
  );
}

/** Draws a whole number, 0 to 2^32 - 1: a run's generator where bytes must repeat, the system's where they must not. */
export type DrawWord = () => number;

export function drawCreator(draw: DrawWord): bigint {
  return (BigInt(draw()) << 32n) | BigInt(draw());
}

/** Makes handles that no other registry makes, whoever its creator is; when `local` has counted to its end, a new one is drawn. */
export class HandleRegistry {
  readonly creator: bigint;
  readonly #draw: DrawWord;
  #registry: number;
  #local = 0;

  /** @param creator absent: drawn */
  constructor(draw: DrawWord, creator: bigint = drawCreator(draw)) {
    this.creator = creator;
    this.#draw = draw;
    this.#registry = draw();
  }

  next(): FlowHandle {
    if (this.#local === TWO_32 - 1) {
      this.#registry = this.#draw();
      this.#local = 0;
    }
    this.#local += 1;
    return new FlowHandle(this.creator, this.#registry, this.#local);
  }
}
