/** Modules of a user's own: JavaScript files that stand for a name. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CcparkError } from "./errors.ts";

/**
 * The default export of a module.
 * @param what for messages, such as `algorithm`
 * @throws CcparkError (not-found, invalid-argument) for a file that is not there, or that cannot be loaded
 */
export async function loadDefaultExport(path: string, what: string): Promise<unknown> {
  const file = resolve(path);
  if (!existsSync(file)) {
    throw new CcparkError("not-found", `[${what}] no module \`${path}\`: expected a JavaScript file`);
  }
  let loaded: { readonly default?: unknown };
  try {
    loaded = (await import(pathToFileURL(file).href)) as typeof loaded;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const hint = /\.m?ts$/.test(path) ? "; this Node loads JavaScript only: compile it first" : "";
    throw new CcparkError("invalid-argument", `[${what}] cannot load \`${path}\`: ${why}${hint}`, { cause });
  }
  if (loaded.default !== undefined) return loaded.default;
  throw new CcparkError("invalid-argument", `[${what}] \`${path}\` has no default export`);
}
