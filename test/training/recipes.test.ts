/** Recipes of published controllers, and the policies that come with ccpark. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { getLearner } from "../../agents/registry.ts";
import { loadZoo, zooNames, zooSummary } from "../../agents/zoo-files.ts";
import { namedContenders } from "../../cli/contenders.ts";
import { loadCheckpointContender } from "../../cli/policies.ts";
import { resolveEpisodes } from "../../cli/train/episodes.ts";
import { getAction } from "../../envs/signals/actions.ts";
import { getObservation } from "../../envs/signals/observations.ts";
import { getReward } from "../../envs/signals/rewards.ts";
import { getScenario } from "../../scenarios/presets.ts";
import { getRecipe, RECIPES } from "../../training/recipes/registry.ts";

describe.each([...RECIPES.values()])("recipe $name", (recipe) => {
  it("names what there is: scenarios, signals, a learner of its action, and options within their ranges", () => {
    resolveEpisodes({ scenarios: recipe.scenarios, trace: null, set: [], episodeSec: recipe.episodeSec });
    const { space } = getAction(recipe.action);
    const learner = getLearner(recipe.learner);
    expect(learner.actions).toContain(space.kind);
    getObservation(recipe.observation);
    getReward(recipe.reward);
    learner.checkOptions(recipe.options);
    expect(recipe.source).not.toBe("");
    expect(recipe.differs.length).toBeGreaterThan(0);
  });
});

it("an unknown recipe is refused with the nearest name", () => {
  expect(() => getRecipe("arora")).toThrow("did you mean `aurora`");
});

describe.each(zooNames())("zoo:%s", (name) => {
  it("is small, has a card, and runs as any policy", async () => {
    const path = new URL(`../../agents/zoo/${name}.ccpark.gz`, import.meta.url);
    expect(statSync(path).size).toBeLessThan(100_000);
    const card = new URL(`../../agents/zoo/${name}.md`, import.meta.url);
    expect(existsSync(card)).toBe(true);
    const text = readFileSync(card, "utf8");
    expect(text.replaceAll("\n", " ")).toContain(` ${zooSummary(name)} `);
    expect(zooSummary(name)).toMatch(/^[A-Z][^#]{40,}\.$/);
    for (const heading of ["Data", "Command", "Scores", "Limits"]) expect(text).toContain(`## ${heading}`);
    const { contenders } = await namedContenders([`zoo:${name}`]);
    const scenario = getScenario("park-paper", { durationSec: 3 });
    const { metrics } = await contenders[0]!.run({ scenario, seed: 1, rewardName: "score", seriesBinSec: 1 });
    expect(metrics.sentPackets).toBeGreaterThan(10);
  });

  it("has the observation, action and learner of its recipe", () => {
    const { header } = loadZoo(name);
    const recipe = getRecipe(name);
    expect(header.env).toMatchObject({ observation: recipe.observation, action: recipe.action });
    expect(header.learner).toBe(recipe.learner);
  });
});

it.each(["pantheon-2", "pantheon-3"])(
  "zoo:general uses four fifths of %s, whose packets go at random, with a tenth of Cubic's queue",
  async (link) => {
    const { contenders } = await namedContenders(["zoo:general", "cubic"]);
    const scenario = getScenario(link, { durationSec: 30 });
    const runs = contenders.map((each) =>
      each.run({ scenario, seed: 1, rewardName: "score", seriesBinSec: 1 }),
    );
    const [own, cubic] = (await Promise.all(runs)).map(({ metrics }) => metrics);
    expect(own!.utilisation).toBeGreaterThan(0.8);
    expect(own!.meanQueueDelayMs).toBeLessThan(0.1 * cubic!.meanQueueDelayMs);
  },
);

it("an unknown policy of the zoo is refused with those that there are", async () => {
  await expect(loadCheckpointContender("x", "zoo:genera")).rejects.toThrow("did you mean `general`");
});
