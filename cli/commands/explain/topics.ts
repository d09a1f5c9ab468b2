/** The topics of `ccpark explain`, in the order of its listing. */
import { algorithms, parameters } from "./algorithm-topics.ts";
import type { Entry, Selection } from "./entry.ts";
import { glossary } from "./glossary.ts";
import { curricula, hyperparameters, learners, recipes, zoo } from "./learning-topics.ts";
import { scenarios, suites, testbeds } from "./scenario-topics.ts";
import { actions, facts, metrics, observations, rewards, states } from "./signal-topics.ts";

export type Topic =
  | "scenarios"
  | "suites"
  | "observations"
  | "actions"
  | "rewards"
  | "facts"
  | "metrics"
  | "states"
  | "algorithms"
  | "parameters"
  | "learners"
  | "hyperparameters"
  | "recipes"
  | "zoo"
  | "curricula"
  | "testbeds"
  | "glossary";

export const TOPICS: Readonly<Record<Topic, (selection: Selection) => Promise<Entry[]>>> = {
  scenarios,
  suites,
  observations,
  actions,
  rewards,
  facts,
  metrics,
  states,
  algorithms,
  parameters,
  learners,
  hyperparameters,
  recipes,
  zoo,
  curricula,
  testbeds,
  glossary,
};

export const TOPIC_NAMES: readonly Topic[] = Object.keys(TOPICS) as Topic[];

/** What a user's module is, by what only such a module has. @throws CcparkError where it cannot be loaded */
export async function topicOfModule(path: string): Promise<Topic> {
  const { loadDefaultExport } = await import("../../../core/module-files.ts");
  const loaded = Object(await loadDefaultExport(path, "explain")) as object;
  if ("features" in loaded) return "observations";
  if ("apply" in loaded) return "actions";
  return "components" in loaded ? "rewards" : "algorithms";
}
