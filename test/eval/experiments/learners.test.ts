/** The experiment on learners, made small: what is compared with what, and that it is the same every time. */
import { describe, expect, it } from "vitest";
import { learners } from "../../../eval/experiments/learned/learners.ts";

async function rowsOf(settings: object): Promise<object[]> {
  const rows: object[] = [];
  for await (const row of learners.run(settings as never)) rows.push(row);
  return rows;
}

describe("experiment learners", () => {
  const settings = {
    ...Object.fromEntries(Object.entries(learners.options).map(([name, { initial }]) => [name, initial])),
    seeds: [1, 2],
    learners: ["iql", "dqn"],
    scale: 0.01,
    links: 2,
    episodes: 2,
    points: 2,
  };

  it("has a row of each training and of who was recorded, with shares of PPO's score and of the recordings'", async () => {
    const rows = (await rowsOf(settings)) as { name: string; curve: { steps: number; score: number }[] }[];
    expect(rows.map(({ name }) => name)).toEqual([
      ...["cubic", "bbr"],
      ...["ppo", "ppo", "dqn", "dqn", "iql", "iql"],
    ]);
    expect(rows.length).toBe(learners.count(settings as never));
    const { claims, summary } = learners.report(rows, settings as never);
    const outcomes = summary as { name: string; score: number; share: number; scores: number[] }[];
    const of = (name: string) => outcomes.find((each) => each.name === name)!;
    const last = rows.filter(({ name }) => name === "dqn").map(({ curve }) => curve.at(-1)!.score);
    expect(of("dqn").scores).toEqual(last);
    expect(of("dqn").score).toBeCloseTo((last[0]! + last[1]!) / 2, 12);
    expect(of("dqn").share).toBeCloseTo(of("dqn").score / of("ppo").score, 12);
    const offline = claims.find(({ claim }) => claim.startsWith("score of iql over the mean"))!;
    expect(offline.measured).toBeCloseTo((2 * of("iql").score) / (of("cubic").score + of("bbr").score), 12);
    expect(offline.threshold).toEqual({ low: 1.1 });
    expect(await rowsOf(settings)).toEqual(rows);
  }, 120_000);
});
