/** The CCP thesis's comparisons of control over CCP with control in the datapath, in short. */
import { expect, it } from "vitest";
import { claimsTable } from "../../eval/experiments/experiment.ts";
import { loadExperiment } from "../../eval/experiments/registry.ts";
import { drawSvg } from "../../eval/report/picture.ts";

const TIMEOUT_MS = 120_000;

async function runShort(name: string, over: object) {
  const { options, run, count, report } = await loadExperiment(name);
  const initial = Object.fromEntries(Object.entries(options).map(([key, option]) => [key, option.initial]));
  const settings = { ...initial, ...over };
  const rows: object[] = [];
  for await (const row of run(settings)) rows.push(row);
  expect(rows).toHaveLength(count(settings));
  const { claims, figure } = report(rows, settings);
  console.log(`${JSON.stringify(over)}\n${claimsTable(claims)}`);
  expect(await drawSvg(figure.spec, figure.names)).toContain("</svg>");
  return claims;
}

it(
  "per round trip, Reno and Cubic over CCP have the medians that they have in the datapath, on all three links",
  async () => {
    const claims = await runShort("fidelity", { seeds: [1], durationSec: 25 });
    const own = claims.filter(({ claim }) => /reno|cubic/.test(claim));
    expect(own).toHaveLength(3 * 2 * 2);
    expect(own.filter(({ verdict }) => verdict !== "pass")).toEqual([]);
  },
  TIMEOUT_MS,
);

it(
  "transfers complete in the median as under Reno in the datapath",
  async () => {
    const claims = await runShort("completion-times", { transfers: 4000, seed: 2 });
    expect(claims[0]).toMatchObject({ threshold: { low: -1, high: 1 }, verdict: "pass" });
  },
  TIMEOUT_MS,
);
