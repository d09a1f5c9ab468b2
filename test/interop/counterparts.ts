/** The published CCP software as child processes: Portus agents and a libccp datapath, built from this folder's crate. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { outcomeOf } from "../cli/run-cli.ts";

const BUILD_SCRIPT = fileURLToPath(new URL("../setup/build-interop.sh", import.meta.url));
const BINARIES = fileURLToPath(new URL("target/release/", import.meta.url));
/** A cold build takes about a minute on two idle cores. */
export const BUILD_TIMEOUT_MS = 900_000;
const LISTENING_TIMEOUT_MS = 20_000;

/** `published`: Reno of generic_cong_avoid on Portus 0.7; `own`: a small Reno on Portus 0.9 */
export type RustReno = "published" | "own";

/** What the libccp datapath prints when its time is over. */
export interface DatapathOutcome {
  readonly creates: number;
  readonly reports: number;
  readonly sendsFailed: number;
  readonly messagesAccepted: number;
  readonly messagesRefused: number;
  readonly acksWithoutProgram: number;
  readonly invokeErrors: number;
  readonly cwndChanges: number;
  readonly largestCwndBytes: number;
  readonly lossEvents: number;
  readonly lostPackets: number;
  readonly timeouts: number;
  readonly goodputMbps: number;
}

/** Builds the crate if need be. False (with a printed reason) without a Rust toolchain; under CI=true that throws. */
export async function buildCounterparts(): Promise<boolean> {
  const { code, stdout, stderr } = await outcomeOf(spawn("bash", [BUILD_SCRIPT]));
  console.log(`${stdout}${stderr}`.trim());
  if (code !== 0) throw new Error(`the interop crate did not build: exit ${code}`);
  return existsSync(join(BINARIES, "interop-agent"));
}

/** Child processes and a folder for their sockets; all gone after `close`. */
export class Counterparts {
  readonly #folder: string = mkdtempSync(join(tmpdir(), "ccpark-interop-"));
  readonly #children: ChildProcess[] = [];
  #sockets = 0;

  newSocket(): string {
    this.#sockets += 1;
    return join(this.#folder, `${this.#sockets}.socket`);
  }

  /** Starts a Rust agent; the path of its socket once it listens. */
  async startAgent(reno: RustReno): Promise<string> {
    const socket = this.newSocket();
    await this.untilListening(spawn(join(BINARIES, "interop-agent"), [reno, socket]), socket);
    return socket;
  }

  /** Waits for an agent that `close` will end. */
  async untilListening(child: ChildProcess, socket: string): Promise<void> {
    this.#children.push(child);
    let said = "";
    child.stderr?.on("data", (chunk) => (said += chunk));
    child.stdout?.resume();
    child.on("error", (error) => (said += error.message));
    const deadline = performance.now() + LISTENING_TIMEOUT_MS;
    while (!existsSync(socket)) {
      if (child.exitCode !== null || performance.now() > deadline) throw new Error(`no agent: ${said}`);
      await sleep(10);
    }
  }

  /** One flow over libccp for so many seconds of real time, under the agent at the socket. */
  async runDatapath(agent: string, seconds: number, algorithm = ""): Promise<DatapathOutcome> {
    const args = [agent, this.newSocket(), String(seconds), algorithm];
    const child = spawn(join(BINARIES, "interop-datapath"), args);
    this.#children.push(child);
    const { code, stdout, stderr } = await outcomeOf(child);
    if (code !== 0) throw new Error(`interop-datapath: exit ${code}: ${stderr}`);
    return JSON.parse(stdout) as DatapathOutcome;
  }

  close(): void {
    for (const child of this.#children) child.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
