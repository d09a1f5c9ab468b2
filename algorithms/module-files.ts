/** Algorithms from a user's own modules. */
import { loadDefaultExport } from "../core/module-files.ts";
import { type AlgorithmModules, isRegistered, parseReference, registerAlgorithm } from "./reference.ts";
import { type AlgorithmSpec, checkSpec } from "./spec.ts";

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

/**
 * Makes modules known to this process by their paths; one that is known already is left alone.
 * @throws CcparkError
 */
export async function registerModules(paths: readonly string[]): Promise<void> {
  for (const [path, spec] of await loadModules(paths.filter((each) => !isRegistered(each)))) {
    registerAlgorithm(path, spec);
  }
}
