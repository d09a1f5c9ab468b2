/** Runs an experiment as the command does, with its defaults unless something else is said. */
import { expect } from "vitest";
import type { Claim } from "../../../eval/experiments/experiment.ts";
import { loadExperiment } from "../../../eval/experiments/registry.ts";

/** What a scenario's experiment may take on one core, seconds. */
const CPU_LIMIT_SEC = 60;

export interface Outcome {
  readonly rows: readonly object[];
  readonly claims: readonly Claim[];
  readonly text: string;
}

export async function outcomeOf(
  name: string,
  given: Readonly<Record<string, unknown>> = {},
): Promise<Outcome> {
  const experiment = await loadExperiment(name);
  const initial = Object.entries(experiment.options).map(([key, { initial: value }]) => [key, value]);
  const settings = { ...Object.fromEntries(initial), ...given };
  const before = process.cpuUsage();
  const rows: object[] = [];
  for await (const row of experiment.run(settings)) rows.push(row);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6, `${name}: CPU seconds`).toBeLessThan(CPU_LIMIT_SEC);
  const { claims, text } = experiment.report(rows, settings);
  return { rows, claims, text };
}

/** All of its claims hold, and some are judged. */
export function expectClaims({ claims }: Outcome): void {
  expect(claims.some(({ verdict }) => verdict !== undefined)).toBe(true);
  for (const claim of claims) expect(claim.verdict ?? "pass", JSON.stringify(claim)).toBe("pass");
}
