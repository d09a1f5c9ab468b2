/** What the commands write to: results to stdout, everything else to stderr. A reader that went away is no error. */
import { Script } from "node:vm";
import { isMainThread } from "node:worker_threads";
import { EXIT } from "./exit/exit-codes.ts";

/** `ccpark explain | head` ends quietly. */
export function survivePipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.failure);
    });
  }
}

export function printOut(text: string): void {
  process.stdout.write(text);
}

export function printErr(text: string): void {
  process.stderr.write(text);
}

/** Whether stdout takes ANSI styles (https://no-color.org). */
export function outTakesColour(): boolean {
  return process.stdout.isTTY === true && (process.env["NO_COLOR"] ?? "") === "";
}

/** Of the terminal that stdout is, or that COLUMNS says there is; undefined: none, lines may be of any length. */
export function outWidth(isWide: boolean): number | undefined {
  // a terminal that nobody has given a size has 0 columns
  const columns = process.stdout.isTTY ? process.stdout.columns : Number(process.env["COLUMNS"]);
  return isWide || !Number.isInteger(columns) || columns <= 0 ? undefined : columns;
}

/** Lets signals, timers and pipes have their turn between two stretches of computing. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

let unfinished = "";

/** Results go to files when all of them are there: from here on the message that Ctrl-C came says so. */
export function writesAtTheEnd(): void {
  unfinished = ": nothing is written before the last run";
}

function endInterrupted(): never {
  printErr(`\ninterrupted${unfinished}\n`);
  process.exit(EXIT.interrupted);
}

/** Ctrl-C ends the process at once, with its exit code. */
export function exitOnInterrupt(): void {
  process.removeAllListeners("SIGINT");
  process.on("SIGINT", endInterrupted);
}

/**
 * Loads a user's module, which may compute as long as it likes before anybody is asked for a signal: meanwhile Ctrl-C does what it does to
 * a process without handlers, which the system ends. Node rejects the import of a module that imports a torn CommonJS file twice, the
 * second time in a promise that nobody holds: what was told once is not told again.
 */
export async function withoutHandlers(load: () => Promise<unknown>): Promise<unknown> {
  const handlers = process.rawListeners("SIGINT") as NodeJS.SignalsListener[];
  process.removeAllListeners("SIGINT");
  let told: unknown;
  const onRejection = (reason: unknown): void => {
    if (reason !== told) throw reason;
  };
  process.on("unhandledRejection", onRejection);
  try {
    return await load();
  } catch (cause) {
    told = cause;
    throw cause;
  } finally {
    for (const handler of handlers) process.on("SIGINT", handler);
    // Node speaks of it when all that is to be done at once is done
    setImmediate(() => process.off("unhandledRejection", onRejection));
  }
}

/** Where the script below finds what it runs: it sees nothing but global names. */
const RUN: symbol = Symbol.for("ccpark.interruptible");
const CALL: Script = new Script('globalThis[Symbol.for("ccpark.interruptible")]()');

/**
 * A stretch of computing, or of reading that blocks, during which signals have no turn: Ctrl-C ends it all the same, and the
 * process with it. Node watches for the signal on a thread of its own and stops the script, whatever it does.
 */
export function interruptible<T>(run: () => T): T {
  if (!isMainThread) return run(); // ends with the thread that waits for it
  const slots = globalThis as Record<symbol, unknown>;
  const outer = slots[RUN];
  if (outer !== undefined) return run();
  slots[RUN] = run;
  try {
    return CALL.runInThisContext({ breakOnSigint: true, displayErrors: false }) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_INTERRUPTED") endInterrupted();
    throw error;
  } finally {
    delete slots[RUN];
  }
}

/** The same for each step of a generator: what it does until it yields or waits. */
export async function* interruptibly<T>(runs: AsyncGenerator<T> | Generator<T>): AsyncGenerator<T> {
  await breathe(); // a signal of the moment before is lost where the script below begins
  for (;;) {
    const next = await interruptible(() => runs.next());
    if (next.done === true) return;
    yield next.value;
  }
}

/** Ctrl-C asks for an orderly end once; a second one ends at once. `exitOnInterrupt` takes it back. */
export function stopOnInterrupt(stop: () => void): void {
  process.removeAllListeners("SIGINT");
  process.once("SIGINT", () => {
    exitOnInterrupt();
    stop();
  });
}
