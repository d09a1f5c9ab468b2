/** Modules of a user's own: JavaScript files that stand for a name, and where in them something was thrown. */
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { execPath } from "node:process";
import { pathToFileURL } from "node:url";
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

/** The line of a mistake in syntax, which Node tells only when it checks the file. */
function placeOfSyntax(path: string, file: string): string {
  const { stderr } = spawnSync(execPath, ["--check", file], { encoding: "utf8" });
  const number = /:(\d+)\r?$/m.exec(stderr.split("\n", 1)[0]!)?.[1];
  return number === undefined ? path : `${path}:${number}`;
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
    const why = entry === undefined ? "" : "it is a folder, ";
    throw new CcparkError("not-found", `[${what}] no module \`${path}\`: ${why}expected a JavaScript file`);
  }
  const { href } = pathToFileURL(file);
  for (const key of [file, href]) if (!LOADED.has(key)) LOADED.set(key, path);
  let loaded: { readonly default?: unknown };
  try {
    loaded = (await loadBy(async () => await import(href))) as typeof loaded;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const hint = /\.m?ts$/.test(path) ? "; this Node loads JavaScript only: compile it first" : "";
    const place = cause instanceof SyntaxError ? placeOfSyntax(path, file) : (placeInModule(cause) ?? path);
    throw new CcparkError("invalid-argument", `[${what}] cannot load \`${place}\`: ${why}${hint}`, { cause });
  }
  if (loaded.default !== undefined) return loaded.default;
  throw new CcparkError("invalid-argument", `[${what}] \`${path}\` has no default export`);
}
