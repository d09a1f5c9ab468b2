/** Algorithms from a user's own modules. */
import { readFileSync } from "node:fs";
import { CompileError, type CompileWarning, positionOf } from "../ccp-bridge/lang/compile-error.ts";
import { compileProgram } from "../ccp-bridge/lang/compiler.ts";
import { CcparkError } from "../core/errors.ts";
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

/** A module's file with the line of a place in one of its programs, as in `./mine.mjs:12`, where the program's text stands there as it is. */
function placeInFile(path: string, source: string, line: number): string {
  const text = readFileSync(path, "utf8").replaceAll("\r\n", "\n");
  const at = text.indexOf(source);
  return at < 0 ? path : `${path}:${positionOf(text, at).line + line - 1}`;
}

/** @throws CcparkError (invalid-argument) with the module's file for a program that does not compile */
function warningsOf(path: string, program: string, source: string): readonly CompileWarning[] {
  try {
    return compileProgram(source).warnings;
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    const { kind, message } = error.of(program);
    const place = placeInFile(path, source, error.line);
    throw new CcparkError(kind, message.replace("] ", `] ${place}: `), { cause: error });
  }
}

/**
 * What datapath programs of modules are probably not meant to say, such as a misspelt measurement, which reads 0: a line each.
 * @throws CcparkError (invalid-argument) with file and line for a program that does not compile
 */
export function mistakesInPrograms(modules: AlgorithmModules): string[] {
  return [...modules.keys()].flatMap((path) => {
    const algorithm = makeAlgorithm(resolveAlgorithm(path, modules));
    if (typeof algorithm === "function") return [];
    return Object.entries(algorithm.programs).flatMap(([name, source]) =>
      warningsOf(path, name, source)
        .filter(({ isMistake }) => isMistake)
        .map(
          ({ line, column, message }) =>
            `${placeInFile(path, source, line)}: program ${name}, line ${line}, column ${column}: ${message}`,
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
