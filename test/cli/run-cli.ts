/** Runs the command line as a user does: a child process, with its own working folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
/** Where the built command is, if it was built. */
export const BUILT: string = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const TSX = import.meta.resolve("tsx");

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function startCli(
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): ChildProcess {
  const { CCPARK_DEBUG: _, FORCE_COLOR: __, ...env } = process.env;
  return spawn(process.execPath, ["--import", TSX, MAIN, ...args], {
    cwd: options.cwd ?? tmpdir(),
    env: { ...env, ...options.env },
  });
}

/** The built command as users have it, or the sources where nothing is built: for what measures time or memory. */
export function startBuiltCli(args: readonly string[]): ChildProcess {
  return existsSync(BUILT) ? spawn(process.execPath, [BUILT, ...args], { cwd: tmpdir() }) : startCli(args);
}

/**
 * stdout and stderr of a process, and its exit code as a shell tells it: 130 also where Ctrl-C came in the moment between two stretches of computing in which Node
 * itself has no handler for it, and the system ends the process.
 */
export function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const text = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => (text.stdout += chunk));
  child.stderr?.on("data", (chunk) => (text.stderr += chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({ code: signal === null ? code : 128 + constants.signals[signal], ...text });
    });
  });
}

export function runCli(
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> {
  return outcomeOf(startCli(args, options));
}

/** A fresh folder per call, removed when the test file is done. */
export function makeFolders(): () => string {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  return () => {
    const folder = mkdtempSync(join(tmpdir(), "ccpark-cli-"));
    folders.push(folder);
    return folder;
  };
}
