/**
 * Brings the congestion control of `ccp.bpf.c` into the kernel, under a name of its own, by libbpf. It is there as long as this
 * process is: a link holds it, so that also a process that is killed leaves nothing behind.
 */
import { CcparkError } from "../../../core/errors.ts";
import type { Libc, Memory } from "../../host/libc.ts";
import { BPF_F_LINK, type Bpf, type MappedMap } from "./bpf.ts";
import { CCP_OBJECT } from "./generated/ccp-object.ts";
import { Ring } from "./ring.ts";

const LIBRARY = "libbpf.so.1";
/** What the object has in place of the name, twice. */
const PLACEHOLDER = "ccpark_________";
const NAME = /^[a-z][a-z0-9_]{0,14}$/;
const LOG_BYTES = 65_536;
const LOG_LINES = 6;

/** Sizes of `ccp.bpf.c`. */
export const SHELL = {
  maxFlows: 1024,
  maxPrograms: 64,
  slotBytes: 1280,
  agentBytes: 56,
  maxInitials: 220,
  programBytes: 1776,
} as const;

const DEFAULT_RING_BYTES = 1 << 22;
const TRACES_BYTES = 1 << 24;

type Pointer = bigint | null;
type Call = (...args: readonly (number | bigint | string | Memory | null)[]) => number | bigint | null;

class LibBpf {
  readonly openMem: Call;
  readonly load: Call;
  readonly closeObject: Call;
  readonly findMap: Call;
  readonly findProgram: Call;
  readonly mapFd: Call;
  readonly programFd: Call;
  readonly setMapFlags: Call;
  readonly setMaxEntries: Call;
  readonly initialValue: Call;
  readonly attachStructOps: Call;
  readonly linkFd: Call;
  readonly disconnectLink: Call;
  readonly destroyLink: Call;

  constructor(libc: Libc) {
    let of: (prototype: string) => Call;
    try {
      of = libc.load(LIBRARY) as (prototype: string) => Call;
    } catch (cause) {
      const message = `[linux] no ${LIBRARY}: apt-get install libbpf1 (iproute2 comes with it)`;
      throw new CcparkError("unavailable", message, { cause });
    }
    of("void *libbpf_set_print(void *)")(null);
    this.openMem = of("void *bpf_object__open_mem(void *, size_t, void *)");
    this.load = of("int bpf_object__load(void *)");
    this.closeObject = of("void bpf_object__close(void *)");
    this.findMap = of("void *bpf_object__find_map_by_name(void *, str)");
    this.findProgram = of("void *bpf_object__find_program_by_name(void *, str)");
    this.mapFd = of("int bpf_map__fd(void *)");
    this.programFd = of("int bpf_program__fd(void *)");
    this.setMapFlags = of("int bpf_map__set_map_flags(void *, uint32_t)");
    this.setMaxEntries = of("int bpf_map__set_max_entries(void *, uint32_t)");
    this.initialValue = of("void *bpf_map__initial_value(void *, void *)");
    this.attachStructOps = of("void *bpf_map__attach_struct_ops(void *)");
    this.linkFd = of("int bpf_link__fd(void *)");
    this.disconnectLink = of("void bpf_link__disconnect(void *)");
    this.destroyLink = of("int bpf_link__destroy(void *)");
  }
}

/** The object with the name of the instance. */
function objectNamed(name: string): Uint8Array {
  const object = Buffer.from(CCP_OBJECT, "base64");
  const written = Buffer.from(name.padEnd(PLACEHOLDER.length, "\0"), "ascii");
  for (let at = object.indexOf(PLACEHOLDER); at >= 0; at = object.indexOf(PLACEHOLDER, at)) {
    written.copy(object, at);
  }
  return object;
}

/** `struct bpf_object_open_opts` with a buffer for the verifier's words. */
function optionsWithLog(libc: Libc, log: Uint8Array): Uint8Array {
  const options = new Uint8Array(80);
  const view = new DataView(options.buffer);
  view.setBigUint64(0, 80n, true);
  view.setBigUint64(56, libc.address(log), true);
  view.setBigUint64(64, BigInt(log.length), true);
  view.setUint32(72, 1, true);
  return options;
}

export interface ShellOptions {
  /** as `setsockopt(TCP_CONGESTION)` has it: at most 15 lower-case letters, digits and _ */
  readonly name: string;
  /** room for reports that the agent has not read, a power of 2 from 4,096 on; default 4 MiB */
  readonly ringBytes?: number;
  /** every invocation leaves the registers before and after it: for tests */
  readonly isTracing?: boolean;
}

export class Shell {
  readonly name: string;
  readonly slots: MappedMap;
  readonly agents: MappedMap;
  readonly programs: MappedMap;
  readonly reports: Ring;
  /** of a shell that traces */
  readonly traces: Ring | undefined;
  readonly flowsFd: number;
  readonly jumpsFd: number;
  readonly #bpf: Bpf;
  readonly #lib: LibBpf;
  readonly #ringBytes: number;
  readonly #object: Pointer;
  #link: (() => void) | undefined;

  /**
   * Loads it; nobody can choose it yet.
   * @throws CcparkError (unavailable) without libbpf, (permission-denied) without root, and with the verifier's words
   */
  constructor(libc: Libc, bpf: Bpf, options: ShellOptions) {
    const { name, isTracing = false, ringBytes = DEFAULT_RING_BYTES } = options;
    if (!NAME.test(name)) {
      const expected = "expected at most 15 lower-case letters, digits and _, a letter first";
      throw new CcparkError("invalid-argument", `[linux] name of the algorithm: got ${name}, ${expected}`);
    }
    this.name = name;
    this.#bpf = bpf;
    this.#lib = new LibBpf(libc);
    this.#ringBytes = ringBytes;
    this.#object = this.#load(libc, isTracing, undefined) ?? this.#refuse(libc, isTracing);
    try {
      this.flowsFd = this.#mapFd("flows");
      this.jumpsFd = this.#mapFd("jumps");
      this.slots = bpf.mapValues(this.#mapFd("slots"), SHELL.slotBytes * SHELL.maxFlows);
      this.agents = bpf.mapValues(this.#mapFd("agents"), SHELL.agentBytes);
      const programBytes = SHELL.programBytes * (SHELL.maxPrograms + 1);
      this.programs = bpf.mapValues(this.#mapFd("programs"), programBytes);
      this.reports = new Ring(libc, this.#mapFd("reports"), ringBytes);
      if (isTracing) this.traces = new Ring(libc, this.#mapFd("traces"), TRACES_BYTES);
      bpf.updateMap(this.jumpsFd, 0, new Uint8Array(Uint32Array.of(this.#programFd("ccp_post")).buffer));
    } catch (error) {
      this.#lib.closeObject(this.#object);
      throw error;
    }
  }

  /** @returns null: the kernel did not take it */
  #load(libc: Libc, isTracing: boolean, log: Uint8Array | undefined): Pointer {
    const lib = this.#lib;
    const bytes = objectNamed(this.name);
    const options = log === undefined ? null : optionsWithLog(libc, log);
    const object = lib.openMem(bytes, bytes.length, options) as Pointer;
    if (object === null) throw libc.failure("bpf_object__open_mem");
    lib.setMapFlags(lib.findMap(object, "ccp") as Pointer, BPF_F_LINK);
    lib.setMaxEntries(lib.findMap(object, "reports") as Pointer, this.#ringBytes);
    if (isTracing) {
      lib.setMaxEntries(lib.findMap(object, "traces") as Pointer, TRACES_BYTES);
      this.#trace(libc, object);
    }
    if (lib.load(object) === 0) return object;
    const errno = libc.errno();
    lib.closeObject(object);
    if (libc.errnoName(errno) !== "EPERM") return null;
    const message =
      "[linux] the kernel does not let this user load programs: needs root (CAP_BPF, CAP_NET_ADMIN)";
    throw new CcparkError("permission-denied", message);
  }

  /** `tracing` of the object's constants: behind the 16 bytes of the name. */
  #trace(libc: Libc, object: Pointer): void {
    const size = new BigUint64Array(16);
    const value = this.#lib.initialValue(this.#lib.findMap(object, ".rodata") as Pointer, size) as bigint;
    new Uint8Array(libc.view(value, Number(size[0])))[16] = 1;
  }

  #refuse(libc: Libc, isTracing: boolean): never {
    const log = new Uint8Array(LOG_BYTES);
    this.#lib.closeObject(this.#load(libc, isTracing, log));
    const words = new TextDecoder().decode(log.subarray(0, Math.max(0, log.indexOf(0))));
    const last = words.trim().split("\n").slice(-LOG_LINES).join("; ");
    throw new CcparkError("unavailable", `[linux] the kernel does not take the congestion control: ${last}`);
  }

  #mapFd(name: string): number {
    return this.#lib.mapFd(this.#lib.findMap(this.#object, name) as Pointer) as number;
  }

  #programFd(name: string): number {
    return this.#lib.programFd(this.#lib.findProgram(this.#object, name) as Pointer) as number;
  }

  /**
   * Sockets may choose it by its name from now on, in every network namespace.
   * @throws CcparkError (already-exists) if there is a congestion control of that name
   */
  attach(libc: Libc): void {
    const lib = this.#lib;
    const map = lib.findMap(this.#object, "ccp") as Pointer;
    const link = lib.attachStructOps(map) as Pointer;
    if (link === null) throw this.#attachFailure(libc);
    const mapFd = lib.mapFd(map) as number;
    if (lib.linkFd(link) !== mapFd) {
      // libbpf from 1.2 on has made the link itself
      this.#link = () => lib.destroyLink(link);
      return;
    }
    lib.disconnectLink(link);
    lib.destroyLink(link);
    try {
      const fd = this.#bpf.linkStructOps(mapFd);
      this.#link = () => this.#bpf.close(fd);
    } catch (cause) {
      throw this.#attachFailure(libc, cause);
    }
  }

  #attachFailure(libc: Libc, cause?: unknown): CcparkError {
    if (libc.errnoName(libc.errno()) !== "EEXIST") {
      return new CcparkError("unavailable", `[linux] ${this.name}: ${libc.errnoName(libc.errno())}`, {
        cause,
      });
    }
    const message = `[linux] there is a congestion control \`${this.name}\` already: choose another name`;
    return new CcparkError("already-exists", message, { cause });
  }

  /**
   * Sockets of the calling thread's network namespace that run under an instance of the same name that is gone come under this
   * one.
   */
  adoptSockets(): void {
    this.#bpf.runIterator(this.#programFd("ccp_adopt"));
  }

  /** Nobody can choose it any more; sockets that run under it go on, natively. */
  close(): void {
    this.#link?.();
    this.#link = undefined;
    this.reports.close();
    this.traces?.close();
    for (const map of [this.slots, this.agents, this.programs]) map.close();
    this.#lib.closeObject(this.#object);
  }
}
