/**
 * Network namespaces that the program makes. Each is held by a descriptor, so that it is gone with the process however that
 * ends, and where the system lets us it has a name in /run/netns too, for `ip netns exec`. Names carry the process id:
 * those that a killed process left are told from those in use.
 */
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, unlinkSync } from "node:fs";
import { CLONE_NEWNET, MNT_DETACH, MS_BIND, MS_REC, MS_SHARED, O_CLOEXEC, O_RDONLY } from "./constants.ts";
import { type Libc, SystemCallError } from "./libc.ts";

/** where iproute2 looks for names */
const NAMES = "/run/netns";
const OWN = "/proc/thread-self/ns/net";
const NAME = /^ccpark-(\d+)-/;

export class Namespace {
  readonly fd: number;
  /** opens it, in any process that may see ours */
  readonly path: string;
  /** as in `ip netns exec NAME`; undefined: names are not to be had here */
  readonly name: string | undefined;
  readonly #libc: Libc;
  #isClosed = false;

  constructor(libc: Libc, fd: number, name: string | undefined) {
    this.#libc = libc;
    this.fd = fd;
    this.name = name;
    this.path = name === undefined ? `/proc/${process.pid}/fd/${fd}` : `${NAMES}/${name}`;
  }

  /**
   * Runs something in the namespace: sockets that it opens and processes that it starts stay there. It must not wait: the
   * whole thread is in the namespace meanwhile.
   */
  run<T>(body: () => T): T {
    const libc = this.#libc;
    const before = libc.open(OWN, O_RDONLY | O_CLOEXEC);
    try {
      libc.setns(this.fd, CLONE_NEWNET);
      try {
        return body();
      } finally {
        libc.setns(before, CLONE_NEWNET);
      }
    } finally {
      libc.close(before);
    }
  }

  /** Its name and our hold on it go; it is gone when no socket, process or device is left in it. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.name !== undefined) removeName(this.#libc, this.name);
    this.#libc.close(this.fd);
  }
}

/**
 * A new one, without anything but its loopback device, which is down.
 * @param role the end of the name: ccpark-PID-ROLE
 * @throws SystemCallError EPERM: not root, and not in a user namespace of one's own
 */
export function makeNamespace(libc: Libc, role: string): Namespace {
  const before = libc.open(OWN, O_RDONLY | O_CLOEXEC);
  try {
    libc.unshare(CLONE_NEWNET);
    let fd = -1;
    let name: string | undefined;
    try {
      fd = libc.open(OWN, O_RDONLY | O_CLOEXEC);
      name = giveName(libc, `ccpark-${process.pid}-${role}`);
    } finally {
      libc.setns(before, CLONE_NEWNET);
    }
    return new Namespace(libc, fd, name);
  } finally {
    libc.close(before);
  }
}

/** @returns undefined: this system, or this user, has no place for names */
function giveName(libc: Libc, name: string): string | undefined {
  const path = `${NAMES}/${name}`;
  try {
    mkdirSync(NAMES, { recursive: true, mode: 0o755 });
    shareNames(libc);
    closeSync(openSync(path, "wx", 0o444));
  } catch {
    return undefined;
  }
  try {
    libc.mount(OWN, path, "none", MS_BIND);
    return name;
  } catch {
    unlinkSync(path);
    return undefined;
  }
}

/** As `ip netns add` does: a name that goes must go in all copies of the file system. */
function shareNames(libc: Libc): void {
  try {
    libc.mount("", NAMES, "none", MS_SHARED | MS_REC);
  } catch (error) {
    // it is no mount point yet
    if (!(error instanceof SystemCallError && error.errnoName === "EINVAL")) throw error;
    libc.mount(NAMES, NAMES, "none", MS_BIND | MS_REC);
    libc.mount("", NAMES, "none", MS_SHARED | MS_REC);
  }
}

function removeName(libc: Libc, name: string): void {
  const path = `${NAMES}/${name}`;
  try {
    libc.umount2(path, MNT_DETACH);
  } catch (error) {
    // somebody else has: `ip netns delete`
    if (!(error instanceof SystemCallError && ["EINVAL", "ENOENT"].includes(error.errnoName))) throw error;
  }
  if (existsSync(path)) unlinkSync(path);
}

/** One that has ended and whose parent has not asked yet (Z) holds nothing any more. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Names of ours whose process is no more. */
export function abandonedNames(): string[] {
  if (!existsSync(NAMES)) return [];
  return readdirSync(NAMES).filter((name) => {
    const pid = NAME.exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid));
  });
}

/**
 * Removes them, and with them the namespaces, their devices and sockets.
 * @returns those that were removed
 */
export function removeAbandoned(libc: Libc): string[] {
  const names = abandonedNames();
  for (const name of names) removeName(libc, name);
  return names;
}
