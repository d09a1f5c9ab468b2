/** Presets against their published numbers, registry errors, validation with field paths, the training range. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Rng } from "../../core/random.ts";
import { bdpPackets, makeLink } from "../../scenarios/links.ts";
import { SUITES } from "../../scenarios/presets/suites.ts";
import {
  BENCHMARK_LINKS,
  expandPreset,
  findPreset,
  getScenario,
  SCENARIOS,
} from "../../scenarios/presets.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { resolveScenario } from "../../scenarios/scenario-files.ts";
import { CELLULAR_SHARE, sampleTrainingScenario } from "../../scenarios/training.ts";
import { ScenarioError, validateScenario } from "../../scenarios/validate.ts";
import { loadTrace } from "../../traces/trace-files.ts";
import { sharedData } from "../shared-data.ts";

const resolve = (name: string): Scenario =>
  resolveScenario(name, {
    seed: 1,
    ...(findPreset(name).trace === "any" ? { tracePath: "umts-driving" } : {}),
  });

/** One scenario per preset, and of each grid its first and last member. */
const NAMES = [...SCENARIOS.keys()].flatMap((name) => {
  const members = expandPreset(name).map((each) => each.name);
  return [...new Set([members[0]!, members.at(-1)!])];
});

describe("presets", () => {
  it.each(NAMES)("%s is valid, named, described and sourced", (name) => {
    const scenario = resolve(name);
    expect(validateScenario(scenario)).toEqual(scenario);
    expect(validateScenario(JSON.parse(JSON.stringify(scenario)))).toEqual(scenario);
    expect(scenario.name).toBe(name);
    expect(scenario.source.length).toBeGreaterThan(5);
    expect(scenario.description.length).toBeGreaterThan(10);
  });

  it("park-paper is 48 Mbit/s, 25 ms each way, 400 packets each way, 30 s", () => {
    expect(getScenario("park-paper")).toMatchObject({
      forward: { rate: { kind: "constant", mbps: 48 }, queue: { packets: 400 }, lossRate: 0 },
      reverse: { rate: { kind: "constant", mbps: 48 }, queue: { packets: 400 }, lossRate: 0 },
      propagationDelayMs: 25,
      durationSec: 30,
    });
  });

  it("benchmark links carry the buffer that their names say", () => {
    expect(BENCHMARK_LINKS.map((link) => [link.name, link.forward.queue.packets])).toEqual([
      ["link-12mbps-40ms-1bdp", 40],
      ["link-24mbps-80ms-2bdp", 320],
      ["link-96mbps-20ms-1bdp", 160],
      ["link-72mbps-60ms-4bdp", 1440],
    ]);
  });

  it("traces: shipped, by path, changed duration", () => {
    const cell = resolveScenario("cell-lte-driving", { durationSec: 5 });
    expect(cell.forward.rate).toEqual({ kind: "trace", ...loadTrace("lte-driving") });
    expect(cell.durationSec).toBe(5);
    const path = sharedData("traces/Verizon-LTE-short.down");
    if (path === undefined) return;
    const foreign = resolveScenario("ccp-cell", { tracePath: path });
    expect(foreign.forward.rate).toMatchObject({ kind: "trace", name: "Verizon-LTE-short.down" });
    expect(foreign.reverse.rate).toEqual({ kind: "unlimited" });
  });

  it.each([
    ["park-papr", {}, "not-found", "[scenario] unknown scenario `park-papr`; did you mean `park-paper`?"],
    ["ccp-cell", {}, "invalid-argument", "`ccp-cell` needs a trace: got none, expected --trace with a file"],
    ["ccp-cell", { tracePath: "nowhere.down" }, "not-found", "no such trace, nowhere.down"],
    [
      "park-paper",
      { tracePath: "lte-driving" },
      "invalid-argument",
      "takes no trace: got lte-driving, expected none",
    ],
    ["park-paper", { durationSec: 0 }, "invalid-argument", "[scenario] durationSec: got 0, expected > 0"],
  ])("%s %o: %s", (name, options, kind, message) => {
    expect(() => resolveScenario(name, options)).toThrow(
      expect.objectContaining({ kind, message: expect.stringContaining(message) }),
    );
  });
});

describe("validateScenario", () => {
  const good = getScenario("park-paper");
  /** The preset with one field, named by its path, set to a value (undefined: deleted). */
  function withField(path: string, value: unknown): unknown {
    const copy = structuredClone(good) as unknown as Record<string, unknown>;
    const keys = path.split(".");
    let at = copy;
    for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>;
    at[keys.at(-1)!] = value;
    return copy;
  }

  it.each([
    ["forward.rate.mbps", -3, "[scenario] forward.rate.mbps: got -3, expected > 0"],
    ["forward.rate.mbps", Number.NaN, "forward.rate.mbps: got NaN, expected a number"],
    ["forward.rate.mbps", Number.POSITIVE_INFINITY, "forward.rate.mbps: got Infinity, expected"],
    ["forward.rate.mbps", "48", 'forward.rate.mbps: got "48", expected a number'],
    ["forward.rate.mbps", undefined, "forward.rate.mbps: got nothing, expected a number"],
    [
      "forward.rate.kind",
      "fixed",
      'forward.rate.kind: got "fixed", expected one of "constant", "trace", "unlimited"',
    ],
    ["forward.rate", undefined, "forward.rate: got nothing, expected an object"],
    ["reverse.queue.packets", 1.5, "reverse.queue.packets: got 1.5, expected a whole number"],
    ["reverse.queue.packets", 0, "reverse.queue.packets: got 0, expected >= 1"],
    ["forward.lossRate", 1, "forward.lossRate: got 1, expected < 1"],
    ["forward.loss", 0.1, "forward.loss: got 0.1, expected no such field"],
    ["propagationDelayMs", 0, "propagationDelayMs: got 0, expected > 0"],
    ["durationSec", 1e9, "durationSec: got 1000000000, expected <= 86400"],
    ["ackPolicy", "quick", 'ackPolicy: got "quick", expected one of "delayed", "per-packet"'],
    ["name", "", 'name: got "", expected some text'],
    ["fixed", { startSec: -1 }, "fixed.startSec: got -1, expected >= 0"],
    [
      "forward.rate",
      { kind: "trace", name: "x", opportunitiesMs: [1, 5, 4] },
      "forward.rate.opportunitiesMs.2: got 4, expected at least 5",
    ],
    [
      "forward.rate",
      { kind: "trace", name: "x", opportunitiesMs: [0] },
      "forward.rate.opportunitiesMs.0: got 0, expected more than 0",
    ],
    [
      "forward.rate",
      { kind: "trace", name: "x", opportunitiesMs: [] },
      "forward.rate.opportunitiesMs.0: got nothing, expected at least one",
    ],
    [
      "forward.rate",
      { kind: "trace", name: "x", opportunitiesMs: ["1"] },
      'opportunitiesMs.0: got "1", expected whole',
    ],
    [
      "forward.rate",
      { kind: "trace", name: "x", opportunitiesMs: 7 },
      "forward.rate.opportunitiesMs: got 7, expected a list",
    ],
  ])("%s = %o", (path, value, message) => {
    let error: unknown;
    try {
      validateScenario(withField(path, value));
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(ScenarioError);
    expect((error as ScenarioError).message).toContain(message);
    expect((error as ScenarioError).kind).toBe("invalid-argument");
  });

  it.each([undefined, null, 3, "park-paper", []])("refuses %o in place of a scenario", (value) => {
    expect(() => validateScenario(value)).toThrow(/^\[scenario\] scenario: got .*, expected an object/);
  });
});

describe("makeLink and the training range", () => {
  it("rounds the buffer to whole packets, at least 1", () => {
    expect(makeLink({ mbps: 48, rttMs: 50, bufferBdp: 2 }).forward.queue.packets).toBe(400);
    expect(makeLink({ mbps: 0.1, rttMs: 1, bufferBdp: 0.5 }).forward.queue.packets).toBe(1);
    expect(makeLink({ mbps: 12, rttMs: 40 })).toMatchObject({
      name: "link-12mbps-40ms-40p",
      propagationDelayMs: 20,
    });
    expect(() => makeLink({ mbps: 0, rttMs: 40 })).toThrow("forward.rate.mbps: got 0, expected > 0");
  });

  it("draws inside the range, log-uniform in rate, the same for the same seed", () => {
    const draws = Array.from({ length: 2000 }, (_, i) =>
      sampleTrainingScenario(Rng.fromSeed(i), { durationSec: 10 }),
    );
    let below = 0;
    let cellular = 0;
    for (const scenario of draws) {
      const rate = scenario.forward.rate;
      if (rate.kind !== "constant") {
        cellular++;
        expect(validateScenario(scenario)).toEqual(scenario);
        continue;
      }
      const rttMs = 2 * scenario.propagationDelayMs;
      const bdp = bdpPackets(rate.mbps, rttMs);
      expect(rate.mbps >= 11.999 && rate.mbps < 96.001).toBe(true);
      expect(rttMs >= 20 && rttMs < 100).toBe(true);
      expect(
        scenario.forward.queue.packets! >= 0.5 * bdp - 0.5 &&
          scenario.forward.queue.packets! <= 4 * bdp + 0.5,
      ).toBe(true);
      expect(scenario.durationSec).toBe(10);
      if (rate.mbps < Math.sqrt(12 * 96)) below++;
    }
    const constant = draws.length - cellular;
    expect(Math.abs(below - constant / 2)).toBeLessThan(112); // five standard deviations
    expect(Math.abs(cellular - CELLULAR_SHARE * draws.length)).toBeLessThan(70); // likewise
    expect(sampleTrainingScenario(Rng.fromSeed(3))).toEqual(sampleTrainingScenario(Rng.fromSeed(3)));
    expect(sampleTrainingScenario(Rng.fromSeed(3)).durationSec).toBe(30);
  });
});

it("README counts presets and suites as they are", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const [, presets, suites] = /(\d+) presets, most of them published, and (\d+) suites/.exec(readme) ?? [];
  expect({ presets: Number(presets), suites: Number(suites) }).toEqual({
    presets: SCENARIOS.size,
    suites: SUITES.size,
  });
});
