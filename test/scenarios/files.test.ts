/** Scenario files, includes, distributions and single fields from the command line: what they give, and each mistake. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Rng } from "../../core/random.ts";
import { ALIASES, parseOverride } from "../../scenarios/overrides.ts";
import { SUITES } from "../../scenarios/presets/suites.ts";
import { getScenario } from "../../scenarios/presets.ts";
import { resolveScenario, resolveScenarios } from "../../scenarios/scenario-files.ts";
import { checkTemplate, sampleScenario } from "../../scenarios/template.ts";

const folder = mkdtempSync(join(tmpdir(), "ccpark-scenarios-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** The message, without the folder of this run. */
function mistake(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message.replaceAll(`${folder}/`, "");
  }
  throw new Error("no error");
}

describe("files", () => {
  it("fill in defaults: ACKs over the same rate, 1 BDP of buffer, 30 s, delayed ACKs", () => {
    const path = write("small.yaml", "forward: { rate: { kind: constant, mbps: 24 } }\nrttMs: 40\n");
    expect(resolveScenario(path)).toEqual({
      name: "small",
      source: "scenario file",
      description: "",
      forward: { rate: { kind: "constant", mbps: 24 }, queue: { packets: 80 }, lossRate: 0 },
      reverse: { rate: { kind: "constant", mbps: 24 }, queue: {}, lossRate: 0 },
      propagationDelayMs: 20,
      durationSec: 30,
      ackPolicy: "delayed",
    });
  });

  it("extend presets and other files, field by field; a limit of a queue replaces the others", () => {
    write(
      "base.json",
      JSON.stringify({ extends: "pantheon-18", durationSec: 9, forward: { lossRate: 0.01 } }),
    );
    const path = write(
      "sub/top.yml",
      "extends: ../base.json\nname: top\nforward:\n  queue: { bdp: 2 }\nfixed: null\n",
    );
    const scenario = resolveScenario(path);
    const base = getScenario("pantheon-18");
    expect(scenario).toMatchObject({
      name: "top",
      source: "scenario file, extends ../base.json",
      durationSec: 9,
      propagationDelayMs: 30,
    });
    expect(scenario.forward).toEqual({ rate: base.forward.rate, queue: { packets: 120 }, lossRate: 0.01 });
    expect(
      resolveScenario(write("ms.yaml", "extends: pantheon-18\nforward: { queue: { ms: 300 } }")).forward
        .queue,
    ).toEqual({
      packets: 300,
    });
  });

  it("name traces by path from their own folder, or a shipped one", () => {
    write("traces/a.down", "1\n2\n9\n");
    const path = write(
      "traced.yaml",
      "extends: ccp-cell\nforward: { rate: { kind: trace, file: traces/a.down } }\n",
    );
    expect(resolveScenario(path)).toMatchObject({
      forward: {
        rate: { kind: "trace", name: "a.down", opportunitiesMs: [1, 2, 9] },
        queue: { packets: 100 },
      },
      reverse: { rate: { kind: "unlimited" } },
    });
    const shipped = write("shipped.yaml", "extends: ccp-cell\nforward: { rate: { file: lte-driving } }\n");
    expect(resolveScenario(shipped).forward.rate).toMatchObject({ kind: "trace", name: "lte-driving" });
  });

  it.each<[string, string, string]>([
    [
      "an unknown key",
      "rttMs: 40\nforward: { rate: { kind: constant, mbps: 2 }, los: 1 }",
      "a.yaml: forward.los: got 1, expected no such field",
    ],
    [
      "a key that was meant",
      "rttMs: 40\nforward: { rate: { kind: constant, rateMbs: 24, mbps: 1 } }",
      "a.yaml: forward.rate.rateMbs: got 24, expected no such field; did you mean `mbps`?",
    ],
    [
      "a unit in the value",
      "rttMs: 40\nforward: { rate: { kind: constant, mbps: 24Mbps } }",
      'a.yaml: forward.rate.mbps: got "24Mbps", expected a number, in Mbps as the name says, such as 24',
    ],
    [
      "an impossible range",
      "rttMs: { uniform: [40, 20] }\nforward: { rate: { kind: constant, mbps: 2 } }",
      'a.yaml: rttMs: got {"uniform":[40,20]}, expected a range after `uniform`: [low, high] with low <= high',
    ],
    [
      "a range that leaves the field's",
      "rttMs: 20\nforward: { rate: { kind: constant, mbps: { uniform: [-1, 5] } } }",
      "a.yaml: forward.rate.mbps: got -1, expected > 0",
    ],
    [
      "an option that cannot be",
      "rttMs: 20\nforward: { rate: { kind: constant, mbps: { choice: [1, fast] } } }",
      'a.yaml: forward.rate.mbps: got "fast", expected a number',
    ],
    [
      "logUniform from 0",
      "rttMs: { logUniform: [0, 20] }\nforward: { rate: { kind: constant, mbps: 2 } }",
      "a.yaml: rttMs: got {",
    ],
    [
      "two distributions in one",
      "rttMs: { uniform: [1, 20], integer: [1, 2] }",
      "`integer` does not belong here",
    ],
    ["wrong weights", "rttMs: { choice: [1, 20], weights: [1] }", "expected 2 weights, 0 or more, not all 0"],
    [
      "an empty trace",
      "extends: park-paper\nforward: { rate: { kind: trace, name: t, opportunitiesMs: [] } }",
      "a.yaml: forward.rate.opportunitiesMs.0: got nothing, expected at least one",
    ],
    [
      "a trace that is not there",
      "extends: park-paper\nforward: { rate: { file: ./no.down } }",
      'a.yaml: forward.rate.file: got "./no.down", expected a trace that can be read (no such trace',
    ],
    [
      "a flow on a missing link",
      "extends: park-paper\nflows: [{ algorithm: cubic, route: { forward: [hop9], reverse: [reverse] } }]",
      'a.yaml: flows.0.route.forward.0: got "hop9", expected one of "forward", "reverse"',
    ],
    [
      "a missing include",
      "extends: ./nowhere.yaml",
      'a.yaml: extends: got "./nowhere.yaml", expected a file that is there',
    ],
    [
      "an unknown preset",
      "extends: park-papr",
      'a.yaml: extends: got "park-papr", expected a preset or a file; did you mean `park-paper`?',
    ],
    [
      "a suite as a base",
      "extends: pantheon",
      'a.yaml: extends: got "pantheon", expected one scenario: `pantheon` is a suite (`ccpark explain suites pantheon`), such as pantheon-1 or another of its 18',
    ],
    ["a grid as a base", "extends: ccbench1-grid", "expected one scenario: `ccbench1-grid` is a grid"],
    [
      "an include of itself",
      "extends: a.yaml",
      'a.yaml: extends: got "a.yaml", expected a file that does not lead back here: a.yaml -> a.yaml',
    ],
    [
      "text that is no YAML",
      "forward: [1, 2\nrttMs: }",
      "a.yaml line 2: got text that is neither YAML nor JSON",
    ],
    ["a list", "- 1\n- 2", "a.yaml: scenario: got [1,2], expected fields"],
    ["nothing", "", "a.yaml: scenario: got nothing, expected fields"],
    [
      "two limits",
      "extends: park-paper\nforward: { queue: { bdp: 1, packets: 5 } }",
      "a.yaml: forward.queue.bdp: got 1, expected packets or bdp, not both",
    ],
    [
      "a buffer of an endless rate",
      "rttMs: 20\nforward: { rate: { kind: unlimited }, queue: { bdp: 1 } }",
      "a.yaml: forward.queue.bdp: got 1, expected packets or bytes, since the rate has no limit",
    ],
    [
      "two delays",
      "extends: park-paper\nrttMs: 5\npropagationDelayMs: 3",
      "expected rttMs or propagationDelayMs, not both",
    ],
    [
      "too much for memory",
      "extends: ccp-drop\nforward: { rate: { mbps: 90000 } }\ndurationSec: 3600",
      "expected one that fits into 4.00 GiB: it needs about",
    ],
  ])("%s is one sentence with file and field", (_, text, message) => {
    const path = write("a.yaml", text);
    const said = mistake(() => resolveScenario(path, { seed: 1 }));
    expect(said).toContain(message);
    expect(said).not.toContain("\n");
    expect(said).toMatch(/^\[scenario\] a\.yaml/);
  });

  it("say which of several files holds the mistake", () => {
    write("inner.yaml", "extends: park-paper\ndurationSec: -1\n");
    const path = write("outer.yaml", "extends: inner.yaml\nname: outer\n");
    expect(mistake(() => resolveScenario(path))).toBe(
      "[scenario] inner.yaml: durationSec: got -1, expected > 0",
    );
    write("one.yaml", "extends: two.yaml");
    write("two.yaml", "extends: one.yaml");
    expect(mistake(() => resolveScenario(join(folder, "one.yaml")))).toContain(
      "one.yaml -> two.yaml -> one.yaml",
    );
    expect(mistake(() => resolveScenario(join(folder, "none.yaml")))).toBe(
      "[scenario] none.yaml: got no such file, expected a scenario in YAML or JSON",
    );
  });
});

describe("docs/scenarios.md", () => {
  const page = readFileSync(new URL("../../docs/scenarios.md", import.meta.url), "utf8");

  it("has an example that works, every suite's command and every short name", () => {
    const [, example] = /```yaml\n([^`]*)```/.exec(page)!;
    const scenario = resolveScenario(write("example.yaml", example!), { seed: 1 });
    expect(scenario).toMatchObject({ name: "my-link", flows: [{ algorithm: "cubic", startSec: -5 }] });
    for (const name of SUITES.keys()) expect(page).toContain(`\`ccpark bench --suite ${name}`);
    for (const name of ALIASES.keys()) expect(page).toContain(`\`${name}\``);
  });
});

describe("distributions", () => {
  const template = checkTemplate({
    rttMs: { uniform: [10, 100] },
    forward: {
      rate: {
        choice: [
          { kind: "constant", mbps: { logUniform: [1, 100] } },
          { kind: "random-steps", minMbps: { uniform: [1, 2] }, maxMbps: { uniform: [3, 4] }, everySec: 1 },
        ],
      },
      queue: { packets: { logUniform: [10, 1000] } },
    },
    flows: [{ algorithm: { choice: ["cubic", "reno"] }, count: { integer: [1, 4] } }],
  });

  it("draw the same for the same seed, other values for others, and fill their ranges", () => {
    const draws = Array.from({ length: 400 }, (_, seed) => sampleScenario(template, Rng.fromSeed(seed)));
    expect(sampleScenario(template, Rng.fromSeed(7))).toEqual(draws[7]);
    const counts = new Set(draws.map((scenario) => scenario.flows![0]!.count));
    expect([...counts].sort()).toEqual([1, 2, 3, 4]);
    expect(new Set(draws.map((scenario) => scenario.flows![0]!.algorithm))).toEqual(
      new Set(["cubic", "reno"]),
    );
    expect(new Set(draws.map((scenario) => scenario.forward.rate.kind)).size).toBe(2);
    for (const { forward, propagationDelayMs } of draws) {
      expect(propagationDelayMs >= 5 && propagationDelayMs < 50).toBe(true);
      const packets = forward.queue.packets!;
      expect(Number.isInteger(packets) && packets >= 10 && packets <= 1000).toBe(true);
      if (forward.rate.kind !== "random-steps") continue;
      // two distributions of one option are independent
      const { minMbps, maxMbps } = forward.rate;
      expect(Math.abs(minMbps - 1 - (maxMbps - 3))).toBeGreaterThan(0);
    }
  });

  it("one more distribution shifts no other", () => {
    const wider = { ...template, durationSec: { uniform: [5, 10] } } as const;
    for (let seed = 0; seed < 50; seed++) {
      const { durationSec, ...drawn } = sampleScenario(wider, Rng.fromSeed(seed));
      const { durationSec: _, ...before } = sampleScenario(template, Rng.fromSeed(seed));
      expect(drawn).toEqual(before);
      expect(durationSec >= 5 && durationSec < 10).toBe(true);
    }
  });

  it("a scenario is a template of itself", () => {
    const scenario = getScenario("rmcat-5.7");
    expect(sampleScenario(scenario, Rng.fromSeed(1))).toEqual(scenario);
  });

  it("a preset without its seed is refused, and with it is what an environment draws", () => {
    expect(mistake(() => resolveScenario("aurora-train"))).toContain(
      "`aurora-train` is drawn anew for each seed",
    );
    const [entry] = resolveScenarios(["aurora-train"]);
    expect(resolveScenario("aurora-train", { seed: 5 })).toEqual(
      entry!.draw(Rng.fromSeed(5).fork("scenario")),
    );
  });
});

describe("--set", () => {
  const set = (name: string, ...texts: string[]) =>
    resolveScenario(name, { overrides: texts.map(parseOverride), seed: 1 });

  it("sets fields by path and by short name, in order, against the new rate", () => {
    const scenario = set(
      "park-paper",
      "link.rateMbps=24",
      "link.rttMs=80",
      "link.bufferBdp=2",
      "link.lossRate=0.01",
    );
    expect(scenario).toMatchObject({
      propagationDelayMs: 40,
      forward: { rate: { mbps: 24 }, queue: { packets: 320 }, lossRate: 0.01 },
      reverse: { rate: { mbps: 24 }, queue: { packets: 400 } },
    });
    expect(set("pantheon-18", "link.bufferPackets=7").forward.queue).toEqual({ packets: 7 });
    expect(set("pantheon-13", "link.rateMbps=5").reverse.rate).toMatchObject({ kind: "trace" });
    expect(set("rmcat-5.7", "flows.1.count=3", "flows.0.startSec=2", "link.durationSec=5")).toMatchObject({
      durationSec: 5,
      flows: [{ startSec: 2 }, { count: 3 }, { count: 2 }],
    });
    expect(
      set("park-paper", "forward.rate={kind: steps, points: [{atSec: 0, mbps: 3}]}").forward.rate,
    ).toEqual({
      kind: "steps",
      points: [{ atSec: 0, mbps: 3 }],
    });
    expect(set("ccp-fixed", "link.delayMs={uniform: [5, 6]}").propagationDelayMs).toBeGreaterThan(5);
    expect(set("park-paper", "forward.rate.file=lte-driving").forward.rate).toMatchObject({ kind: "trace" });
    expect(set("park-paper", "forward.rate={file: lte-driving}").forward.rate).toMatchObject({
      name: "lte-driving",
    });
  });

  it.each<[string, string]>([
    ["link.rateMbps=-3", "[scenario] --set link.rateMbps=-3: forward.rate.mbps: got -3, expected > 0"],
    ["link.rateMbs=3", "[scenario] unknown field `link.rateMbs`; did you mean `link.rateMbps`?"],
    [
      "forward.rate.mbp=3",
      "[scenario] --set forward.rate.mbp=3: forward.rate.mbp: got 3, expected no such field; did you mean `mbps`?",
    ],
    [
      "forward.queue.packets=many",
      '[scenario] --set forward.queue.packets=many: forward.queue.packets: got "many", expected a number',
    ],
    [
      "durationSec",
      '[scenario] --set: scenario: got "durationSec", expected PATH=VALUE, such as link.rateMbps=24',
    ],
    ["forward..x=1", "expected PATH=VALUE"],
    ["forward.rate={kind: ", "[scenario] --set: forward.rate: got"],
    [
      "forward.rate={file: ./no.down}",
      '[scenario] --set: forward.rate.file: got "./no.down", expected a trace',
    ],
  ])("%s", (text, message) => {
    expect(mistake(() => set("park-paper", text))).toContain(message);
  });

  it("refuses an entry that a list does not have", () => {
    expect(mistake(() => set("rmcat-5.7", "flows.9.count=3"))).toBe(
      "[scenario] --set: flows.9.count: got 3, expected an entry from 0 to 2 of flows",
    );
  });
});
