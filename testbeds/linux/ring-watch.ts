/** Watches the ring of reports on this thread's event loop: woken for each where they are few, looking by itself where they are many. */
import type { Libc } from "../host/libc.ts";

/**
 * Waking an agent that keeps up costs the kernel some 8 us for each report, in the ACK's own processing: more than all the rest of
 * it. So many reports within a window, and the agent looks by itself.
 */
const BUSY_REPORTS = 8;
const WINDOW_NS = 1_000_000n;
/** A sleep between two looks: what a report waits at most, and the timer's own lateness. */
const SLEEP_NS = 50_000;
/** Looks of one window. */
const LOOKS = 16;

export interface WatchedRing {
  readonly fd: number;
  /** Hands on what is there. @returns how many records */
  drain(): number;
  /** The kernel wakes nobody while true. */
  setLooking(isLooking: boolean): void;
}

/** @returns what ends it */
export function watchRing(libc: Libc, ring: WatchedRing): () => void {
  const nothing = new Int32Array(16).subarray(0, 0);
  let isOver = false;
  let isLooking = false;
  let windowStartNs = 0n;
  let inWindow = 0;
  let looks = 0;
  const look = (): void => {
    if (isOver) return;
    libc.ppoll(nothing, SLEEP_NS);
    inWindow += ring.drain();
    looks += 1;
    if (looks === LOOKS) {
      isLooking = inWindow >= BUSY_REPORTS;
      looks = 0;
      inWindow = 0;
    }
    if (isLooking) {
      setImmediate(look);
      return;
    }
    ring.setLooking(false);
    // a report that was on its way meanwhile wakes nobody
    libc.ppoll(nothing, SLEEP_NS);
    ring.drain();
  };
  const handle = libc.onReadable(ring.fd, () => {
    const count = ring.drain();
    if (isLooking) return;
    const nowNs = process.hrtime.bigint();
    if (nowNs - windowStartNs > WINDOW_NS) {
      windowStartNs = nowNs;
      inWindow = 0;
    }
    inWindow += count;
    if (inWindow < BUSY_REPORTS) return;
    isLooking = true;
    looks = 0;
    inWindow = 0;
    ring.setLooking(true);
    setImmediate(look);
  });
  return () => {
    isOver = true;
    ring.setLooking(false);
    handle.close();
  };
}
