/** A worker thread of `bench --suite NAME` for a suite with thresholds. */
import { workerData } from "node:worker_threads";
import { CcparkError, type ErrorKind } from "../../core/errors.ts";
import type { CaseRun } from "../../eval/suites/case-suite.ts";
import { type CasesInput, type CaseUnit, loadCases, runCaseUnit } from "./cases.ts";

/** A user's mistake keeps its kind on the way to the command. */
export type CaseOutcome =
  | { readonly runs: readonly CaseRun[] }
  | { readonly kind: ErrorKind; readonly message: string };

const input = workerData as CasesInput;
// awaited below: under tsx a worker's module may not await at its top
const loaded = loadCases(input);

export default async function runUnit(unit: CaseUnit): Promise<CaseOutcome> {
  try {
    return { runs: await runCaseUnit(await loaded, unit, input.qlog) };
  } catch (error) {
    if (error instanceof CcparkError) return { kind: error.kind, message: error.message };
    throw error;
  }
}
