/** Options that are congestion controls by reference, checked when they are read: `copa`, `vegas:alpha=3,./mine.js`. */
import { resolveAlgorithm, splitReferences } from "../../algorithms/reference.ts";
import { CcparkError } from "../../core/errors.ts";
import type { ExperimentOption } from "./options.ts";

/** @throws CcparkError (invalid-argument) in the words of options */
function checked(reference: string, check: (reference: string) => unknown): string {
  try {
    check(reference);
  } catch (error) {
    if (!(error instanceof CcparkError)) throw error;
    const why = error.message.replace(/^\[\w+\] /, "");
    throw new CcparkError("invalid-argument", `expected an algorithm: ${why}`);
  }
  return reference;
}

export function algorithm(initial: string, help: string): ExperimentOption<string> {
  const parse = (text: string): string => checked(text.trim(), resolveAlgorithm);
  return { placeholder: "algorithm", help, initial, format: String, parse };
}

/** Each once. @param check of one, where there are others than algorithms */
export function algorithms(
  initial: readonly string[],
  help: string,
  check: (reference: string) => unknown = resolveAlgorithm,
): ExperimentOption<readonly string[]> {
  const parse = (text: string): string[] => {
    const references = splitReferences(text).map((reference) => checked(reference, check));
    if (references.length > 0 && new Set(references).size === references.length) return references;
    throw new CcparkError("invalid-argument", "expected algorithms separated by commas, each once.");
  };
  return { placeholder: "algorithms", help, initial, format: (values) => values.join(","), parse };
}
