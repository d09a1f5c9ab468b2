/** Processors that have nothing to do wait for it awake: what wakes a thread then does not have to wake its processor first. */
import { closeSync, openSync, writeSync } from "node:fs";
import { CcparkError } from "../../core/errors.ts";

/** Documentation/power/pm_qos_interface.rst: a number of microseconds that holds as long as the file is open */
const LATENCY = "/dev/cpu_dma_latency";

/**
 * Until it is undone, or this process ends, no idle processor of the machine goes to sleep; a hypervisor's guest does not even halt. That
 * costs power, and takes nothing from who has work.
 * @returns what undoes it
 * @throws CcparkError (permission-denied, unavailable) without root, or where the kernel has no such file
 */
export function keepAwake(): () => void {
  let file: number;
  try {
    file = openSync(LATENCY, "w");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const kind = code === "EACCES" || code === "EPERM" ? "permission-denied" : "unavailable";
    throw new CcparkError(kind, `[host] processors cannot be kept awake: ${LATENCY}: ${code}`, { cause });
  }
  writeSync(file, new Uint8Array(Int32Array.of(0).buffer));
  return () => closeSync(file);
}
