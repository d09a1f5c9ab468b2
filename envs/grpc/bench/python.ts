/** The Python client of the benchmark: `python/bench/steps.py` in a process of its own, and the windows that it prints. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Results, Window } from "./loops.ts";

/** What the script is told. */
export interface PythonSetup {
  readonly address: string;
  readonly echoAddress: string;
  readonly scenario: unknown;
  /** by the names that the package has for them */
  readonly options: Readonly<Record<string, unknown>>;
  readonly numEnvs: number;
  readonly cwndPackets: number;
  readonly requestBytes: number;
  readonly answerBytes: number;
  readonly handOffs: number;
  /** steps under way at a time, one contender for each */
  readonly depths: readonly number[];
  readonly runs: number;
  readonly windowMs: number;
}

type Line =
  | (Window & { readonly what: string })
  | { readonly what: "episodes"; readonly utilisation: number };

/** The script lies in the clone, not in what is built. */
const SCRIPT = fileURLToPath(new URL("../../../../python/bench/steps.py", import.meta.url));

/** @param python an interpreter that has the package `ccpark` */
export async function runPython(
  python: string,
  setup: PythonSetup,
): Promise<{ readonly results: Results; readonly utilisation: number }> {
  const child = spawn(python, [SCRIPT, JSON.stringify(setup)], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const results = new Map<string, Window[]>();
  let utilisation = Number.NaN;
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text) as Line;
    if ("utilisation" in line) utilisation = line.utilisation;
    else results.set(line.what, [...(results.get(line.what) ?? []), line]);
  }
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`${python} ${SCRIPT} ended with code ${code}`);
  return { results, utilisation };
}
