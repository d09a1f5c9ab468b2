/** What an attack leaves behind: the short scenario that anybody can run, and how it was found. */
import { stringify } from "yaml";
import type { ScenarioInput } from "../../scenarios/template.ts";
import { type AttackResult, attackName } from "./attack.ts";
import { type Duel, utilityMetric } from "./utility.ts";

/** A scenario file. @param comment lines above it */
export function scenarioText(scenario: ScenarioInput, comment: readonly string[]): string {
  const { name: _, ...fields } = scenario;
  return `${comment.map((line) => `# ${line}\n`).join("")}${stringify(fields, { lineWidth: 100, aliasDuplicateObjects: false })}`;
}

/** File names without a folder, and what is in them. */
export function attackFiles(
  result: AttackResult,
  {
    command,
    versions,
    weight,
  }: {
    readonly command: string;
    readonly versions: Readonly<Record<string, string>>;
    /** of throughput in the utility */
    readonly weight: number;
  },
): Record<string, string> {
  const name = attackName(result);
  const { target, reference, simplified, found } = result;
  const head = ({ gap, reference: ofReference }: Duel): string[] => [
    `${target} against ${reference}: gap of utility ${gap.toFixed(3)} (AdvNet's; the score may say otherwise)`,
    `found by: ${command}`,
    `replay: ccpark bench --scenario FILE --algorithms ${reference},${target} --seeds 1 ${utilityMetric(ofReference, weight)}`,
  ];
  return {
    [`${name}.yaml`]: scenarioText(simplified.scenario, head(simplified.duel)),
    [`${name}.found.yaml`]: scenarioText(found.scenario, head(found.duel)),
    [`${name}.json`]: `${JSON.stringify({ command, versions, ...result }, null, 2)}\n`,
  };
}
