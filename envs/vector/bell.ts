/**
 * How a thread calls another to a step in some microseconds, where a message and its reply take a hundred: words that both
 * share. The one that steps lingers for a while after each step, so that it hears the bell; then it goes back to its messages.
 *
 *   AWAY ──step by message──▶ READY ──ring──▶ STEPPING ──▶ READY ──nothing for LINGER_MS──▶ AWAY
 */
export type Bell = Int32Array;

const STATE = 0;
const BLOCK = 1;
const TOLD = 2;
const AWAY = 0;
const READY = 1;
const STEPPING = 2;

/** Longer than a policy takes to act, and short against the requests that wait meanwhile. */
const LINGER_MS = 3;
/** Looks before a thread goes to sleep: the halves of a vector take much the same time. */
const SPINS = 4000;

export function makeBell(): Bell {
  return new Int32Array(new SharedArrayBuffer(12));
}

/** @returns whether the other thread heard it, and steps now */
export function ring(bell: Bell, block: number): boolean {
  Atomics.store(bell, BLOCK, block);
  if (Atomics.compareExchange(bell, STATE, READY, STEPPING) !== READY) return false;
  Atomics.notify(bell, STATE);
  return true;
}

/** Waits, blocking, until the step is done. @returns false: it still runs after `limitMs` */
export function isDoneWithin(bell: Bell, limitMs: number): boolean {
  for (let i = 0; i < SPINS; i++) if (Atomics.load(bell, STATE) !== STEPPING) return true;
  // woken is not done: the call that ends one step may come when the next has begun
  while (Atomics.load(bell, STATE) === STEPPING) {
    if (Atomics.wait(bell, STATE, STEPPING, limitMs) === "timed-out") return false;
  }
  return true;
}

/** Whether the step that is done has sent a message. */
export function hasTold(bell: Bell): boolean {
  return Atomics.load(bell, TOLD) === 1;
}

/** The stepping thread will listen: to be said before the reply goes out, for the next step may come at once. */
export function willListen(bell: Bell): void {
  Atomics.store(bell, STATE, READY);
}

/**
 * The stepping thread's part, after a step by message and `willListen`: steps as long as it is called.
 * @param step of a block; true: it has sent a message
 */
export function linger(bell: Bell, step: (block: number) => boolean): void {
  for (;;) {
    if (Atomics.wait(bell, STATE, READY, LINGER_MS) === "timed-out") {
      if (Atomics.compareExchange(bell, STATE, READY, AWAY) === READY) return;
    }
    Atomics.store(bell, TOLD, step(Atomics.load(bell, BLOCK)) ? 1 : 0);
    Atomics.store(bell, STATE, READY);
    Atomics.notify(bell, STATE);
  }
}
