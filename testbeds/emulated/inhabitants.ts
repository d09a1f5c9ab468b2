/**
 * Processes inside a link's namespaces: whatever they are and whoever started them (`sh -c` leaves children, daemons leave their
 * group), none outlives the link. A process that is killed cannot see to that, so a shell beside it does.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readlinkSync } from "node:fs";
import type { Namespace } from "../host/namespaces.ts";

/** How the system names one, such as net:[4026532281]. */
function identityOf({ fd }: Namespace): string {
  return readlinkSync(`/proc/self/fd/${fd}`);
}

/** Ids of the processes in them; those that this user may not see are not among them. */
export function inhabitantsOf(spaces: readonly Namespace[]): number[] {
  const identities = spaces.map(identityOf);
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
    .filter((pid) => {
      try {
        return identities.includes(readlinkSync(`/proc/${pid}/ns/net`));
      } catch {
        // it has ended, or is somebody else's
        return false;
      }
    });
}

/** Signals all of them. @returns how many there are */
export function signalInhabitants(spaces: readonly Namespace[], signal: "SIGTERM" | "SIGKILL"): number {
  let count = 0;
  for (const pid of inhabitantsOf(spaces)) {
    try {
      process.kill(pid, signal);
      count += 1;
    } catch {
      // it has ended
    }
  }
  return count;
}

/** Waits for the end of its input, which nobody ever writes to: this process is no more. Until nothing is left, since some may be starting others. */
const GUARD = `read _
while :; do
  left=
  for p in /proc/[0-9]*; do
    space=$(readlink "$p/ns/net" 2>/dev/null) || continue
    for each; do [ "$space" = "$each" ] && kill -KILL "\${p#/proc/}" 2>/dev/null && left=1; done
  done
  [ -z "$left" ] && exit
done`;

/** However this process ends from now on, nothing stays in the namespaces. @returns what ends the guard, and leaves them alone */
export function guardInhabitants(spaces: readonly Namespace[]): () => void {
  const guard: ChildProcess = spawn("sh", ["-c", GUARD, "ccpark-guard", ...spaces.map(identityOf)], {
    // in a session of its own: what ends the others of a terminal does not end it
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  guard.on("error", () => {}); // no shell, no guard
  guard.unref();
  return () => {
    guard.kill("SIGKILL");
  };
}
