/** Starts and ends agents in processes of their own, below a temporary folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../../cli/main.ts", import.meta.url));
const TSX = import.meta.resolve("tsx");
const RUST_AGENT = fileURLToPath(new URL("../../interop/target/release/interop-agent", import.meta.url));
const START_MS = 20_000;
const POLL_MS = 5;

/** Whatever happens, no agent outlives the process that started it. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export interface AgentChild {
  readonly process: ChildProcess;
  /** what it has printed, the last 4000 characters */
  readonly output: string;
  /** SIGKILL; resolves when the process is gone */
  kill(): Promise<void>;
}

/** A command that serves a socket. */
export interface AgentCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly socket: string;
}

/** `ccpark agent`. */
export function ourAgent(path: string, algorithm = "reno"): AgentCommand {
  const args = ["--import", TSX, MAIN, "agent", "--algorithm", algorithm, "--socket", path];
  return { command: process.execPath, args, socket: path };
}

/** The Portus agent of test/interop, if it was built. */
export function rustAgent(path: string): AgentCommand | undefined {
  return existsSync(RUST_AGENT) ? { command: RUST_AGENT, args: ["own", path], socket: path } : undefined;
}

/** The file that is bound to a path right now: a restarted agent binds a new one. */
function socketFile(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? undefined : `${stat.ino}:${stat.birthtimeNs}`;
}

/** Resolves when the agent has bound its socket. */
export async function startAgent({ command, args, socket }: AgentCommand): Promise<AgentChild> {
  const before = socketFile(socket);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  void exited.then(() => running.delete(child));
  let text = "";
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string): void =>
      reject(new Error(`agent ${command} ${args.join(" ")}: ${why}\n${text}`));
    const giveUpMs = performance.now() + START_MS;
    const timer = setInterval(() => {
      const now = socketFile(socket);
      if (now !== undefined && now !== before) {
        clearInterval(timer);
        resolve();
      } else if (performance.now() > giveUpMs) {
        child.kill("SIGKILL");
        fail(`no socket within ${START_MS} ms`);
      }
    }, POLL_MS);
    const read = (chunk: Buffer): void => {
      text = (text + chunk).slice(-4000);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code) => {
      clearInterval(timer);
      fail(`ended with ${code} before it had bound its socket`);
    });
  });
  return {
    process: child,
    get output() {
      return text;
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** A folder for sockets, and what was started in it; `clear` ends and removes all. */
export function makeSocketFolder(): {
  readonly folder: string;
  start(command: AgentCommand): Promise<AgentChild>;
  clear(): Promise<void>;
} {
  const folder = mkdtempSync(join(tmpdir(), "ccpark-agents-"));
  const children: AgentChild[] = [];
  return {
    folder,
    async start(command) {
      const child = await startAgent(command);
      children.push(child);
      return child;
    },
    async clear() {
      for (const child of children) {
        if (child.process.exitCode === null && child.process.signalCode === null) await child.kill();
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
