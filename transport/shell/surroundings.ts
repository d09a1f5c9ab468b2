/** Real time and the system's randomness, for stacks over sockets. */
import { randomBytes } from "node:crypto";
import { Rng } from "../../core/random.ts";
import type { Micros } from "../../core/units.ts";
import type { Surroundings, Timer } from "../chunnel.ts";

/** Timers of the event loop have a granularity of a millisecond: what is due sooner runs in its next turn. */
const MIN_TIMER_US: Micros = 1_000;

export function monotonicUs(): Micros {
  return performance.now() * 1_000;
}

/** Of one socket's connections: state that they share lives as long as these surroundings. */
export function realSurroundings(trace?: Surroundings["trace"]): Surroundings {
  const shared = new Map<string, unknown>();
  return {
    nowUs: monotonicUs,
    wakeAt: (atUs, call): Timer => {
      const waitUs = atUs - monotonicUs();
      if (waitUs < MIN_TIMER_US) {
        const soon = setImmediate(() => (monotonicUs() >= atUs ? call() : (again = setTimeout(call, 1))));
        let again: NodeJS.Timeout | undefined;
        return {
          cancel: () => {
            clearImmediate(soon);
            clearTimeout(again);
          },
        };
      }
      const timer = setTimeout(call, Math.min(waitUs / 1_000, 2 ** 31 - 1));
      return { cancel: () => clearTimeout(timer) };
    },
    rng: Rng.fromSeed(randomBytes(6).readUIntBE(0, 6)),
    randomBytes: (count) => new Uint8Array(randomBytes(count)),
    shared: <T>(name: string, make: () => T): T => {
      if (!shared.has(name)) shared.set(name, make());
      return shared.get(name) as T;
    },
    trace,
  };
}
