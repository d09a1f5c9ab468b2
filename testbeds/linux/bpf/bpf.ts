/** The bpf(2) system call: maps, programs, links. What fails is a `SystemCallError`; a program's also has the verifier's words. */
import { CcparkError } from "../../../core/errors.ts";
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "../../host/constants.ts";
import { type Libc, type Memory, SystemCallError } from "../../host/libc.ts";

const BPF_CALL: Readonly<Record<string, number>> = { x64: 321, arm64: 280, riscv64: 280 };

const COMMAND = {
  mapCreate: 0,
  mapLookup: 1,
  mapUpdate: 2,
  progLoad: 5,
  progTestRun: 10,
  mapNextId: 12,
  mapById: 14,
  objectInfo: 15,
  linkCreate: 28,
  iteratorCreate: 33,
} as const;

export const MAP_TYPE = { array: 2 } as const;
export const PROGRAM_TYPE = { schedCls: 3, structOps: 27 } as const;
export const ATTACH_TYPE = { iterator: 28, structOps: 44 } as const;
/** flags of maps */
export const BPF_F_MMAPABLE = 0x400;
export const BPF_F_LINK = 0x2000;

const ATTRIBUTES_BYTES = 160;
const LOG_BYTES = 65_536;
/** Verifier's last words that an error quotes. */
const LOG_LINES = 6;
const LICENCE: Uint8Array = new TextEncoder().encode("Dual MIT/GPL\0".padEnd(64, "\0"));
const INSTRUCTION_BYTES = 8;
/** A frame of Ethernet, the least that a test run takes. */
const PACKET: Uint8Array = new Uint8Array(64);
const PAGE_BYTES = 4096;

/** Small arrays move; what the kernel is given the address of must not. */
function settled(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(Math.max(bytes.length, ATTRIBUTES_BYTES));
  copy.set(bytes);
  return copy;
}

export interface MappedMap {
  readonly fd: number;
  readonly bytes: ArrayBuffer;
  /** `bytes` must not be touched afterwards. */
  close(): void;
}

export interface ProgramToLoad {
  readonly type: number;
  /** 8 bytes per instruction */
  readonly instructions: Uint8Array;
  /** of a struct_ops program: the member that it serves, and the type of the structure in the kernel's BTF */
  readonly member?: { readonly index: number; readonly structId: number };
  /** at most 15 bytes */
  readonly name: string;
}

export class Bpf {
  readonly #libc: Libc;
  readonly #number: number;
  readonly #attributes: Uint8Array = new Uint8Array(ATTRIBUTES_BYTES);
  readonly #view: DataView = new DataView(this.#attributes.buffer);

  /** @throws CcparkError (unavailable) on an architecture whose number of the call is not known here */
  constructor(libc: Libc) {
    this.#libc = libc;
    const number = BPF_CALL[process.arch];
    if (number === undefined) {
      throw new CcparkError("unavailable", `[bpf] got ${process.arch}, expected x64, arm64 or riscv64`);
    }
    this.#number = number;
  }

  #call(what: string, command: number, bytes: number): number {
    return this.#libc.syscall(what, this.#number, command, this.#attributes, bytes);
  }

  #clear(): DataView {
    this.#attributes.fill(0);
    return this.#view;
  }

  #address(memory: Memory): bigint {
    return this.#libc.address(memory);
  }

  /** @returns a descriptor */
  createMap(options: {
    readonly type: number;
    readonly keyBytes: number;
    readonly valueBytes: number;
    readonly entries: number;
    readonly flags?: number;
    readonly name: string;
  }): number {
    const view = this.#clear();
    view.setUint32(0, options.type, true);
    view.setUint32(4, options.keyBytes, true);
    view.setUint32(8, options.valueBytes, true);
    view.setUint32(12, options.entries, true);
    view.setUint32(16, options.flags ?? 0, true);
    this.#writeName(28, options.name);
    return this.#call("bpf map create", COMMAND.mapCreate, 72);
  }

  #writeName(at: number, name: string): void {
    this.#attributes.set(new TextEncoder().encode(name.slice(0, 15)), at);
  }

  /** An array map with its values mapped. @param valueBytes a multiple of 8 */
  createMappedArray(name: string, valueBytes: number, entries: number): MappedMap {
    const fd = this.createMap({
      type: MAP_TYPE.array,
      keyBytes: 4,
      valueBytes,
      entries,
      flags: BPF_F_MMAPABLE,
      name,
    });
    const map = this.mapValues(fd, valueBytes * entries);
    const close = (): void => {
      map.close();
      this.close(fd);
    };
    return { ...map, close };
  }

  /** Maps the values of an array map; its descriptor stays the caller's. */
  mapValues(fd: number, valuesBytes: number): MappedMap {
    const length = Math.ceil(valuesBytes / PAGE_BYTES) * PAGE_BYTES;
    const { address, bytes } = this.#libc.mmap(length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return { fd, bytes, close: () => this.#libc.munmap(address, length) };
  }

  /** @param value as long as the map's values */
  updateMap(fd: number, key: number, value: Uint8Array): void {
    const keyBytes = settled(new Uint8Array(Uint32Array.of(key).buffer));
    const valueBytes = settled(value);
    const view = this.#clear();
    view.setUint32(0, fd, true);
    view.setBigUint64(8, this.#address(keyBytes), true);
    view.setBigUint64(16, this.#address(valueBytes), true);
    this.#call("bpf map update", COMMAND.mapUpdate, 32);
  }

  /** @param length of the map's values */
  lookUp(fd: number, key: number, length: number): Uint8Array {
    const keyBytes = settled(new Uint8Array(Uint32Array.of(key).buffer));
    const valueBytes = settled(new Uint8Array(length));
    const view = this.#clear();
    view.setUint32(0, fd, true);
    view.setBigUint64(8, this.#address(keyBytes), true);
    view.setBigUint64(16, this.#address(valueBytes), true);
    this.#call("bpf map look-up", COMMAND.mapLookup, 32);
    return valueBytes.subarray(0, length);
  }

  /**
   * @returns a descriptor
   * @throws SystemCallError with the verifier's last words
   */
  loadProgram(program: ProgramToLoad): number {
    const instructions = settled(program.instructions);
    try {
      return this.#load(program, instructions, undefined);
    } catch (error) {
      if (!(error instanceof SystemCallError) || error.errnoName === "EPERM") throw error;
      throw this.#explained(program, instructions, error);
    }
  }

  #load(program: ProgramToLoad, instructions: Uint8Array, log: Uint8Array | undefined): number {
    const view = this.#clear();
    view.setUint32(0, program.type, true);
    view.setUint32(4, program.instructions.length / INSTRUCTION_BYTES, true);
    view.setBigUint64(8, this.#address(instructions), true);
    view.setBigUint64(16, this.#address(LICENCE), true);
    if (log !== undefined) {
      view.setUint32(24, 1, true);
      view.setUint32(28, log.length, true);
      view.setBigUint64(32, this.#address(log), true);
    }
    this.#writeName(48, program.name);
    if (program.member !== undefined) {
      view.setUint32(68, program.member.index, true);
      view.setUint32(108, program.member.structId, true);
    }
    return this.#call("bpf program load", COMMAND.progLoad, 128);
  }

  /** A second attempt that the verifier says something about: its log costs time. */
  #explained(program: ProgramToLoad, instructions: Uint8Array, cause: SystemCallError): SystemCallError {
    const log = new Uint8Array(LOG_BYTES);
    try {
      this.#libc.close(this.#load(program, instructions, log));
    } catch {}
    const words = new TextDecoder().decode(log.subarray(0, Math.max(0, log.indexOf(0))));
    const last = words.trim().split("\n").slice(-LOG_LINES).join("; ");
    return new SystemCallError(
      cause.call,
      cause.errno,
      cause.errnoName,
      `${program.name} (verifier: ${last})`,
    );
  }

  /** Runs a schedCls program. @returns what it returned, and the mean time of one run */
  testRun(fd: number, repeat = 1): { readonly result: number; readonly durationNs: number } {
    const view = this.#clear();
    view.setUint32(0, fd, true);
    view.setUint32(8, PACKET.length, true);
    view.setBigUint64(16, this.#address(PACKET), true);
    view.setUint32(32, repeat, true);
    this.#call("bpf test run", COMMAND.progTestRun, 80);
    return { result: view.getUint32(4, true), durationNs: view.getUint32(36, true) };
  }

  /** Information on a map, program or link, as the kernel's structure of it. */
  info(fd: number, length: number): DataView {
    const bytes = settled(new Uint8Array(length));
    const view = this.#clear();
    view.setUint32(0, fd, true);
    view.setUint32(4, length, true);
    view.setBigUint64(8, this.#address(bytes), true);
    this.#call("bpf object info", COMMAND.objectInfo, 16);
    return new DataView(bytes.buffer, 0, length);
  }

  /** Numbers of all maps in the kernel. */
  mapIds(): number[] {
    const ids: number[] = [];
    for (let id = 0; ; ) {
      const view = this.#clear();
      view.setUint32(0, id, true);
      try {
        this.#call("bpf map next", COMMAND.mapNextId, 12);
      } catch (error) {
        if (error instanceof SystemCallError && error.errnoName === "ENOENT") return ids;
        throw error;
      }
      id = view.getUint32(4, true);
      ids.push(id);
    }
  }

  /** @returns a descriptor; undefined: the map went after its number was told */
  openMap(id: number): number | undefined {
    this.#clear().setUint32(0, id, true);
    try {
      return this.#call("bpf map open", COMMAND.mapById, 12);
    } catch (error) {
      if (error instanceof SystemCallError && error.errnoName === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Puts a struct_ops map into effect for as long as the descriptor that this returns is open. */
  linkStructOps(mapFd: number): number {
    const view = this.#clear();
    view.setUint32(0, mapFd, true);
    view.setUint32(8, ATTACH_TYPE.structOps, true);
    return this.#call("bpf link create", COMMAND.linkCreate, 48);
  }

  /** Runs an iterator's program over all that it goes through. */
  runIterator(programFd: number): void {
    let view = this.#clear();
    view.setUint32(0, programFd, true);
    view.setUint32(8, ATTACH_TYPE.iterator, true);
    const link = this.#call("bpf link create", COMMAND.linkCreate, 48);
    try {
      view = this.#clear();
      view.setUint32(0, link, true);
      const iterator = this.#call("bpf iterator create", COMMAND.iteratorCreate, 8);
      const output = new Uint8Array(PAGE_BYTES);
      while (this.#libc.read(iterator, output) > 0);
      this.close(iterator);
    } finally {
      this.close(link);
    }
  }

  close(fd: number): void {
    this.#libc.close(fd);
  }
}
