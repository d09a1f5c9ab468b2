/** What the commands write to: results to stdout, everything else to stderr. A reader that went away is no error. */
import { EXIT } from "./exit-codes.ts";

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

/** Lets signals, timers and pipes have their turn between two stretches of computing. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Ctrl-C ends the process at once, with its exit code. */
export function exitOnInterrupt(): void {
  process.removeAllListeners("SIGINT");
  process.on("SIGINT", () => {
    printErr("\ninterrupted\n");
    process.exit(EXIT.interrupted);
  });
}

/** Ctrl-C asks for an orderly end once; a second one ends at once. `exitOnInterrupt` takes it back. */
export function stopOnInterrupt(stop: () => void): void {
  process.removeAllListeners("SIGINT");
  process.once("SIGINT", () => {
    exitOnInterrupt();
    stop();
  });
}
