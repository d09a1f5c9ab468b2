/** The ceiling: at least as good as whatever was tried beside it, and the same for the same seed. */
import { describe, expect, it } from "vitest";
import { resolveAlgorithm } from "../../algorithms/reference.ts";
import { type BenchmarkRecord, runBenchmark } from "../../eval/benchmark.ts";
import { algorithmContender } from "../../eval/contenders/algorithm-contender.ts";
import { constantContender, constantRateContender } from "../../eval/contenders/constant-contender.ts";
import { oracleContender } from "../../eval/contenders/oracle-contender.ts";
import { terminalTable } from "../../eval/report/terminal-table.ts";
import { summarise } from "../../eval/summary.ts";
import { makeLink } from "../../scenarios/links.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { resolveScenarios } from "../../scenarios/scenario-files.ts";
import { TYPICAL_VARIATION } from "../../scenarios/variation.ts";
import { UDP } from "../../testbeds/udp/udp.ts";

const SEEDS = [1, 2];
const DURATION_SEC = 6;
const flat = makeLink({ mbps: 12, rttMs: 40, durationSec: DURATION_SEC, name: "flat" });

function withForward(name: string, forward: Partial<Scenario["forward"]>): Scenario {
  return { ...flat, name, forward: { ...flat.forward, ...forward } };
}

async function run(scenario: Scenario, names: readonly string[], rewardName = "score", seeds = SEEDS) {
  const contenders = [
    oracleContender(),
    constantContender(),
    ...(scenario.forward.rate.kind === "unlimited" ? [] : [constantRateContender()]),
    ...names.map((name) => algorithmContender(resolveAlgorithm(name))),
  ];
  const records: BenchmarkRecord[] = [];
  for await (const { record } of runBenchmark({ scenarios: [scenario], contenders, seeds, rewardName })) {
    records.push(record);
  }
  return records;
}

const RIVALS = ["reno", "cubic", "vegas", "bbr", "copa"];
/** As a user may write one. */
const FORMULA = "log2(max(throughputMbps, 0.01)) - 0.5 * log2(max(queueDelayMs, 1)) - 10 * lossRate";
const points = [
  { atSec: 0, mbps: 12 },
  { atSec: 2, mbps: 3 },
  { atSec: 4, mbps: 24 },
];
const lteDriving: Scenario = {
  ...resolveScenarios(["cell-lte-driving"])[0]!.of(1),
  durationSec: DURATION_SEC,
};

/** A flow alone: the oracle knows all that will happen. */
const ALONE: readonly Scenario[] = [
  flat,
  withForward("rate steps", { rate: { kind: "steps", points } }),
  lteDriving,
  withForward("1 % loss", { lossRate: 0.01 }),
  withForward("an outage", { outages: [{ fromSec: 2, toSec: 3 }] }),
  withForward("random opportunities", { rate: { kind: "poisson", mbps: 12 } }),
  { ...flat, name: "what suites draw", variation: TYPICAL_VARIATION },
  makeLink({ mbps: 400, rttMs: 20, bufferPackets: 8, durationSec: 2, name: "fast, a buffer of 8 packets" }),
];

/** Others take or lose what nobody told it. */
const IN_COMPANY: readonly Scenario[] = [
  { ...flat, name: "a flow of Cubic", flows: [{ algorithm: "native-cubic" }] },
  {
    ...flat,
    name: "datagrams",
    traffic: [{ kind: "datagrams", arrivals: "poisson", mbps: 5 }],
  },
  { ...flat, name: "a flow that needs an agent", flows: [{ algorithm: "vegas" }] },
  withForward("every 20th lost", { periodicLoss: { everyPackets: 20 } }),
  withForward("no bottleneck", { rate: { kind: "unlimited" } }),
];

/** Those of `ALONE` on which every reward is tried. */
const CEILING_LINKS = ["flat", "rate steps", lteDriving.name, "1 % loss", "an outage"];

describe("the oracle", () => {
  it.each(ALONE.map((scenario) => [scenario.name, scenario] as const))(
    "alone, misses nothing and lets nothing wait for longer than the score allows: %s",
    async (_, scenario) => {
      const records = await run(scenario, RIVALS);
      for (const seed of SEEDS) {
        const [oracle, ...others] = records.filter((record) => record.seed === seed);
        expect(oracle!.utilisation, `seed ${seed}`).toBeGreaterThan(0.99);
        expect(oracle!.meanQueueDelayMs, `seed ${seed}`).toBeLessThan(1);
        for (const { algorithm, score } of others) {
          expect(oracle!.score, `${algorithm}, seed ${seed}`).toBeGreaterThanOrEqual(score);
        }
      }
    },
  );

  it.each(IN_COMPANY.map((scenario) => [scenario.name, scenario] as const))(
    "elsewhere is never worse than the constant window and the constant rate: %s",
    async (_, scenario) => {
      const records = await run(scenario, []);
      for (const seed of SEEDS) {
        const [oracle, ...others] = records.filter((record) => record.seed === seed);
        for (const { algorithm, score } of others) {
          expect(oracle!.score, `${algorithm}, seed ${seed}`).toBeGreaterThanOrEqual(score);
        }
      }
    },
  );

  it.each(["score", "park", "general", FORMULA])(
    "is a ceiling of the reward that was chosen, alone and in company: %s",
    { timeout: 120_000 },
    async (rewardName) => {
      const links = [...ALONE.filter(({ name }) => CEILING_LINKS.includes(name)), IN_COMPANY[0]!];
      expect(links).toHaveLength(CEILING_LINKS.length + 1);
      for (const scenario of links) {
        const records = await run(scenario, RIVALS, rewardName);
        for (const seed of SEEDS) {
          const worthOf = ({ score, reward }: BenchmarkRecord) => (rewardName === "score" ? score : reward);
          const [oracle, ...others] = records.filter((record) => record.seed === seed);
          const best = others.reduce((a, b) => (worthOf(b) > worthOf(a) ? b : a));
          console.log(
            `${scenario.name}, seed ${seed}: oracle ${worthOf(oracle!).toFixed(3)}, then ${best.algorithm} ${worthOf(best).toFixed(3)}`,
          );
          expect(
            worthOf(oracle!),
            `${scenario.name}, ${best.algorithm}, seed ${seed}`,
          ).toBeGreaterThanOrEqual(worthOf(best));
        }
      }
    },
  );

  it("looks ahead: beside a flow that takes what it leaves, ways that change are worth more than any that does not", async () => {
    const [oracle, ...unchanging] = await run(IN_COMPANY[0]!, [], "score", [1]);
    for (const { algorithm, score } of unchanging) {
      expect(oracle!.score, algorithm).toBeGreaterThan(score + 0.2);
    }
  });

  it("gives the same record for the same seed, and records what it measured", async () => {
    const runOnce = () => run(lteDriving, [], "score", [3]);
    expect(await runOnce()).toEqual(await runOnce());
    const options = { scenario: flat, seed: 3, rewardName: "score", seriesBinSec: 0.5 };
    const plain = await oracleContender().run(options);
    const recorded = await oracleContender().run({
      ...options,
      recording: { formats: ["mahimahi"], title: "oracle" },
    });
    expect(recorded.metrics).toEqual(plain.metrics);
    expect(recorded.recordings!.mahimahi).toBeTypeOf("string");
  });

  it("takes no mark of the best away from those that can be deployed", async () => {
    const table = terminalTable(summarise(await run(flat, ["cubic", "vegas"])), SEEDS, "score", {
      colour: false,
    });
    const rowOf = (name: string): string => table.split("\n").find((line) => line.includes(`│ ${name} `))!;
    expect(rowOf("oracle")).not.toContain("*");
    // chosen in hindsight: a reference too
    expect(rowOf("constant")).not.toContain("*");
    expect(rowOf("vegas")).toContain("*");
    expect(table).toContain("oracle, constant and constant-rate are references and do not compete");
  });

  it("stands beside the best rate that never moves, which says what it is and needs a link with a rate", async () => {
    const [, , rate] = await run(flat, [], "score", [1]);
    expect(rate!.algorithm).toBe("constant-rate");
    expect(rate!.detail).toMatch(/^1[01]\.\d{3} Mbit\/s of payload$/);
    expect(rate!.utilisation).toBeGreaterThan(0.9);
    const unlimited = withForward("no bottleneck", { rate: { kind: "unlimited" } });
    expect(() =>
      constantRateContender().prepare!(unlimited, { seeds: [1], rewardName: "score", seriesBinSec: 1 }),
    ).toThrow(/no bottleneck, whose rate has no limit, expected a mean rate/);
  });

  it("is refused where time is real", () => {
    const options = { scenario: flat, seed: 1, rewardName: "score", seriesBinSec: 1, testbed: UDP };
    expect(() => oracleContender().run(options)).toThrow(/virtual time, got udp/);
  });
});
