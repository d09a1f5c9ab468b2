/** Algorithms from a user's own modules. */
import { CompileError, type CompileWarning } from "../ccp-bridge/lang/compile-error.ts";
import { compileProgram } from "../ccp-bridge/lang/compiler.ts";
import { loadDefaultExport } from "../core/module-files.ts";
import {
  type AlgorithmModules,
  isRegistered,
  makeAlgorithm,
  parseReference,
  registerAlgorithm,
  resolveAlgorithm,
} from "./reference.ts";
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

function warningsOf(source: string): readonly CompileWarning[] {
  try {
    return compileProgram(source).warnings;
  } catch (error) {
    // whoever installs it is told
    if (error instanceof CompileError) return [];
    throw error;
  }
}

/** What datapath programs of modules are probably not meant to say, such as a misspelt measurement, which reads 0: a line each. */
export function mistakesInPrograms(modules: AlgorithmModules): string[] {
  return [...modules.keys()].flatMap((path) => {
    const algorithm = makeAlgorithm(resolveAlgorithm(path, modules));
    if (typeof algorithm === "function") return [];
    return Object.entries(algorithm.programs).flatMap(([name, source]) =>
      warningsOf(source)
        .filter(({ isMistake }) => isMistake)
        .map(
          ({ line, column, message }) =>
            `${path}: program ${name}, line ${line}, column ${column}: ${message}`,
        ),
    );
  });
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
