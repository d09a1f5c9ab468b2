/**
 * Where an agent listens and where it answers, which differs between versions of Portus:
 *
 *   0.8 and later    listens at /tmp/ccp/NAME; answers to the path that a message came from
 *   0.6, 0.7         listens at /tmp/ccp/NAME; answers to /tmp/ccp/ followed by that path
 *   0.5 and earlier  listens at /tmp/ccp/0/in; answers to /tmp/ccp/0/out, whoever asked
 *
 * Our end binds a path that all of them find: `out` beside an `in`, otherwise a folder of its own that is also there below
 * the agents' folder, by a link.
 */
import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { SOCKET_FOLDER } from "../../ccp-bridge/ipc/unix-datagram.ts";
import { CcparkError } from "../../core/errors.ts";

/** Of Portus 0.5 and before, below the agents' folder. */
const OLD_AGENT = join("0", "in");
const OLD_ANSWERS = "out";

export interface SocketLayout {
  /** where the agent listens */
  readonly agent: string;
  /** where our end is bound */
  readonly own: string;
  /** takes away what was made */
  remove(): void;
}

/** A name is a socket of the agents' folder, or where only an old agent listens there, that one; what has a slash is a path. */
export function agentPath(nameOrPath: string, folder: string = SOCKET_FOLDER): string {
  if (nameOrPath.includes("/")) return resolve(nameOrPath);
  const named = join(folder, nameOrPath);
  const old = join(folder, OLD_AGENT);
  return !existsSync(named) && existsSync(old) ? old : named;
}

/**
 * @param folder of the agents' sockets; absent: Portus' own
 * @throws CcparkError (permission-denied)
 */
export function makeSocketLayout(nameOrPath: string, folder: string = SOCKET_FOLDER): SocketLayout {
  const agent = agentPath(nameOrPath, resolve(folder));
  // the answers' socket is bound in the place of a dead one, and refused where somebody listens
  if (basename(agent) === basename(OLD_AGENT)) {
    return { agent, own: join(dirname(agent), OLD_ANSWERS), remove() {} };
  }
  const own = makeFolder();
  const unlink = linkBelow(resolve(folder), own);
  return {
    agent,
    own: join(own, "socket"),
    remove() {
      unlink();
      rmSync(own, { recursive: true, force: true });
    },
  };
}

function makeFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), "ccpark-datapath-"));
  } catch (cause) {
    const { code = "failed" } = cause as NodeJS.ErrnoException;
    const message = `cannot make a folder for the datapath's socket below \`${tmpdir()}\`: ${code}`;
    throw new CcparkError("permission-denied", `[agent-link] ${message}`, { cause });
  }
}

/** Makes a folder be there below another one too; where that may not be, agents that look for it there cannot answer. */
function linkBelow(root: string, folder: string): () => void {
  const link = join(root, folder);
  try {
    if (lstatSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) return () => {};
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(folder, link);
  } catch {
    return () => {};
  }
  return () => {
    rmSync(link, { force: true });
    removeEmpty(dirname(link), root);
  };
}

/** The folders from one up to another that nobody else uses. */
function removeEmpty(folder: string, root: string): void {
  for (let at = folder; relative(root, at) !== ""; at = dirname(at)) {
    try {
      rmdirSync(at);
    } catch {
      return;
    }
  }
}
