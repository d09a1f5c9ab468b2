/** BTF, the kernel's description of its own types (Documentation/bpf/btf.rst): as much as a struct_ops program needs. */
import { readFileSync } from "node:fs";
import { CcparkError } from "../../../core/errors.ts";

const MAGIC = 0xeb9f;
const TYPE_BYTES = 12;
const KIND = { pointer: 2, structure: 4, functionProto: 13 } as const;
/** bytes behind a type: fixed, and for each of its members */
const TRAILERS: Readonly<Record<number, readonly [number, number]>> = {
  1: [4, 0],
  3: [12, 0],
  4: [0, 12],
  5: [0, 12],
  6: [0, 8],
  13: [0, 8],
  14: [4, 0],
  15: [0, 12],
  17: [4, 0],
  19: [0, 12],
};

export const KERNEL_BTF = "/sys/kernel/btf/vmlinux";

export class Btf {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #stringsAt: number;
  /** where the type with each number begins; 0 is void */
  readonly #types: number[] = [0];

  /** @throws CcparkError (invalid-argument) if these are not types in BTF */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const view = this.#view;
    if (bytes.length < 24 || view.getUint16(0, true) !== MAGIC) {
      throw new CcparkError("invalid-argument", "[bpf] got something else, expected types in BTF");
    }
    const headerBytes = view.getUint32(4, true);
    const from = headerBytes + view.getUint32(8, true);
    const to = from + view.getUint32(12, true);
    this.#stringsAt = headerBytes + view.getUint32(16, true);
    for (let at = from; at < to; ) {
      this.#types.push(at);
      const [fixed, perMember] = TRAILERS[this.#kind(at)] ?? [0, 0];
      at += TYPE_BYTES + fixed + perMember * this.#members(at);
    }
  }

  #kind(at: number): number {
    return (this.#view.getUint32(at + 4, true) >>> 24) & 0x1f;
  }

  #members(at: number): number {
    return this.#view.getUint32(at + 4, true) & 0xffff;
  }

  #name(offset: number): string {
    const from = this.#stringsAt + offset;
    return new TextDecoder().decode(this.#bytes.subarray(from, this.#bytes.indexOf(0, from)));
  }

  /** The number of a structure's type; undefined: there is none of that name. */
  structure(name: string): number | undefined {
    const found = this.#types.findIndex(
      (at) =>
        at > 0 && this.#kind(at) === KIND.structure && this.#name(this.#view.getUint32(at, true)) === name,
    );
    return found < 0 ? undefined : found;
  }

  /** A structure's members in their order, with the parameters of those that point to functions. */
  members(structId: number): { readonly name: string; readonly parameters: number | undefined }[] {
    const at = this.#types[structId]!;
    return Array.from({ length: this.#members(at) }, (_, i) => {
      const member = at + TYPE_BYTES + 12 * i;
      return {
        name: this.#name(this.#view.getUint32(member, true)),
        parameters: this.#parameters(this.#view.getUint32(member + 4, true)),
      };
    });
  }

  #parameters(type: number): number | undefined {
    const pointer = this.#types[type];
    if (!pointer || this.#kind(pointer) !== KIND.pointer) return undefined;
    const target = this.#types[this.#view.getUint32(pointer + 8, true)];
    return target && this.#kind(target) === KIND.functionProto ? this.#members(target) : undefined;
  }
}

/** `cong_control` in the running kernel: what a program that serves it is loaded with. */
export interface CongControlType {
  readonly structId: number;
  readonly index: number;
}

/** Parameters of `cong_control` since Linux 6.10; two before. */
const PARAMETERS = 4;

/**
 * @throws CcparkError (unavailable) in one sentence where the kernel has no BTF, knows no TCP congestion control in it, or is
 *   older than 6.10
 */
export function congControlType(path: string = KERNEL_BTF): CongControlType {
  const refuse = (why: string): CcparkError => new CcparkError("unavailable", `[linux] ${why}`);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const what = `no ${path}: the kernel was built without CONFIG_DEBUG_INFO_BTF`;
    throw new CcparkError("unavailable", `[linux] ${what}`, { cause });
  }
  const btf = new Btf(bytes);
  const structId = btf.structure("tcp_congestion_ops");
  if (structId === undefined) throw refuse("the kernel's BTF has no tcp_congestion_ops");
  const members = btf.members(structId);
  const index = members.findIndex(({ name }) => name === "cong_control");
  const parameters = members[index]?.parameters;
  if (parameters !== PARAMETERS) {
    throw refuse(
      `cong_control has ${parameters ?? "no"} parameters in this kernel, expected ${PARAMETERS}: needs Linux 6.10 or later`,
    );
  }
  return { structId, index };
}
