/** The environment that `ccpark serve` makes from a client's keyword arguments. */
import { describe, expect, it } from "vitest";
import { servedEnvs } from "../../cli/served-env.ts";
import type { SlotEnv } from "../../envs/vector/slots/slot-env.ts";
import { makeLink } from "../../scenarios/links.ts";
import type { Scenario } from "../../scenarios/scenario.ts";

const [singleFlow] = servedEnvs();
const make = (kwargs: Record<string, unknown>): SlotEnv => singleFlow!.make(kwargs, 1)[0]!;

function observationOf(env: SlotEnv): Float32Array {
  const observations = new Float32Array(env.observationSpace.shape[0]);
  const [rewards, flags] = [new Float64Array(1), new Uint8Array(1)];
  env.writeView(
    { observations, rewards, terminated: flags, truncated: flags, present: flags, live: flags },
    0,
  );
  return observations;
}

describe("the served environment", () => {
  it("steps the scenario that the client names, and measures the episode", () => {
    const env = make({ scenario: "park-paper", durationSec: 1, stepMs: 50, actionPolicy: "clip" });
    env.reset(3);
    let steps = 0;
    for (; !env.ended && steps < 1000; steps++) env.step(new Float32Array(env.actionSpace.shape[0]));
    expect(steps).toBeGreaterThanOrEqual(15);
    expect(env.episodeMetrics(0)).toMatchObject({ durationSec: 1, goodputMbps: expect.any(Number) });
  });

  it("takes a scenario as data, in the beginning or with a reset", () => {
    const link = makeLink({ mbps: 12, rttMs: 20, durationSec: 1 });
    const [first, other] = [make({ scenario: link }), make({})];
    first.reset(1);
    other.reset(1, link);
    for (let i = 0; i < 20; i++) {
      first.step(Float32Array.of(0.1));
      other.step(Float32Array.of(0.1));
      expect(observationOf(first)).toEqual(observationOf(other));
    }
  });

  it("takes files that the client sends: scenarios that extend others, traces by path and by name", () => {
    const trace = Array.from({ length: 2_000 }, (_, i) => i + 1);
    const files = {
      "mine/own.trace": `${trace.join("\n")}\n`,
      "mine/link.yaml": "extends: ../base.yaml\nforward: { rate: { kind: trace, file: own.trace } }\n",
      "base.yaml": "extends: ccp-cell\ndurationSec: 1\n",
    };
    const written = { forward: { rate: { kind: "trace", name: "own.trace", opportunitiesMs: trace } } };
    const [first, ...others] = [
      { scenario: { extends: "ccp-cell", durationSec: 1, ...written } },
      { scenario: { extends: "mine/link.yaml", files } },
      { scenario: { extends: "base.yaml", trace: "mine/own.trace", files } },
      { scenario: { extends: "ccp-cell", files }, trace: "mine/own.trace", durationSec: 1 },
      { scenario: { extends: "base.yaml", files, forward: { rate: { file: "mine/own.trace" } } } },
    ].map((kwargs) => {
      const env = make(kwargs);
      env.reset(1);
      const seen = Array.from({ length: 20 }, () => {
        env.step(Float32Array.of(0.2));
        return observationOf(env);
      });
      return { seen, metrics: env.episodeMetrics(0) };
    });
    expect(first!.metrics["goodputMbps"]).toBeGreaterThan(1);
    for (const other of others) expect(other).toEqual(first);
  });

  it.each([
    [{ scenario: "mine.yaml" }, /is a file: got its name, expected `{ extends: NAME, files/],
    [
      { scenario: { extends: "/etc/passwd.yaml" } },
      /got no text of \/etc\/passwd.yaml, expected it in `files`/,
    ],
    [{ scenario: { extends: "ccp-cell", trace: "/etc/passwd" } }, /unknown trace "\/etc\/passwd"/],
    [
      { scenario: { forward: { rate: { kind: "trace", file: "/etc/passwd" } } } },
      /unknown trace "\/etc\/passwd"/,
    ],
    [{ scenario: { extends: "a.yaml", files: { "a.yaml": "extends: b.yaml\n" } } }, /extends/],
    [{ scenario: { extends: "a.yaml", files: { "a.yaml": "a: [\n" } } }, /neither YAML nor JSON/],
    [{ scenario: { files: { "a.yaml": 7 } } }, /files: got .*, expected texts by their paths/],
    [{ scenario: { extends: "park-paper" }, trace: "lte-driving" }, /takes no trace/],
    [{ scenario: "park-papr" }, /did you mean `park-paper`/],
    [{ scenario: 7 }, /wrong scenario/],
    [{ scenario: "park-paper", durationSec: "long" }, /wrong durationSec/],
    [{ scenario: "ccp-cell", trace: "/etc/passwd" }, /a client may name a shipped one/],
    [{ speed: 1 }, /speed/],
    [{ observation: "park15" }, /did you mean `park-14`/],
    [{ stepMs: -1 }, /stepMs/],
  ])("refuses %j", (kwargs, message) => {
    expect(() => make(kwargs)).toThrow(message);
  });

  it("refuses a scenario of a reset that is out of range, and goes on as before", () => {
    const env = make({ durationSec: 1 });
    env.reset(1);
    const link = makeLink({ mbps: 12, rttMs: 20 });
    expect(() => env.reset(1, { ...link, durationSec: -1 } as Scenario)).toThrow(/durationSec/);
    env.step(new Float32Array(env.actionSpace.shape[0]));
    expect(env.ended).toBe(false);
  });
});
