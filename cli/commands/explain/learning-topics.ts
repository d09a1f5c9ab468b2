/** What training is made of: learners and their options, recipes, curricula, and policies that come with ccpark. */
import type { Entry, Selection } from "./entry.ts";

/** A learner each, as `train --learner` takes it. */
export async function learners(): Promise<Entry[]> {
  const { DEFAULT_LEARNER, LEARNERS } = await import("../../../agents/registry.ts");
  return [...LEARNERS.values()].map(({ name, source, summary, actions: learnsOver }) => ({
    name,
    summary,
    source,
    isDefault: name === DEFAULT_LEARNER,
    facts: [`actions: ${learnsOver.map((kind) => (kind === "box" ? "a box" : "choices")).join(", ")}`],
    data: { actions: learnsOver },
  }));
}

/** The same, with what `train --set` may change. */
export async function hyperparameters(): Promise<Entry[]> {
  const { getLearner } = await import("../../../agents/registry.ts");
  const { valuesOfKind } = await import("../../../agents/nn/options.ts");
  return (await learners()).map((entry) => {
    const { options, defaults, tuned } = getLearner(entry.name);
    return {
      ...entry,
      options: Object.entries(options).map(([option, kind]) => ({
        name: option,
        values: valuesOfKind(kind),
        default: tuned[option] ?? defaults[option]!,
        definition: kind.definition,
      })),
    };
  });
}

export async function recipes(): Promise<Entry[]> {
  const { RECIPES } = await import("../../../training/recipes/registry.ts");
  return [...RECIPES.values()].map(({ name, summary, source, differs, ...recipe }) => ({
    name,
    summary,
    source,
    facts: [
      `observation ${recipe.observation}, action ${recipe.action}, learner ${recipe.learner}, steps of ${recipe.stepMs === "rtt" ? "a round trip" : `${recipe.stepMs} ms`}`,
      `reward: ${recipe.reward}`,
      `on ${recipe.scenarios.join(", ")}, ${recipe.steps.toLocaleString("en")} steps`,
      ...differs.map((each) => `differs: ${each}`),
    ],
    data: { ...recipe, differs },
  }));
}

/** Policies that come with ccpark, as `zoo:NAME`. */
export async function zoo(): Promise<Entry[]> {
  const { loadZoo, ZOO_PREFIX, zooNames, zooSummary } = await import("../../../agents/zoo-files.ts");
  return zooNames().map((bare) => {
    const { learner, env, steps } = loadZoo(bare).header;
    const name = `${ZOO_PREFIX}${bare}`;
    return {
      name,
      summary: zooSummary(bare),
      facts: [
        `learner ${learner}, observation ${env.observation}, action ${env.action}, ${steps.toLocaleString("en")} steps`,
        `\`ccpark bench --algorithms cubic,${name}\``,
        `card: agents/zoo/${bare}.md`,
      ],
      data: { learner, observation: env.observation, action: env.action, steps },
    };
  });
}

export async function curricula({ name: wanted }: Selection): Promise<Entry[]> {
  const { CURRICULA, findCurriculum } = await import("../../../training/curricula/registry.ts");
  const listed = wanted === undefined ? [...CURRICULA.values()] : [findCurriculum(wanted)];
  return listed.map(({ name, summary, source, shares }) => ({
    name,
    summary,
    source,
    facts: [
      `shares of episodes: ${Object.entries(shares)
        .map(([file, share]) => `${file} ${share}`)
        .join(", ")}`,
    ],
    data: { shares },
  }));
}
