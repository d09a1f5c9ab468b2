/** What else has a name that was unknown where somebody typed it: a suite given as a scenario, an experiment as a suite. */
import type { UnknownName } from "../../core/errors.ts";
import { TOPICS, type Topic } from "../commands/explain/topics.ts";

/** What has names that are taken for those of others, in a word, and the use of one. */
const USES: Partial<Record<Topic, readonly [what: string, use: string]>> = {
  scenarios: ["a scenario", "bench --scenario"],
  suites: ["a suite", "bench --suite"],
  observations: ["an observation", "train --observation"],
  actions: ["an action", "train --action"],
  rewards: ["a reward", "train --reward"],
  metrics: ["a metric", "explain metrics"],
  algorithms: ["an algorithm", "bench --algorithms"],
  learners: ["a learner", "train --learner"],
  recipes: ["a recipe", "train --recipe"],
  zoo: ["a policy", "bench --algorithms"],
  curricula: ["a curriculum", "train --curriculum"],
  testbeds: ["a testbed", "bench --on"],
};

/** Names of a topic with a prefix are known without it, too: `general` of `zoo:general`. */
const bare = (name: string): string => name.slice(name.indexOf(":") + 1);

/**
 * @param commands names of the program's
 * @returns a sentence such as "`pantheon` is a suite: `ccpark bench --suite pantheon`"; undefined: nothing else has that name
 */
export async function otherMeaning(
  { typed, what }: UnknownName,
  commands: readonly string[],
): Promise<string | undefined> {
  const found: string[] = [];
  for (const [topic, [noun, use]] of Object.entries(USES) as [Topic, readonly [string, string]][]) {
    // the default algorithm of an agent is one of fewer
    if (what.includes(noun.slice(noun.indexOf(" ") + 1))) continue;
    const entries = await TOPICS[topic]({ expand: false });
    const entry = entries.find(({ name }) => name === typed || bare(name) === typed);
    if (entry !== undefined) found.push(`${noun}: \`ccpark ${use} ${entry.name}\``);
  }
  const { EXPERIMENT_NAMES } = await import("../../eval/experiments/registry.ts");
  if (EXPERIMENT_NAMES.includes(typed)) found.push(`an experiment: \`ccpark experiment ${typed}\``);
  if (commands.includes(typed)) found.push(`a command: \`ccpark ${typed} --help\``);
  return found.length === 0 ? undefined : `\`${typed}\` is ${found.join(", and ")}`;
}
