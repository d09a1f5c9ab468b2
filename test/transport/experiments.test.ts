/** The experiments of negotiated stacks and of what is chosen late, small. */
import { expect, it } from "vitest";
import { loadExperiment } from "../../eval/experiments/registry.ts";

it.each([
  ["bertha-establishment", { trials: 40 }],
  ["bertha-establishment", { trials: 5, world: "udp" }],
  ["bertha-establishment", { trials: 40, stack: "datagrams", sockets: "fresh" }],
  ["bertha-establishment", { trials: 5, world: "udp", stack: "datagrams", sockets: "fresh" }],
  ["bertha-establishment", { trials: 5, world: "processes", waitUs: 200 }],
  ["bertha-sharding", { offeredK: [50, 300], durationSec: 0.02 }],
  ["bertha-sharding", { world: "udp", offeredK: [2], shardUs: 100, frontUs: 50, durationSec: 0.2 }],
  ["bertha-maybe-local", { trials: 50, bytes: [1_024] }],
  ["bertha-overhead", { mbps: 50, durationSec: 0.5, rounds: 1, roundSec: 0.1 }],
  ["p2-late-choice", { seeds: [1] }],
])("%s passes its claims", async (name, changes) => {
  const { options, run, report, count } = await loadExperiment(name);
  const initial = Object.fromEntries(
    Object.entries(options).map(([key, { initial: value }]) => [key, value]),
  );
  const settings = { ...initial, ...changes };
  const rows: object[] = [];
  for await (const row of run(settings)) rows.push(row);
  expect(rows).toHaveLength(count(settings));
  const { claims, figure } = report(rows, settings);
  // what depends on this machine has a figure, which is not judged here
  const judged = claims.filter(
    ({ claim, threshold }) => threshold !== undefined && !claim.includes("loopback"),
  );
  expect(judged.filter(({ verdict }) => verdict !== "pass")).toEqual([]);
  for (const { claim, measured } of claims) expect(measured, claim).not.toBeNaN();
  expect(JSON.stringify(figure.spec)).toContain("vega-lite");
});
