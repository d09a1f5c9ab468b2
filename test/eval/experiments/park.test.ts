/** Park's A2C beside Vegas, shortened: what the experiment measures and how it judges. */
import { expect, it } from "vitest";
import { park } from "../../../eval/experiments/learned/park.ts";

interface Row {
  readonly name: string;
  readonly seed?: number;
  readonly curve: readonly { readonly steps: number; readonly score: number; readonly lossRate: number }[];
}

const SETTINGS = { seeds: [7], steps: 1024, evaluateEvery: 2, reward: "score" };

async function rowsOf(): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of park.run(SETTINGS)) rows.push(row as Row);
  return rows;
}

it("trains both forms of A2C beside Vegas, the same for the same seed, and judges by the steps to Vegas's score", async () => {
  const rows = await rowsOf();
  expect(rows.map(({ name, seed }) => [name, seed])).toEqual([
    ["Vegas", undefined],
    ["A2C", 7],
    ["A2C confined", 7],
  ]);
  expect(park.count(SETTINGS)).toBe(rows.length);
  const [vegas, alone, confined] = rows;
  expect(alone!.curve.map(({ steps }) => steps)).toEqual([0, 512, 1024]);
  // a window of half of the largest one floods 400 packets; 1.1 times Vegas's average does not
  expect(alone!.curve[0]!.score).toBeLessThan(vegas!.curve[0]!.score - 1);
  expect(confined!.curve[0]!.lossRate).toBeLessThan(0.02);

  const { claims, text } = park.report(rows, SETTINGS);
  expect(claims.map(({ verdict }) => verdict)).toContain("pass");
  expect(text).toContain("A2C confined");
  expect(await rowsOf()).toEqual(rows);
});

it("fails where the confined one never gets to Vegas's score, and says so", () => {
  const point = { utilisation: 1, meanQueueDelayMs: 1, lossRate: 0 };
  const curveOf = (scores: readonly number[]) =>
    scores.map((score, i) => ({ ...point, score, steps: 100 * i }));
  const rows = [
    { name: "Vegas", curve: curveOf([16]) },
    { name: "A2C", seed: 1, curve: curveOf([14, 15, 16.5]) },
    { name: "A2C confined", seed: 1, curve: curveOf([15, 15, 15.9]) },
  ];
  const { claims } = park.report(rows, SETTINGS);
  expect(claims.filter(({ verdict }) => verdict === "fail")).toHaveLength(2);
});
