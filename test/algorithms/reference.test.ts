import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { checkCrossTraffic } from "../../algorithms/cross-traffic.ts";
import { loadModules } from "../../algorithms/module-files.ts";
import {
  algorithmNames,
  ccpAlgorithm,
  makeAlgorithm,
  resolveAlgorithm,
  splitReferences,
} from "../../algorithms/reference.ts";
import { ALGORITHMS } from "../../algorithms/registry.ts";
import { paramText } from "../../algorithms/spec.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import { getScenario } from "../../scenarios/presets.ts";

const MINE = "./examples/algorithms/mine.js";
const SCENARIO = getScenario("park-paper", { durationSec: 5 });

const run = (reference: string, scenario = SCENARIO) =>
  runAlgorithm({
    scenario,
    seed: 1,
    rewardName: "score",
    algorithm: makeAlgorithm(resolveAlgorithm(reference)),
  }).metrics;

describe("references to algorithms", () => {
  it("split at commas, but not within the parameters of one", () => {
    expect(splitReferences("vegas:alpha=3,beta=5,./mine.js, cubic")).toEqual([
      "vegas:alpha=3,beta=5",
      "./mine.js",
      "cubic",
    ]);
    expect(splitReferences("unix:/tmp/a:b,native-cubic:beta=0.8,c=1,reno")).toEqual([
      "unix:/tmp/a:b",
      "native-cubic:beta=0.8,c=1",
      "reno",
    ]);
    expect(splitReferences(" ")).toEqual([]);
  });

  it("have all parameters, and a label of those that were given", () => {
    expect(resolveAlgorithm("vegas:beta=6")).toMatchObject({
      label: "vegas:beta=6",
      isNative: false,
      params: { alpha: 2, beta: 6, gamma: 1 },
    });
    expect(resolveAlgorithm("native-cubic:beta=0.80")).toMatchObject({
      label: "native-cubic:beta=0.8",
      isNative: true,
    });
    expect(ccpAlgorithm("vegas:beta=6").name).toBe("vegas:beta=6");
    expect(algorithmNames()).toContain("native-dctcp");
  });

  it.each([
    ["vegas:alpha=-1", "vegas: alpha: got `-1`, expected a number from 0 to 1000 packets"],
    ["vegas:alpha=", "vegas: alpha: got ``, expected a number from 0 to 1000 packets"],
    ["vegas:alfa=3", "unknown parameter of vegas `alfa`; did you mean `alpha`?"],
    ["vegas:alpha=9", "vegas: alpha: got 9, expected at most beta, which is 4 packets"],
    ["vegas:alpha=1,alpha=2", "got alpha twice, expected name=value, each once"],
    ["cubic:fullSlope=0.5", "cubic: fullSlope: got `0.5`, expected a whole number from 0 to 1"],
    ["cubic:slowStart=histart++", "slowStart of cubic `histart++`; did you mean `hystart++`?"],
    ["portus-reno:beta=1", "portus-reno has no parameters, got `beta`"],
    ["cubik:beta=1", "unknown algorithm `cubik`; did you mean `cubic`?"],
    ["native-vegas", "unknown algorithm `native-vegas`"],
  ])("%s is refused in one sentence", (reference, sentence) => {
    expect(() => resolveAlgorithm(reference)).toThrow(sentence);
  });

  it("mean the same algorithm where the parameters are the defaults", () => {
    for (const { name, params } of ALGORITHMS.values()) {
      if (params.length === 0) continue;
      const written = params.map((param) => `${param.name}=${paramText(param, param.default)}`).join(",");
      expect(run(`${name}:${written}`), name).toEqual(run(name));
    }
  });

  it("vary what they say they vary", () => {
    const long = { ...SCENARIO, durationSec: 30 };
    expect(run("vegas:alpha=20,beta=40", long).meanQueueDelayMs).toBeGreaterThan(
      1.2 * run("vegas", long).meanQueueDelayMs,
    );
    expect(run("reno:beta=0.9").meanQueueDelayMs).toBeGreaterThan(run("reno").meanQueueDelayMs);
    for (const form of ["cubic", "native-cubic"]) {
      expect(run(`${form}:slowStart=standard`).droppedPackets).toBeGreaterThan(run(form).droppedPackets);
      expect(run(`${form}:slowStart=standard,beta=0.3`).meanQueueDelayMs).toBeLessThan(
        run(`${form}:slowStart=standard`).meanQueueDelayMs,
      );
    }
    expect(run("bbr:probeGain=1.8").meanQueueDelayMs).toBeGreaterThan(run("bbr").meanQueueDelayMs);
    expect(run("portus-const:cwndPackets=40").goodputMbps).toBeGreaterThan(
      1.8 * run("portus-const").goodputMbps,
    );
  });

  it("stand in scenario files too, and are checked there with the field's path", () => {
    const flows = [{ algorithm: "vegas:alpha=3,beta=5" }, { algorithm: "cubic:beta=7" }];
    expect(() => checkCrossTraffic({ ...SCENARIO, flows: flows.slice(0, 1) })).not.toThrow();
    expect(() => checkCrossTraffic({ ...SCENARIO, flows })).toThrow(
      "flows.1.algorithm: cubic: beta: got `7`, expected a number from 0.1 to 0.95",
    );
  });
});

describe("modules of one's own", () => {
  const folder = mkdtempSync(join(tmpdir(), "ccpark-module-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  it("run beside the registered ones, with their parameters", async () => {
    const modules = await loadModules([`${MINE}:targetMs=5`, "cubic"]);
    const resolved = resolveAlgorithm(`${MINE}:targetMs=5`, modules);
    expect(resolved.label).toBe("mine:targetMs=5");
    const { metrics } = runAlgorithm({
      scenario: SCENARIO,
      seed: 1,
      rewardName: "score",
      algorithm: makeAlgorithm(resolved),
    });
    expect(metrics.utilisation).toBeGreaterThan(0.8);
    expect(metrics.meanQueueDelayMs).toBeLessThan(15);
  });

  it.each([
    ["missing.mjs", undefined, /no module `.*missing\.mjs`: expected a JavaScript file/],
    ["torn.mjs", "export default {", /cannot load `.*torn\.mjs`/],
    ["empty.mjs", "export const a = 1;", /has no default export/],
    ["nameless.mjs", "export default {};", /name: expected lower case letters/],
    [
      "idle.mjs",
      'export default { name: "idle", summary: "", source: "", reads: [], params: [] };',
      /ccp, native: expected at least one of them/,
    ],
    [
      "range.mjs",
      'export default { name: "r", summary: "", source: "", reads: [], params: [{ name: "a", unit: "1", why: "", low: 2, high: 1, default: 1 }], ccp() {} };',
      /params\.0: expected numbers low <= default <= high/,
    ],
  ])("%s is refused in one sentence", async (name, text, sentence) => {
    const path = text === undefined ? join(folder, name) : file(name, text);
    await expect(loadModules([path])).rejects.toThrow(sentence);
  });
});
