/** Algorithms from a user's own modules. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CcparkError } from "../core/errors.ts";
import { type AlgorithmModules, parseReference } from "./reference.ts";
import { type AlgorithmSpec, checkSpec } from "./spec.ts";

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

/**
 * Loads the modules that references name.
 * @throws CcparkError
 */
export async function loadModules(references: readonly string[]): Promise<AlgorithmModules> {
  const modules = new Map<string, AlgorithmSpec>();
  for (const reference of references) {
    const { name, isModule } = parseReference(reference);
    if (!isModule || modules.has(name)) continue;
    modules.set(name, checkSpec(await loadDefaultExport(name, "algorithm"), `\`${name}\``));
  }
  return modules;
}
