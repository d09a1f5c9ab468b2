/**
 * Files that commands write: whole or not at all, under a temporary name beside the file, which is then renamed. A symbolic
 * link stays one, and what it leads to is written; what is no file (a device, a pipe, a socket, a folder) is refused.
 */
import {
  accessSync,
  appendFileSync,
  constants,
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pid } from "node:process";
import { CcparkError, type ErrorKind } from "./errors.ts";

/** The usual failures, by Node's code: what sort of mistake it is, and its words. */
const FAILURES: Readonly<Record<string, readonly [ErrorKind, string]>> = {
  ENOENT: ["not-found", "no such file"],
  ENOTDIR: ["permission-denied", "a part of the path is a file, not a folder"],
  EACCES: ["permission-denied", "permission denied"],
  EPERM: ["permission-denied", "operation not permitted"],
  EROFS: ["permission-denied", "the file system is read-only"],
  EEXIST: ["permission-denied", "it is a file, not a folder"],
  EISDIR: ["invalid-argument", "it is a folder, expected a file"],
  ELOOP: ["invalid-argument", "symbolic links that lead to each other"],
  ENAMETOOLONG: ["invalid-argument", "the name is too long"],
  ENOSPC: ["resource-exhausted", "no space left on the device"],
};

/**
 * What went wrong with a file, in words.
 * @param what such as "[output] cannot write file"
 */
export function fileError(what: string, path: string, cause: unknown): CcparkError {
  if (cause instanceof CcparkError) return cause;
  const { code = "", message } = cause as { code?: string; message: string };
  const [kind, words] = FAILURES[code] ?? ["internal", code === "" ? message : code];
  return new CcparkError(kind, `${what} \`${path}\`: ${words}`, { cause });
}

const notWritten = (file: string, why: string): CcparkError =>
  new CcparkError("permission-denied", `[output] cannot write file \`${file}\`: ${why}, expected a file`);

/** What an entry is that is no file; undefined: it is one. */
function kindOf(stats: Stats): string | undefined {
  if (stats.isFile()) return undefined;
  if (stats.isDirectory()) return "it is a folder";
  if (stats.isFIFO()) return "it is a named pipe";
  if (stats.isSocket()) return "it is a socket";
  return "it is a device";
}

/** Longest chain of symbolic links that Linux follows. */
const MAX_LINKS = 40;

/** Where symbolic links lead, also one that leads to a file which does not exist yet. */
function followed(file: string): string {
  let path = resolve(file);
  for (let links = 0; links < MAX_LINKS; links++) {
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return path;
    // relative to the folder that the link really lies in
    path = resolve(realpathSync(dirname(path)), readlinkSync(path));
  }
  throw Object.assign(new Error(), { code: "ELOOP" });
}

/** The place to write to, and what lies there. @throws CcparkError (permission-denied) for what is no file */
function placeOf(file: string): { readonly path: string; readonly mode: number | undefined } {
  const path = followed(file);
  const stats = statSync(path, { throwIfNoEntry: false });
  const kind = stats && kindOf(stats);
  if (kind !== undefined) throw notWritten(file, kind);
  return { path, mode: stats && stats.mode & 0o777 };
}

/** Every missing folder of the path, one by one: Node's own recursive form never returns below /proc. */
function makeFolders(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolders(parent);
  try {
    mkdirSync(folder);
  } catch (cause) {
    // its parent is there: what has no such file is a file system without new ones
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    const message = `[output] cannot write into folder \`${folder}\`: \`${parent}\` takes no new folders`;
    throw new CcparkError("permission-denied", message, { cause });
  }
}

/**
 * Creates a folder for output, and proves that files can be written in it, before any work is done.
 * @throws CcparkError
 */
export function claimFolder(folder: string): void {
  try {
    makeFolders(resolve(folder));
    if (!statSync(folder).isDirectory()) throw Object.assign(new Error(), { code: "EEXIST" });
    accessSync(folder, constants.W_OK | constants.X_OK);
    const probe = join(folder, `.ccpark-probe-${pid}`);
    writeFileSync(probe, "");
    rmSync(probe);
  } catch (cause) {
    throw fileError("[output] cannot write into folder", folder, cause);
  }
}

/** The same for one file: its folder must take it, and what lies there must be a file. @throws CcparkError */
export function claimFile(file: string): void {
  try {
    claimFolder(dirname(placeOf(file).path));
  } catch (cause) {
    throw fileError("[output] cannot write file", file, cause);
  }
}

/** Writes all files, or none: each under a temporary name first, renamed when every one is complete. @throws CcparkError */
export function writeFilesWhole(files: Readonly<Record<string, string | Uint8Array>>): void {
  const temporaries: string[] = [];
  let current = "";
  try {
    const moves: { readonly file: string; readonly from: string; readonly to: string }[] = [];
    for (current of Object.keys(files)) {
      const { path, mode } = placeOf(current);
      const from = `${path}${TEMPORARY}${pid}`;
      temporaries.push(from);
      writeFileSync(from, files[current]!, mode === undefined ? {} : { mode });
      moves.push({ file: current, from, to: path });
    }
    for (const { file, from, to } of moves) {
      current = file;
      renameSync(from, to);
    }
  } catch (cause) {
    for (const path of temporaries) removeIfThere(path);
    throw fileError("[output] cannot write file", current, cause);
  }
}

/** Between a file's name and the process that writes it. */
export const TEMPORARY = ".tmp-";

/** Adds to the end of a file. @param mode of a new file @throws CcparkError */
export function appendToFile(file: string, text: string | Uint8Array, mode?: number): void {
  try {
    appendFileSync(placeOf(file).path, text, mode === undefined ? {} : { mode });
  } catch (cause) {
    throw fileError("[output] cannot write file", file, cause);
  }
}

/** Cleans up after a failure; a second failure must not hide the first. */
function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // the first error says what is wrong
  }
}
