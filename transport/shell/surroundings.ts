/** Real time and the system's randomness, for stacks over sockets. */
import { randomBytes } from "node:crypto";
import { Rng } from "../../core/random.ts";
import type { Micros } from "../../core/units.ts";
import type { Surroundings, Timer } from "../chunnel.ts";

/** Timers of the event loop have a granularity of a millisecond: what is due sooner runs in its next turn. */
const MIN_TIMER_US: Micros = 1_000;
/** A timer of 1 ms rings after up to 2.2 ms: so long before, exact ones go over to turns of the loop, which take the processor. */
const EXACT_TIMER_US: Micros = 2_200;
const MAX_TIMER_MS = 2 ** 31 - 1;

export function monotonicUs(): Micros {
  return performance.now() * 1_000;
}

/** Turn by turn of the event loop, which takes about a microsecond where it has nothing else to do. @param isExact until the time has come */
function byTurns(atUs: Micros, call: () => void, isExact: boolean): Timer {
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    if (monotonicUs() >= atUs) call();
    else if (isExact) turn = setImmediate(look);
    else timer = setTimeout(call, 1);
  };
  let turn = setImmediate(look);
  return {
    cancel: () => {
      clearImmediate(turn);
      clearTimeout(timer);
    },
  };
}

/** @param isExact a timer of the event loop for all but the end of the wait */
function byTimer(atUs: Micros, call: () => void, isExact: boolean): Timer {
  const waitUs = atUs - monotonicUs() - (isExact ? EXACT_TIMER_US : 0);
  let rest: Timer | undefined;
  const ring = isExact ? (): void => void (rest = byTurns(atUs, call, true)) : call;
  const timer = setTimeout(ring, Math.min(Math.max(waitUs, 0) / 1_000, MAX_TIMER_MS));
  return {
    cancel: () => {
      clearTimeout(timer);
      rest?.cancel();
    },
  };
}

/** Asking the system costs some 20 us whatever the number of bytes: so many at once. */
const POOL_BYTES = 4_096;
let pool = new Uint8Array(0);
let poolAt = 0;

/** Each byte is given out once, and is gone from the pool then. */
function systemBytes(count: number): Uint8Array {
  if (count > POOL_BYTES) return new Uint8Array(randomBytes(count));
  if (poolAt + count > pool.length) {
    pool = new Uint8Array(randomBytes(POOL_BYTES));
    poolAt = 0;
  }
  const bytes = pool.slice(poolAt, poolAt + count);
  pool.fill(0, poolAt, poolAt + count);
  poolAt += count;
  return bytes;
}

function systemSeed(): number {
  let seed = 0;
  for (const byte of systemBytes(6)) seed = seed * 256 + byte;
  return seed;
}

/** @param shared state that stacks of one host share: default, of these surroundings alone */
export function realSurroundings(
  trace?: Surroundings["trace"],
  shared: Map<string, unknown> = new Map(),
): Surroundings {
  return {
    nowUs: monotonicUs,
    wakeAt: (atUs, call, isExact = false) => {
      const waitUs = atUs - monotonicUs();
      return waitUs < (isExact ? EXACT_TIMER_US : MIN_TIMER_US)
        ? byTurns(atUs, call, isExact)
        : byTimer(atUs, call, isExact);
    },
    soon: (call) => {
      const soon = setImmediate(call);
      return { cancel: () => clearImmediate(soon) };
    },
    rng: Rng.fromSeed(systemSeed()),
    randomBytes: systemBytes,
    shared: <T>(name: string, make: () => T): T => {
      if (!shared.has(name)) shared.set(name, make());
      return shared.get(name) as T;
    },
    trace,
  };
}
