/**
 * One writer per run folder. A lock is a file named for the process that holds it: its id and, since ids are used again, when it
 * started. Whoever wants the folder makes a lock of its own first and looks for others then: of two that come at the same time
 * at least one sees the other, so there are never two writers. A lock whose process is gone (killed, or another one under the
 * same id) counts for nothing and is removed. For processes of one machine.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { CcparkError } from "../core/errors.ts";

const PREFIX = ".lock-";
const NAME = /^\.lock-([0-9]+)-([0-9]+)$/;

/** Of a process; undefined: there is none, or it is dead and only waits to be told so. */
interface Process {
  readonly pid: number;
  /** clock ticks from the machine's start to its own, 0 where only Linux could say */
  readonly startTicks: number;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // somebody else's
  }
}

/** Fields 3 (state) and 22 (start time) of /proc/PID/stat, proc_pid_stat(5); the second field may hold anything in brackets. */
function findProcess(pid: number): Process | undefined {
  if (process.platform !== "linux") return exists(pid) ? { pid, startTicks: 0 } : undefined;
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const isDead = fields[0] === "Z" || fields[0] === "X";
  return isDead ? undefined : { pid, startTicks: Number(fields[19]) };
}

const nameOf = ({ pid, startTicks }: Process): string => `${PREFIX}${pid}-${startTicks}`;

/** What holds the lock of that name, if it still runs. */
function holderOf(name: string): Process | undefined {
  const [, pid, startTicks] = NAME.exec(name) ?? [];
  const found = pid === undefined ? undefined : findProcess(Number(pid));
  return found?.startTicks === Number(startTicks) ? found : undefined;
}

/** Whether the file belongs to a lock, and not to the run. */
export function isLock(name: string): boolean {
  return NAME.test(basename(name));
}

/**
 * @param folder of the run, where files can be written
 * @returns what gives the lock back; may be called twice
 * @throws CcparkError (failed-precondition) with the process that writes there
 */
export function lockFolder(folder: string): () => void {
  const self = findProcess(process.pid)!;
  const own = nameOf(self);
  const refused = (holder: Process): CcparkError =>
    new CcparkError(
      "failed-precondition",
      `[train] run folder \`${folder}\`: process ${holder.pid} is training there: expected one training per folder; wait for it or choose another`,
    );
  try {
    writeFileSync(join(folder, own), `${JSON.stringify(self)}\n`, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw refused(self);
    throw error;
  }
  const release = (): void => rmSync(join(folder, own), { force: true });
  for (const name of readdirSync(folder).filter(isLock)) {
    if (name === own) continue;
    const holder = holderOf(name);
    if (holder !== undefined) {
      release();
      throw refused(holder);
    }
    rmSync(join(folder, name), { force: true });
  }
  return release;
}
