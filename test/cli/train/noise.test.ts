/** What noise on its observations costs a policy that comes with ccpark, and who is refused. */
import { describe, expect, it } from "vitest";
import { makeFolders, runCli } from "../run-cli.ts";

const makeFolder = makeFolders();
const LINKS = "park-paper,cell-lte-driving,link-24mbps-80ms-2bdp,pantheon-18,ccbench1-grid/24-2x-d-20ms-2bdp";

/** Mean score over links and seeds. */
async function scoreOf(algorithm: string, noise: readonly string[]): Promise<number> {
  const { code, stdout, stderr } = await runCli(
    [
      ...["bench", "--algorithms", algorithm, "--scenario", LINKS, "--duration", "20", "--seeds", "2"],
      ...[...noise, "--json", "--quiet"],
    ],
    { cwd: makeFolder() },
  );
  expect(code, stderr).toBe(0);
  const scores = stdout
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { score: number }).score);
  expect(scores.length).toBeGreaterThan(4);
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

describe("noise of 10 % on every observation", { timeout: 120_000 }, () => {
  it.each(["zoo:quickstart", "zoo:general"])("costs %s at most 5 % of its score", async (name) => {
    const [without, withNoise] = [
      await scoreOf(name, []),
      await scoreOf(name, ["--observation-noise", "0.1"]),
    ];
    console.log(`${name}: ${without.toFixed(3)} without noise, ${withNoise.toFixed(3)} with it`);
    expect(withNoise).toBeGreaterThan(0.95 * without);
    expect(withNoise).not.toBe(without);
  });
});
