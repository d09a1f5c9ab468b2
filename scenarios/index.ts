/** Scenarios as plain data: the type, presets, suites, and files. */
export { flowsUnderTest, UNDER_TEST } from "./flows.ts";
export { findSuite, SUITES } from "./presets/suites.ts";
export { findPreset, getScenario, SCENARIOS } from "./presets.ts";
export type { Scenario } from "./scenario.ts";
export { resolveScenarios } from "./scenario-files.ts";
export { LINUX_SENDER, type SenderOptions } from "./sender-options.ts";
export { sampleScenario } from "./template.ts";
export { ScenarioError, validateScenario } from "./validate.ts";
