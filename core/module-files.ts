/** Modules of a user's own: JavaScript files that stand for a name, and where in them something was thrown. */
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { execPath } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { CcparkError } from "./errors.ts";

type Load = () => Promise<unknown>;

/** Modules that this thread has loaded or tried to: by the file, as stacks have it, the path as it was written. */
const LOADED = new Map<string, string>();

let loadBy = (load: Load): Promise<unknown> => load();

/** How modules are loaded from now on, for a shell with handlers that one that computes for long would block. @param by calls `load` once */
export function loadModulesBy(by: (load: Load) => Promise<unknown>): void {
  loadBy = by;
}

/** Of a frame in a stack, `at f (file:///a/mine.mjs:12:3)` or `at /a/mine.js:12:3`. */
const FRAME = /^\s+at (?:.* \()?(.+):(\d+):\d+\)?$/;

/** Where in a module of the user something was thrown: the innermost of its lines, as in `./mine.mjs:12`; undefined: in none. */
export function placeInModule(error: unknown): string | undefined {
  if (!(error instanceof Error) || LOADED.size === 0) return undefined;
  for (const line of (error.stack ?? "").split("\n")) {
    const [, file, number] = FRAME.exec(line) ?? [];
    const path = file === undefined ? undefined : LOADED.get(file);
    if (path !== undefined) return `${path}:${number}`;
  }
  return undefined;
}

/** What was thrown, behind its place in a module of the user if it has one. */
export function thrownText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const place = placeInModule(error);
  return place === undefined ? text : `${place}: ${text}`;
}

/** What Node puts before a mistake in syntax, as a line of its own: `file:///a/mine.mjs:12` or `/a/mine.cjs:12`. */
const SYNTAX_PLACE = /^((?:file:\/\/)?\/.+|[A-Za-z]:[\\/].+):(\d+)\r?$/m;

/** Longest time in which another process finds it: what is imported while the module runs may run for as long as it likes. */
const FINDING_MS = 10_000;

/**
 * Where a mistake in syntax is: in the module, or in one that it imports. Node tells it only of a module that nobody catches; what is
 * imported as the module begins is read before any of it runs.
 */
function placeOfSyntax(href: string, { stack = "" }: Error): { file: string; line: string } | undefined {
  const run = ["--input-type=module", "--eval", `import ${JSON.stringify(href)}`];
  const told = SYNTAX_PLACE.test(stack)
    ? stack
    : spawnSync(execPath, run, { encoding: "utf8", timeout: FINDING_MS }).stderr;
  const [, found, line] = SYNTAX_PLACE.exec(told) ?? [];
  if (found === undefined || line === undefined) return undefined;
  return { file: found.startsWith("file:") ? fileURLToPath(found) : found, line };
}

/** The innermost frame of what was thrown that is in a file below a folder. */
function placeBelow(folder: string, { stack = "" }: Error): { file: string; line: string } | undefined {
  for (const text of stack.split("\n")) {
    const [, found, line] = FRAME.exec(text) ?? [];
    if (found === undefined || line === undefined || found.includes("node_modules")) continue;
    const file = found.startsWith("file:") ? fileURLToPath(found) : found;
    if (file.startsWith(folder + sep)) return { file, line };
  }
  return undefined;
}

/** What cannot be loaded and why, with the line: of the module itself, or of the one among those it imports that is to blame. */
function loadingFailure(path: string, file: string, cause: unknown): string {
  if (!(cause instanceof Error)) return `\`${path}\`: ${String(cause)}`;
  const place =
    cause instanceof SyntaxError
      ? placeOfSyntax(pathToFileURL(file).href, cause)
      : placeBelow(dirname(file), cause);
  if (place === undefined) return `\`${path}\`: ${cause.message}`;
  if (place.file === file) return `\`${path}:${place.line}\`: ${cause.message}`;
  const imported = join(dirname(path), relative(dirname(file), place.file));
  return `\`${path}\`: ${imported}:${place.line}: ${cause.message}`;
}

/** The same path with the ending that is there: `./mine.mjs` for `./mine.js`. */
function otherEnding(path: string): string | undefined {
  const stem = path.replace(/\.[cm]?[jt]s$/, "");
  return [".mjs", ".js", ".cjs"].map((ending) => stem + ending).find((each) => existsSync(resolve(each)));
}

/**
 * The default export of a module.
 * @param what for messages, such as `algorithm`
 * @throws CcparkError (not-found, invalid-argument) for a file that is not there, or that cannot be loaded
 */
export async function loadDefaultExport(path: string, what: string): Promise<unknown> {
  const file = resolve(path);
  const entry = statSync(file, { throwIfNoEntry: false });
  if (entry === undefined || entry.isDirectory()) {
    const near = entry === undefined ? otherEnding(path) : undefined;
    const why =
      near === undefined
        ? `${entry === undefined ? "" : "it is a folder, "}expected a JavaScript file`
        : `did you mean \`${near}\`?`;
    throw new CcparkError("not-found", `[${what}] no module \`${path}\`: ${why}`);
  }
  const { href } = pathToFileURL(file);
  for (const key of [file, href]) if (!LOADED.has(key)) LOADED.set(key, path);
  let loaded: { readonly default?: unknown };
  try {
    loaded = (await loadBy(async () => await import(href))) as typeof loaded;
  } catch (cause) {
    const hint = /\.m?ts$/.test(path) ? "; this Node loads JavaScript only: compile it first" : "";
    const failure = loadingFailure(path, file, cause);
    throw new CcparkError("invalid-argument", `[${what}] cannot load ${failure}${hint}`, { cause });
  }
  if (loaded.default !== undefined) return loaded.default;
  throw new CcparkError("invalid-argument", `[${what}] \`${path}\` has no default export`);
}
