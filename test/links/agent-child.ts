/** Starts and ends agents in processes of their own, below a temporary folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("agent-process.ts", import.meta.url));
const TSX = import.meta.resolve("tsx");
const START_MS = 20_000;

export interface AgentChild {
  readonly process: ChildProcess;
  /** SIGKILL; resolves when the process is gone */
  kill(): Promise<void>;
}

/** A command that serves a socket, and the line by which it says that it does. */
export interface AgentCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** printed to stdout or stderr once the socket is bound */
  readonly ready: RegExp;
}

export function ourAgent(path: string, algorithm = "reno"): AgentCommand {
  return { command: process.execPath, args: ["--import", TSX, SCRIPT, path, algorithm], ready: /listening/ };
}

export async function startAgent({ command, args, ready }: AgentCommand): Promise<AgentChild> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let text = "";
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string): void =>
      reject(new Error(`agent ${command} ${args.join(" ")}: ${why}\n${text}`));
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail(`not ready within ${START_MS} ms`);
    }, START_MS);
    const read = (chunk: Buffer): void => {
      text = (text + chunk).slice(-4000);
      if (!ready.test(text)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code) => {
      clearTimeout(timer);
      fail(`ended with ${code} before it was ready`);
    });
  });
  return {
    process: child,
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
