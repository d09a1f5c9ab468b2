/**
 * Mahimahi's shells around a socket: the command inside of them is a small Node process that makes a UDP socket there and hands
 * it over, so that this process has both ends. It waits until this process lets go of it or ends, and the shells end with it.
 *
 *   inside ──UDP──▶ mm-loss ─▶ mm-link ─▶ mm-delay ──UDP──▶ outside        and the same back
 *
 * Behind root the first shell starts from a network namespace made for it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CcparkError } from "../../core/errors.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { sockaddrIn } from "../host/addresses.ts";
import { AF_INET, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK } from "../host/constants.ts";
import { loadLibc } from "../host/libc.ts";
import { makeNamespace, type Namespace, removeAbandoned } from "../host/namespaces.ts";
import { monotonicNs } from "../real-time/alarm.ts";
import { type Opportunities, planShells } from "./command-line.ts";
import { writeFiles } from "./run-shells.ts";
import { callerOfSudo, IP_FORWARD, isRoot, type ShellUser } from "./tools.ts";

/**
 * mm-link's trace begins when it does, before its command can send: so long before the run it must be there. Where the machine
 * takes longer the shells are started anew, for twice as long.
 */
const LEAD_MS = 1000;
const LONGEST_LEAD_MS = 16_000;
const LOOK_EVERY_MS = 20;
/** how long the shells may take to end by themselves */
const PATIENCE_MS = 3000;
/** who the shells of root are where nobody called it by sudo: nobody */
const NOBODY: ShellUser = { uid: 65_534, gid: 65_534 };
const BUFFER_BYTES = 8 << 20;
const NANOS_PER_MILLI = 1_000_000n;

/**
 * What runs inside. MAHIMAHI_BASE is the address of the outermost shell's outer end. Who is gone needs the shells no more: they end
 * with what runs in them.
 */
const INSIDE = `const socket = require("node:dgram").createSocket("udp4");
socket.bind(0, () => process.send(process.env.MAHIMAHI_BASE, socket, () => socket.close()));
process.on("disconnect", () => process.exit(0));
`;

/** What the two sockets say to each other before the run. */
const HELLO: Buffer = Buffer.from("hello");

let opened = 0;

interface ShellLog {
  readonly file: string;
  /** of its time, when the run begins; NaN: not known yet */
  zeroMs: number;
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The system's clock, which mm-link's logs go by, and the monotonic one at the same moment: when a millisecond begins. */
function clocks(): { readonly wallMs: number; readonly ns: bigint } {
  const before = Date.now();
  for (;;) {
    const wallMs = Date.now();
    if (wallMs !== before) return { wallMs, ns: monotonicNs() };
  }
}

/** When the shell began, on the system's clock, and what of its log's time its trace begins at; undefined: not yet. */
function headOf(file: string): { readonly initMs: number; readonly baseMs: number } | undefined {
  const text = existsSync(file) ? readFileSync(file, "latin1") : "";
  const at = (name: string): number =>
    Number(new RegExp(`^# ${name} timestamp: (\\d+)\n`, "m").exec(text)?.[1]);
  const [initMs, baseMs] = [at("init"), at("base")];
  return Number.isFinite(baseMs) ? { initMs, baseMs } : undefined;
}

/** One that forwards packets, for the shells of root; its name goes with the process. */
async function makeForwardingSpace(): Promise<{ readonly space: Namespace; release(): void }> {
  const libc = await loadLibc();
  removeAbandoned(libc);
  const space = makeNamespace(libc, `${opened++}-mahimahi`);
  const close = (): void => space.close();
  process.once("exit", close);
  space.run(() => writeFileSync(IP_FORWARD, "1\n"));
  const release = (): void => {
    process.off("exit", close);
    close();
  };
  return { space, release };
}

/** A UDP socket with a port of its own at an address of the namespace; absent: of this one. */
async function bindSocket(address: string, space: Namespace | undefined): Promise<Socket> {
  const socket = createSocket("udp4");
  const libc = space === undefined ? undefined : await loadLibc();
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    if (libc === undefined || space === undefined) {
      socket.bind(0, address, resolve);
      return;
    }
    const fd = space.run(() => libc.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC));
    libc.bind(fd, sockaddrIn(address, 0));
    socket.bind({ fd }, resolve);
  });
  socket.removeAllListeners("error");
  socket.setRecvBufferSize(BUFFER_BYTES);
  return socket;
}

const connect = (socket: Socket, port: number, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.connect(port, address, (error?: Error) => (error === undefined ? resolve() : reject(error)));
  });

export class Shells {
  /** as one would type it */
  readonly commandLine: readonly string[];
  readonly uplink: ShellLog;
  readonly downlink: ShellLog;
  /** when the time of the first opportunity begins, on the monotonic clock */
  zeroNs = 0n;
  readonly #folder: string;
  readonly #space: Namespace | undefined;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #leadMs: number;
  #said = "";
  #failure: CcparkError | undefined;
  #onFailure: ((error: CcparkError) => void) | undefined;
  /** address of the outermost shell's outer end */
  #base: string | undefined;
  #inside: Socket | undefined;
  #outside: Socket | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    scenario: Scenario,
    opportunities: Opportunities,
    leadMs: number,
    space: Namespace | undefined,
  ) {
    this.#leadMs = leadMs;
    this.#space = space;
    this.#folder = mkdtempSync(join(tmpdir(), "ccpark-mahimahi-"));
    const script = join(this.#folder, "inside.cjs");
    const { words, files, uplinkLog, downlinkLog } = planShells(
      scenario,
      opportunities,
      this.#folder,
      leadMs,
    );
    this.uplink = { file: uplinkLog, zeroMs: Number.NaN };
    this.downlink = { file: downlinkLog, zeroMs: Number.NaN };
    const user = isRoot() ? (callerOfSudo() ?? NOBODY) : {};
    writeFiles(this.#folder, { ...files, [script]: INSIDE }, user);
    this.commandLine = [...words, process.execPath, script];
    const [program, ...args] = this.commandLine;
    const start = (): ChildProcess =>
      spawn(program!, args, { cwd: this.#folder, stdio: ["ignore", "ignore", "pipe", "ipc"], ...user });
    this.#child = space === undefined ? start() : space.run(start);
    this.#child.stderr!.on("data", (text) => {
      this.#said = `${this.#said}${text}`.slice(-2000);
    });
    this.#child.on("message", (base, handle) => {
      this.#base = String(base);
      this.#inside = handle as unknown as Socket;
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", (error) => this.#onEnd(`does not start: ${error.message}`, resolve));
      this.#child.once("exit", (code, signal) =>
        this.#onEnd(`ended with ${code ?? signal} before its time`, resolve),
      );
    });
  }

  #onEnd(what: string, resolve: () => void): void {
    resolve();
    if (this.#closing !== undefined) return;
    const said = this.#said.trim().split("\n").at(-1) ?? "";
    const message = `[mahimahi] ${this.commandLine[0]} ${what}${said === "" ? "" : `: ${said}`}`;
    this.#failure ??= new CcparkError("unavailable", message);
    this.#onFailure?.(this.#failure);
  }

  /** Told once, when they end before they are closed. */
  onFailure(call: (error: CcparkError) => void): void {
    this.#onFailure = call;
    if (this.#failure !== undefined) call(this.#failure);
  }

  /** of the sender of the scenario's forward direction */
  get inside(): Socket {
    return this.#inside!;
  }

  get outside(): Socket {
    return this.#outside!;
  }

  /** @returns whether both ends have met before the run's time has to begin @throws CcparkError when the shells end */
  async meet(): Promise<boolean> {
    const startedMs = Date.now();
    const until = async (isThere: () => boolean, lastMs: number): Promise<boolean> => {
      while (!isThere()) {
        if (this.#failure !== undefined) throw this.#failure;
        if (Date.now() > lastMs) return false;
        await wait(LOOK_EVERY_MS);
      }
      return true;
    };
    const logs = [this.uplink.file, this.downlink.file];
    const isBegun = (): boolean =>
      this.#inside !== undefined && logs.every((log) => headOf(log) !== undefined);
    if (!(await until(isBegun, startedMs + this.#leadMs))) return false;
    const [up, down] = logs.map((log) => headOf(log)!);
    const zeroWallMs = up!.initMs + up!.baseMs + this.#leadMs;
    const { wallMs, ns } = clocks();
    this.zeroNs = ns + BigInt(zeroWallMs - wallMs) * NANOS_PER_MILLI;
    this.uplink.zeroMs = up!.baseMs + this.#leadMs;
    this.downlink.zeroMs = down!.baseMs + this.#leadMs;
    return this.#introduce((isThere) => until(isThere, zeroWallMs - 1));
  }

  /** The outer end knows the inner one by the address that the shells give it, once it has heard of it. */
  async #introduce(until: (isThere: () => boolean) => Promise<boolean>): Promise<boolean> {
    const outside = await bindSocket(this.#base!, this.#space);
    this.#outside = outside;
    this.inside.setRecvBufferSize(BUFFER_BYTES);
    await connect(this.inside, outside.address().port, this.#base!);
    let heard: { readonly port: number; readonly address: string } | undefined;
    outside.once("message", (_, { port, address }) => {
      heard = { port, address };
    });
    const isHeard = (): boolean => {
      if (heard === undefined) this.inside.send(HELLO);
      return heard !== undefined;
    };
    if (!(await until(isHeard))) return false;
    await connect(outside, heard!.port, heard!.address);
    return true;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#inside?.close();
    this.#outside?.close();
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill("SIGTERM"), PATIENCE_MS);
    await this.#ended;
    clearTimeout(timer);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/**
 * Starts the shells, which takes `LEAD_MS` and more.
 * @returns when their two ends have met, a little before `zeroNs`
 * @throws CcparkError (unavailable) with what a shell said
 */
export async function openShells(
  scenario: Scenario,
  opportunities: Opportunities,
): Promise<{ readonly shells: Shells; close(): Promise<void> }> {
  const own = isRoot() ? await makeForwardingSpace() : undefined;
  try {
    for (let leadMs = LEAD_MS; leadMs <= LONGEST_LEAD_MS; leadMs *= 2) {
      const shells = new Shells(scenario, opportunities, leadMs, own?.space);
      let hasMet = false;
      try {
        hasMet = await shells.meet();
      } finally {
        if (!hasMet) await shells.close();
      }
      if (!hasMet) continue;
      const close = async (): Promise<void> => {
        await shells.close();
        own?.release();
      };
      return { shells, close };
    }
  } catch (error) {
    own?.release();
    throw error;
  }
  own?.release();
  throw new CcparkError(
    "unavailable",
    `[mahimahi] its shells were not ready within ${LONGEST_LEAD_MS / 1000} s: the machine is too busy, or loses all packets`,
  );
}
