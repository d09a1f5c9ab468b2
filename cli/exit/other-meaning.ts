/** What else has a name that was unknown where somebody typed it: a suite given as a scenario, an experiment as a suite. */
import type { UnknownName } from "../../core/errors.ts";
import { TOPICS, type Topic } from "../commands/explain/topics.ts";

/** What has names that are taken for those of others, and the use of one. */
const USES: Partial<Record<Topic, (name: string) => string>> = {
  scenarios: (name) => `a scenario: \`ccpark bench --scenario ${name}\``,
  suites: (name) => `a suite: \`ccpark bench --suite ${name}\``,
  observations: (name) => `an observation: \`ccpark train --observation ${name}\``,
  actions: (name) => `an action: \`ccpark train --action ${name}\``,
  rewards: (name) => `a reward: \`ccpark train --reward ${name}\``,
  metrics: (name) => `a metric: \`ccpark explain metrics ${name}\``,
  algorithms: (name) => `an algorithm: \`ccpark bench --algorithms ${name}\``,
  learners: (name) => `a learner: \`ccpark train --learner ${name}\``,
  recipes: (name) => `a recipe: \`ccpark train --recipe ${name}\``,
  zoo: (name) => `a policy: \`ccpark bench --algorithms ${name}\``,
  curricula: (name) => `a curriculum: \`ccpark train --curriculum ${name}\``,
  testbeds: (name) => `a testbed: \`ccpark bench --on ${name}\``,
};

/** Names of a topic with a prefix are known without it, too: `general` of `zoo:general`. */
const bare = (name: string): string => name.slice(name.indexOf(":") + 1);

/**
 * @param commands names of the program's
 * @returns a sentence such as "`pantheon` is a suite: `ccpark bench --suite pantheon`"; undefined: nothing has that name
 */
export async function otherMeaning(
  { typed }: UnknownName,
  commands: readonly string[],
): Promise<string | undefined> {
  const found: string[] = [];
  for (const [topic, use] of Object.entries(USES) as [Topic, (name: string) => string][]) {
    const entries = await TOPICS[topic]({ expand: false });
    const entry = entries.find(({ name }) => name === typed || bare(name) === typed);
    if (entry !== undefined) found.push(use(entry.name));
  }
  const { EXPERIMENT_NAMES } = await import("../../eval/experiments/registry.ts");
  if (EXPERIMENT_NAMES.includes(typed)) found.push(`an experiment: \`ccpark experiment ${typed}\``);
  if (commands.includes(typed)) found.push(`a command: \`ccpark ${typed} --help\``);
  return found.length === 0 ? undefined : `\`${typed}\` is ${found.join(", and ")}`;
}
