/** Where things run: scenarios, suites and testbeds. */
import { seedsText } from "../../../eval/seeds.ts";
import type { PresetStatus, ScenarioPreset } from "../../../scenarios/presets/preset.ts";
import { interruptible } from "../../console.ts";
import type { Entry, Selection } from "./entry.ts";

export async function scenarios({ name, expand }: Selection): Promise<Entry[]> {
  const { findPreset, presetMembers, SCENARIOS } = await import("../../../scenarios/presets.ts");
  const { resolveScenarios } = await import("../../../scenarios/scenario-files.ts");
  const { linkLabel, storedScenario } = await import("../../../eval/links.ts");
  const listed = name === undefined ? [...SCENARIOS.values()] : [findPreset(name)];
  const presets = interruptible(() =>
    listed.flatMap((preset) =>
      expand || name !== undefined ? [preset, ...presetMembers(preset).values()] : [preset],
    ),
  );
  const entryOf = (preset: ScenarioPreset): Entry => {
    const { description, source, trace, status } = preset;
    const members = presetMembers(preset).size;
    const facts = [statusText(status)];
    if (members > 0) {
      const kind = preset.template === undefined ? "grid of" : "variants:";
      facts.push(`${kind} ${members} (\`ccpark explain scenarios ${preset.name}\`)`);
    }
    const common = { name: preset.name, summary: description, source };
    const data = { status, ...(members > 0 ? { members } : {}) };
    if (trace === "any") {
      return { ...common, facts: ["needs --trace FILE", ...facts], data: { ...data, needsTrace: true } };
    }
    if (preset.template === undefined) return { ...common, facts, data };
    const [entry] = resolveScenarios([preset.name]);
    if (entry!.drawn) {
      return {
        ...common,
        facts: ["link: drawn for each seed", ...facts],
        data: { ...data, template: entry!.template },
      };
    }
    const scenario = entry!.of(0);
    const stored = storedScenario(scenario);
    const { name: _, source: __, description: ___, ...parameters } = stored;
    return {
      ...common,
      facts: [`link: ${linkLabel(scenario)}, ${scenario.durationSec} s`, ...facts],
      data: { ...data, link: linkLabel(scenario), ...parameters },
    };
  };
  return interruptible(() => presets.map(entryOf));
}

function statusText(status: PresetStatus): string {
  switch (status.kind) {
    case "runnable":
      return "status: runnable";
    case "substituted":
      return `status: runnable with substitution (${status.substitution})`;
    case "not-runnable":
      return `status: not runnable (${status.why})`;
  }
}

export async function suites(): Promise<Entry[]> {
  const { SUITES } = await import("../../../scenarios/presets/suites.ts");
  return [...SUITES.values()].map(({ name, description, source, scenarios: names, seeds }) => ({
    name,
    summary: description,
    source,
    facts: [
      `\`ccpark bench --suite ${name}\`: ${names.length > 6 ? `${names[0]} to ${names.at(-1)}` : names.join(", ")}`,
      ...(seeds === undefined ? [] : [seedsText(seeds)]),
    ],
    data: { scenarios: names, seeds: seeds ?? null },
  }));
}

export async function testbeds(): Promise<Entry[]> {
  const { DEFAULT_TESTBED, TESTBEDS } = await import("../../../testbeds/registry.ts");
  const { SCENARIOS } = await import("../../../scenarios/presets.ts");
  const { resolveScenarios } = await import("../../../scenarios/scenario-files.ts");
  const presets = [...SCENARIOS.values()].filter(
    ({ template, trace }) => template !== undefined && trace !== "any",
  );
  const scenarios = interruptible(() => presets.map(({ name }) => resolveScenarios([name])[0]!.of(0)));
  return [...TESTBEDS.values()].map((testbed) => {
    const refused = scenarios.flatMap((scenario) => {
      const why = testbed.refuses(scenario);
      return why === undefined ? [] : [`${scenario.name}: ${why}`];
    });
    return {
      name: testbed.name,
      summary: testbed.summary,
      isDefault: testbed.name === DEFAULT_TESTBED,
      facts: [
        `clock: ${testbed.clock}`,
        `runs ${scenarios.length - refused.length} of ${scenarios.length} presets${refused.length > 0 ? `; not, for example, ${refused[0]}` : ""}`,
        `records for --export: ${testbed.records.length === 0 ? "nothing but series" : testbed.records.join(", ")}`,
      ],
      data: { clock: testbed.clock, records: testbed.records, refuses: refused },
    };
  });
}
