/**
 * Loads the wasm backend of TensorFlow.js. Its generated loader installs process-wide handlers that rethrow every
 * uncaught exception and rejection, after printing a line of 50 kB of its own source; they are removed again.
 */
import process from "node:process";

const EVENTS = ["uncaughtException", "unhandledRejection"] as const;

/** @param start makes the backend ready; the handlers are installed in the course of it */
export async function withoutStrayHandlers<T>(start: () => Promise<T>): Promise<T> {
  const before = EVENTS.map((event) => process.rawListeners(event));
  try {
    return await start();
  } finally {
    EVENTS.forEach((event, i) => {
      for (const listener of process.rawListeners(event)) {
        if (!before[i]!.includes(listener)) process.off(event, listener as () => void);
      }
    });
  }
}
