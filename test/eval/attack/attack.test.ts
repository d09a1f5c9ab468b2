/** Adversarial search: the same seed finds the same link, what was found replays to the bit, and short is shorter. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveAlgorithm } from "../../../algorithms/reference.ts";
import { Rng } from "../../../core/random.ts";
import { type AttackOptions, attack, type Evaluate } from "../../../eval/attack/attack.ts";
import { attackFiles } from "../../../eval/attack/attack-files.ts";
import { environmentScenario, RUN_SEED, runDuel } from "../../../eval/attack/duel.ts";
import {
  type AttackEnvironment,
  complexityOf,
  environmentOf,
  GENES,
  scenarioOf,
} from "../../../eval/attack/environment.ts";
import { SEARCH_METHODS } from "../../../eval/attack/searcher.ts";
import { KEPT_SHARE, simplify } from "../../../eval/attack/simplify.ts";
import { duelOf, utilityOf } from "../../../eval/attack/utility.ts";
import { algorithmContender } from "../../../eval/contenders/algorithm-contender.ts";
import { makeLink } from "../../../scenarios/links.ts";
import { resolveScenario } from "../../../scenarios/scenario-files.ts";
import type { RunResult } from "../../../testbeds/results.ts";

const WEIGHT = 0.9;
const contender = (name: string) => algorithmContender(resolveAlgorithm(name));
const PARTS = { target: contender("vegas"), reference: contender("cubic"), weight: WEIGHT };
const SHORT: AttackOptions = {
  target: "vegas",
  reference: "cubic",
  method: "genetic",
  seed: 3,
  environments: 48,
  durationSec: 3,
};

const evaluate: Evaluate = async (scenarios) => {
  const duels = [];
  for (const scenario of scenarios) duels.push(await runDuel(environmentScenario(scenario), PARTS));
  return duels;
};

describe("the utility of an attack", () => {
  const scenario = makeLink({ mbps: 10, rttMs: 40, name: "link", source: "test", description: "" });
  const resultOf = (goodputMbps: number, meanOneWayDelayMs: number) =>
    ({
      metrics: { goodputMbps, meanOneWayDelayMs },
      series: { capacityMbps: [8, 12] },
    }) as unknown as RunResult;

  it("weighs the share of the capacity and the share of the delay that no queue made", () => {
    expect(utilityOf(scenario, resultOf(5, 40), 0.9)).toEqual({
      utility: 0.9 * 0.5 + (1 - 0.9) * 0.5,
      throughputShare: 0.5,
      latencyShare: 0.5,
      capacityMbps: 10,
      leastDelayMs: 20,
    });
  });

  it("gives nothing for no packet, and never more than 1", () => {
    expect(utilityOf(scenario, resultOf(0, Number.NaN), 0.9).utility).toBe(0);
    expect(utilityOf(scenario, resultOf(20, 1), 0.9).utility).toBeCloseTo(1, 12);
  });
});

describe("an environment of an attack", () => {
  it("is a scenario whatever its genes", () => {
    const rng = Rng.fromSeed(7);
    for (let i = 0; i < 300; i++) {
      const environment = environmentOf(
        Array.from({ length: GENES }, () => rng.next()),
        6,
      );
      expect(environmentScenario(scenarioOf(environment, "made", "")).durationSec).toBe(6);
    }
    for (const edge of [0, 1 - 2 ** -32]) {
      const environment = environmentOf(new Array<number>(GENES).fill(edge), 6);
      expect(() => environmentScenario(scenarioOf(environment, "edge", ""))).not.toThrow();
    }
  });

  it("loses all that the gap does not need", async () => {
    const rng = Rng.fromSeed(11);
    const found = environmentOf(
      Array.from({ length: GENES }, () => 0.5 + rng.next() / 2),
      6,
    );
    expect(found.cross).toBeDefined();
    const gapsOf = async (some: readonly AttackEnvironment[]): Promise<number[]> =>
      some.map(({ queuePackets }) => (queuePackets >= found.queuePackets / 2 ? 0.95 : 0));
    const short = await simplify(found, 1, gapsOf, 1);
    for (const atOnce of [2, 5, 1000]) expect(await simplify(found, 1, gapsOf, atOnce)).toEqual(short);
    expect(short.environment).toMatchObject({ cross: undefined, lossRate: 0 });
    expect(short.environment.ratesMbps).toHaveLength(1);
    expect(short.environment.delaysMs).toHaveLength(1);
    expect(short.environment.queuePackets).toBeGreaterThanOrEqual(found.queuePackets / 2);
    expect(complexityOf(short.environment)).toBeLessThan(complexityOf(found) / 2);
  });
});

describe("a search", () => {
  for (const { name, start } of SEARCH_METHODS) {
    it(`${name}: proposes the same for the same seed and worths, other things for another seed`, () => {
      const proposals = (seed: number) => {
        const searcher = start(Rng.fromSeed(seed));
        const all = [];
        for (let round = 0; round < 12; round++) {
          const batch = searcher.propose();
          for (const genes of batch) {
            expect(genes).toHaveLength(GENES);
            expect(genes.every((gene) => gene >= 0 && gene < 1)).toBe(true);
          }
          searcher.learn(batch.map((genes) => ({ genes, gap: genes[0]! - genes[1]! })));
          all.push(...batch);
        }
        return all;
      };
      expect(proposals(1)).toEqual(proposals(1));
      expect(proposals(1)).not.toEqual(proposals(2));
    });
  }

  it("that learns comes higher on a hill than one that draws", () => {
    const best = Object.fromEntries(
      SEARCH_METHODS.map(({ name, start }) => {
        const searcher = start(Rng.fromSeed(4));
        let highest = Number.NEGATIVE_INFINITY;
        for (let tried = 0; tried < 640; ) {
          const batch = searcher.propose();
          tried += batch.length;
          const scored = batch.map((genes) => ({
            genes,
            gap: -genes.reduce((sum, gene) => sum + (gene - 0.7) ** 2, 0),
          }));
          highest = Math.max(highest, ...scored.map(({ gap }) => gap));
          searcher.learn(scored);
        }
        return [name, highest];
      }),
    );
    expect(best["genetic"]).toBeGreaterThan(best["random"]!);
    expect(best["bayesian"]).toBeGreaterThan(best["random"]!);
  });
});

describe("an attack", () => {
  it("finds the same twice, and a file that replays to the bit", async () => {
    const result = await attack(SHORT, evaluate);
    expect(await attack(SHORT, evaluate)).toEqual(result);
    expect(result.tried).toBe(SHORT.environments);
    const { found, simplified } = result;
    expect(simplified.duel.gap).toBeGreaterThanOrEqual(KEPT_SHARE * found.duel.gap);
    expect(simplified.complexity).toBeLessThanOrEqual(found.complexity);
    expect(found.duel).toEqual(duelOf(found.duel.target, found.duel.reference));

    const folder = mkdtempSync(join(tmpdir(), "ccpark-attack-"));
    const files = attackFiles(result, { command: "ccpark attack", versions: {}, weight: WEIGHT });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const [name] = Object.keys(files);
    const replayed = await runDuel(resolveScenario(join(folder, name!), { seed: RUN_SEED }), PARTS);
    expect(replayed).toEqual(simplified.duel);
  });
});
