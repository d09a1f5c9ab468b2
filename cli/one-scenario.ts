import type { Scenario } from "../scenarios/scenario.ts";
import { noteSlowAcks } from "./ack-path-note.ts";
import { interruptible } from "./console.ts";

/** What of a command's options says which scenario is meant. */
export interface OneScenarioOptions {
  readonly scenario: string;
  readonly set?: readonly string[];
  readonly trace?: string;
  readonly duration?: number;
  readonly seed: number;
  readonly quiet?: true;
}

/** The scenario of a command that runs one, with its cross traffic checked. @throws CcparkError naming what is wrong */
export async function oneScenario(options: OneScenarioOptions): Promise<Scenario> {
  const { checkCrossTraffic } = await import("../algorithms/cross-traffic.ts");
  const { parseOverride } = await import("../scenarios/overrides.ts");
  const { resolveScenario } = await import("../scenarios/scenario-files.ts");
  const scenario = interruptible(() =>
    resolveScenario(options.scenario, {
      tracePath: options.trace,
      durationSec: options.duration,
      overrides: (options.set ?? []).map(parseOverride),
      seed: options.seed,
    }),
  );
  checkCrossTraffic(scenario);
  if (options.quiet !== true) {
    const given = { names: [options.scenario], overrides: options.set, trace: options.trace };
    await noteSlowAcks([{ of: () => scenario }], given, options.seed);
  }
  return scenario;
}
