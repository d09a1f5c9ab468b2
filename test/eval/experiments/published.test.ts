/** Aurora's and Orca's recipes at home: the policies that come with ccpark show what their papers say, and worse ones are found out. */
import { expect, it } from "vitest";
import { published } from "../../../eval/experiments/learned/published.ts";

interface Row {
  readonly paper: string;
  readonly name: string;
  readonly lossRate: number;
  readonly utilisation: number;
}

const SETTINGS = { seconds: 30 };

async function rowsOf(): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of published.run(SETTINGS)) rows.push(row as Row);
  return rows;
}

const verdicts = (rows: readonly Row[]): (string | undefined)[] =>
  published.report(rows, SETTINGS).claims.map(({ verdict }) => verdict);

it("Aurora keeps a lossy link that Cubic leaves, and Orca most of Cubic's throughput at a part of its delay", async () => {
  const rows = await rowsOf();
  expect(rows).toHaveLength(published.count(SETTINGS));
  expect(verdicts(rows)).toEqual(["pass", "pass", "pass", "pass"]);
  const aurora = rows.filter(({ paper, name }) => paper === "aurora" && name === "zoo:aurora");
  // no random loss of up to 5 % moves it
  const used = aurora.map(({ utilisation }) => utilisation);
  expect(Math.max(...used) - Math.min(...used)).toBeLessThan(0.15);
  expect(published.report(rows, SETTINGS).text).toContain("zoo:orca");
});

it("fails a policy that leaves the link", async () => {
  const rows = (await rowsOf()).map((row) =>
    row.name === "zoo:aurora" ? { ...row, utilisation: 0.13 } : row,
  );
  expect(verdicts(rows).slice(0, 2)).toEqual(["fail", "fail"]);
});
