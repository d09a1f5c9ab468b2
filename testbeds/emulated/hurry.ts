import { SCHED_FIFO, SCHED_RESET_ON_FORK } from "../host/constants.ts";
import { type Libc, SystemCallError } from "../host/libc.ts";

/**
 * This thread before all others, where the user may: what makes it late is a busy machine. The system keeps a twentieth of
 * the time for the others.
 */
export function hurry(libc: Libc): void {
  try {
    libc.schedSetscheduler(SCHED_FIFO | SCHED_RESET_ON_FORK, 1);
  } catch (error) {
    // an ordinary user's thread waits for its turn
    if (!(error instanceof SystemCallError && error.errnoName === "EPERM")) throw error;
  }
}
