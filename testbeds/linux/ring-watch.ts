/** Watches the ring of reports on this thread's event loop: woken for each where they are few, looking by itself where they are many. */
import type { Libc } from "../host/libc.ts";

/**
 * Waking an agent that keeps up costs the kernel some 2 to 8 us for each report, in the ACK's own processing: more than all the rest of
 * it. So many reports within a window, and the agent looks by itself, until there are half as many. The window is longer than usual
 * times between a flow's reports: those of many flows come in a burst, and between two of them there are none.
 */
const BUSY_REPORTS = 64;
const WINDOW_NS = 16_000_000n;
/** A sleep between two looks: what a report waits at most, and the timer's own lateness. A look takes about 15 us of a processor. */
const SLEEP_NS = 50_000;
const LONG_SLEEP_NS = 100_000;
/** of a window with fewer it is the longer one */
const MANY_REPORTS = 256;

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
  let sleepNs = SLEEP_NS;
  const isWindowOver = (nowNs: bigint): boolean => nowNs - windowStartNs > WINDOW_NS;
  const begin = (nowNs: bigint): void => {
    windowStartNs = nowNs;
    inWindow = 0;
  };
  const look = (): void => {
    if (isOver) return;
    libc.ppoll(nothing, sleepNs);
    inWindow += ring.drain();
    const nowNs = process.hrtime.bigint();
    if (isWindowOver(nowNs)) {
      isLooking = 2 * inWindow >= BUSY_REPORTS;
      sleepNs = inWindow >= MANY_REPORTS ? SLEEP_NS : LONG_SLEEP_NS;
      begin(nowNs);
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
    if (isWindowOver(nowNs)) begin(nowNs);
    inWindow += count;
    if (inWindow < BUSY_REPORTS) return;
    isLooking = true;
    sleepNs = SLEEP_NS;
    begin(nowNs);
    ring.setLooking(true);
    setImmediate(look);
  });
  return () => {
    isOver = true;
    ring.setLooking(false);
    handle.close();
  };
}
