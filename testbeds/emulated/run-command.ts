/** Runs a command of the user's at the client's end of a link, and one at the server's, as Mahimahi's shells run one inside. */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Namespace } from "../host/namespaces.ts";
import { guardInhabitants, inhabitantsOf, signalInhabitants } from "./inhabitants.ts";
import { type EmulatedLink, type LinkEnd, linkFailure } from "./open-link.ts";

export interface CommandOptions {
  /** program and arguments, at the client's end */
  readonly command: readonly string[];
  /** for `sh -c`, at the server's end, ended with the command, as all that is left at either; absent: nothing */
  readonly serve: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/** Signals that ask to end are the command's to answer: a terminal sends Ctrl-C to it too, others only to us. */
const FORWARDED = ["SIGTERM", "SIGHUP"] as const;
/** Where the system says that a command is not there, and that it cannot be run (POSIX shells). */
const EXIT_NOT_FOUND = 127;
const EXIT_NOT_RUN = 126;
/** So long what is left may take to end before it is killed. */
const GRACE_MS = 500;
const LOOK_AGAIN_MS = 10;

function start(end: LinkEnd, [program, ...args]: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  return end.namespace.run(() => spawn(program!, args, { stdio: "inherit", env }));
}

/** How a command ended. */
export interface CommandEnd {
  /** as a shell says it: 128 and the signal where one ended it, 127 and 126 where it never began */
  readonly exitCode: number;
  /** why it never began; absent: it did */
  readonly failure?: "not found" | "cannot be run";
}

function ended(child: ChildProcess): Promise<CommandEnd> {
  return new Promise((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      const isMissing = error.code === "ENOENT";
      resolve(
        isMissing
          ? { exitCode: EXIT_NOT_FOUND, failure: "not found" }
          : { exitCode: EXIT_NOT_RUN, failure: "cannot be run" },
      );
    });
    child.once("exit", (code, signal) => {
      resolve({ exitCode: code ?? 128 + constants.signals[signal!] });
    });
  });
}

function environmentOf(own: LinkEnd, other: LinkEnd, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, CCPARK_PEER: other.address, CCPARK_ADDRESS: own.address };
}

/**
 * @throws CcparkError (unavailable) if the link's thread ends before the command
 */
export async function runCommand(link: EmulatedLink, options: CommandOptions): Promise<CommandEnd> {
  const { client, server } = link;
  const { command, serve, env } = options;
  const spaces = [client.namespace, server.namespace];
  const unguard = guardInhabitants(spaces);
  try {
    const served =
      serve === undefined
        ? undefined
        : start(server, ["sh", "-c", serve], environmentOf(server, client, env));
    const servedEnd = served && ended(served);
    const child = start(client, command, environmentOf(client, server, env));
    try {
      return await Promise.race([attended(child), failureOf(link)]);
    } finally {
      child.kill("SIGKILL");
      await emptied(spaces);
      await servedEnd;
    }
  } finally {
    unguard();
  }
}

/** Whatever is left in them is asked to end, then made to. */
async function emptied(spaces: readonly Namespace[]): Promise<void> {
  const byMs = performance.now() + GRACE_MS;
  let signal: "SIGTERM" | "SIGKILL" = "SIGTERM";
  for (let left = signalInhabitants(spaces, signal); left > 0; ) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    if (performance.now() >= byMs) signal = "SIGKILL";
    left = signal === "SIGKILL" ? signalInhabitants(spaces, signal) : inhabitantsOf(spaces).length;
  }
}

/** The same without a link: where this process is. */
export function runHere({ command, env }: Pick<CommandOptions, "command" | "env">): Promise<CommandEnd> {
  const [program, ...args] = command;
  return attended(spawn(program!, args, { stdio: "inherit", env }));
}

/** Until it has ended; signals go to it meanwhile. */
async function attended(child: ChildProcess): Promise<CommandEnd> {
  const ignore = (): void => {};
  const forward = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  const interrupts = process.listeners("SIGINT");
  process.removeAllListeners("SIGINT");
  process.on("SIGINT", ignore);
  for (const signal of FORWARDED) process.on(signal, forward);
  try {
    return await ended(child);
  } finally {
    process.off("SIGINT", ignore);
    for (const listener of interrupts) process.on("SIGINT", listener);
    for (const signal of FORWARDED) process.off(signal, forward);
  }
}

function failureOf(link: EmulatedLink): Promise<never> {
  return new Promise((_, reject) => {
    link.onFailure((cause) => {
      reject(linkFailure(cause));
    });
  });
}
