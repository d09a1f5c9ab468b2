/** Scenarios by name including those that run on a trace file; the only file of this folder that touches the file system. */
import { loadTrace } from "../../traces/trace-files.ts";
import type { Scenario } from "../scenario.ts";
import { findPreset, getScenario } from "./presets.ts";

export interface ResolveOptions {
  /** a file in Mahimahi's format or the name of a shipped trace, for presets that take one */
  readonly tracePath?: string;
  /** seconds, > 0; absent: the preset's */
  readonly durationSec?: number;
}

/**
 * The scenario of a preset, its trace loaded.
 * @throws as `getScenario` and `loadTrace`
 */
export function resolveScenario(name: string, options: ResolveOptions = {}): Scenario {
  const { trace: wanted } = findPreset(name);
  const { tracePath, durationSec } = options;
  const source = tracePath ?? (typeof wanted === "object" ? wanted.shipped : undefined);
  return getScenario(name, { trace: source === undefined ? undefined : loadTrace(source), durationSec });
}
