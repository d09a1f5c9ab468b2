/** What a session tells besides observations: ground truth, pictures, and what is served, described. */
import { status } from "@grpc/grpc-js";
import { afterAll, describe, expect, it } from "vitest";
import { servedHost } from "../../../cli/served-env.ts";
import type { EnvHost, SessionConfig } from "../../../envs/grpc/session/env-host.ts";
import { SCENARIOS } from "../../../scenarios/presets.ts";
import { digestOf, noActions, openSession, reset, step, trajectory } from "./session-calls.ts";

const host: EnvHost = servedHost({ workers: 1, stepBudgetUs: 0 });
const here: EnvHost = servedHost();
afterAll(() => host.close());

const KWARGS = { scenario: "park-paper", durationSec: 2, stepMs: 20 };

describe("ground truth", () => {
  it.each([
    ["the FIFO network", { extends: "park-paper" }],
    ["the general network", { extends: "park-paper", forward: { queue: { discipline: { kind: "codel" } } } }],
  ])("of %s has the scenario's links and flows", async (_, scenario) => {
    const own = { ...scenario, name: "own", durationSec: 2 };
    const session = await openSession(here, { kwargs: { stepMs: 20, scenario: own } });
    await reset(session, { seeding: { $case: "seed", value: 77n } });
    for (let i = 0; i < 50; i++) await step(session);
    const state = await session.state(0);
    expect(state.seed).toBe(77n);
    expect(JSON.parse(state.scenarioJson)).toMatchObject({ name: "own", durationSec: 2 });
    const [link] = state.links;
    expect(state.links.map((each) => each.name).slice(0, 2)).toEqual(["forward", "reverse"]);
    expect(link!.rateBytesPerSec).toBeCloseTo(6e6, 0);
    expect(Number.isFinite(link!.bufferBytes)).toBe(true);
    expect(link!.servedBytes).toBeGreaterThan(0);
    expect(state.flows[0]).toMatchObject({
      flowId: "flow-0",
      algorithm: "agent",
      underTest: true,
      live: true,
    });
    const { srttUs, minRttUs, deliveredBytes, inflightBytes, cwndBytes } = state.flows[0]!;
    expect(srttUs).toBeGreaterThanOrEqual(minRttUs * 0.99);
    expect(minRttUs).toBeGreaterThanOrEqual(state.baseRttUs * 0.9);
    expect(deliveredBytes).toBeGreaterThan(0);
    expect(inflightBytes).toBeLessThanOrEqual(cwndBytes);
    expect(state.bdpBytes).toBeCloseTo((link!.rateBytesPerSec * state.baseRttUs) / 1e6, 6);
  });

  it("and pictures leave the answers as they are", async () => {
    const fields: Partial<SessionConfig> = { kwargs: { ...KWARGS, durationSec: 0.5 }, seed: 4 };
    const quiet = await openSession(here, fields);
    const asked = await openSession(host, { ...fields, kwargs: { ...fields.kwargs, render: true } });
    expect(asked.digest).toBe(quiet.digest);
    await reset(asked);
    for (let i = 0; i < 10; i++) {
      await step(asked);
      await asked.state(0);
      await asked.render(0, "ansi");
    }
    await reset(asked, { seeding: { $case: "seed", value: 4n } });
    await reset(quiet, { seeding: { $case: "seed", value: 4n } });
    for (let i = 0; i < 40; i++) {
      const [a, b] = [await step(quiet), await step(asked)];
      await asked.state(0);
      expect(digestOf([{ ...b, seq: a.seq, episodes: [] }])).toBe(digestOf([{ ...a, episodes: [] }]));
    }
    expect((await trajectory(quiet, 1)).length).toBe(2);
  });

  it("is refused before the first reset and beyond the last environment", async () => {
    const session = await openSession(here, { kwargs: KWARGS, numEnvs: 2 });
    expect(() => session.state(0)).toThrow(/before its first reset/);
    expect(() => session.render(0, "ansi")).toThrow(/before its first reset/);
    expect(() => session.state(2)).toThrow(/env_index: got 2, expected 0 to 1/);
  });
});

describe("a picture", () => {
  const modes = [
    ["here", here],
    ["in a worker thread", host],
  ] as const;
  it.each(modes)("drawn %s shows the course of the episode", async (_, where) => {
    const session = await openSession(where, { kwargs: { ...KWARGS, render: true } });
    await reset(session);
    for (let i = 0; i < 60; i++) await step(session, noActions(session));
    const ansi = await session.render(0, "ansi");
    const text = new TextDecoder().decode(ansi.data);
    expect(ansi.mediaType).toBe("text/plain; charset=utf-8");
    expect(text).toMatch(
      /park-paper {2}seed 0 {2}1\.\d\d of 2 s\nlink {5}48\.0 Mbit\/s {2}queue \d+ packets\nflow-0/,
    );
    expect(text).toMatch(/RTT ms {3}[▁▂▃▄▅▆▇█]{20,48} {2}max \d+\.\d \(flow-0\)/);

    const svg = await session.render(0, "svg");
    const drawing = new TextDecoder().decode(svg.data);
    expect(svg.mediaType).toBe("image/svg+xml");
    expect(drawing).toMatch(/^<svg[^>]* width="800" height="640"/);
    for (const axis of ["Mbit/s", "RTT (ms)", "Queue (packets)", "cwnd (packets)"])
      expect(drawing).toContain(axis);
    expect(drawing.match(/<path aria-label[^>]*stroke="#0072b2"|stroke="#0072b2"/g)).toHaveLength(3); // throughput, RTT, window

    const pixels = await session.render(0, "rgb_array");
    expect(pixels.shape).toEqual([640, 800, 3]);
    expect(pixels.data.length).toBe(640 * 800 * 3);
    // white paper, dark letters, and a blue line
    const dark = pixels.data.filter((value) => value < 80).length;
    expect(pixels.data[0]).toBe(255);
    expect(dark).toBeGreaterThan(1000);
    const blue = Array.from({ length: 640 * 800 }, (_, i) => pixels.data.subarray(3 * i, 3 * i + 3)).filter(
      ([red, , blue]) => blue! - red! > 100,
    );
    expect(blue.length).toBeGreaterThan(300);
    session.close();
  });

  it("of an unknown mode is not offered", async () => {
    const session = await openSession(host, { kwargs: KWARGS });
    await reset(session);
    await expect(session.render(0, "human")).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
    await step(session);
    session.close();
  });
});

describe("the description of what is served", () => {
  it("has schemas, spaces, components of rewards and the status of every scenario", () => {
    expect(here.listEnvs().map(({ envId, severalFlows }) => [envId, severalFlows])).toEqual([
      ["ccpark/CongestionControl-v0", false],
      ["ccpark/MultiFlow-v0", true],
    ]);
    for (const { envId } of here.listEnvs()) {
      const described = here.describeEnv(envId);
      const kwargs = JSON.parse(described.env!.kwargsJsonSchema);
      expect(kwargs).toMatchObject({ additionalProperties: false });
      expect(kwargs.properties.observation.enum).toEqual(described.observations.map(({ name }) => name));
      // a name, or any text that is a formula
      const rewards = described.rewards.map(({ name }) => name);
      expect(kwargs.properties.reward.anyOf).toEqual([{ enum: rewards }, { type: "string" }]);
      expect(Object.keys(kwargs.properties)).toEqual(
        expect.arrayContaining(["scenario", "stepMs", "seed", "render"]),
      );
      expect(kwargs.properties.actionPolicy).toBeUndefined();
      const scenario = JSON.parse(described.env!.scenarioJsonSchema);
      expect(Object.keys(scenario.properties)).toEqual(expect.arrayContaining(["forward", "rttMs", "flows"]));
      const known = new Set(["runnable", "runnable with substitution", "not runnable"]);
      expect(described.scenarios.length).toBe(SCENARIOS.size);
      expect(described.scenarios.every(({ status: is, source }) => known.has(is) && source !== "")).toBe(
        true,
      );
      const keys = described.infoKeys.map(({ key }) => key);
      for (const { components } of described.rewards) {
        expect(components.length).toBeGreaterThan(0);
        expect(keys).toEqual(expect.arrayContaining(components.map(({ name }) => `reward.${name}`)));
      }
      expect(described.stateSpace === undefined).toBe(envId === "ccpark/CongestionControl-v0");
    }
    expect(() => here.describeEnv("ccpark/MultiFlw-v0")).toThrow(/did you mean `ccpark\/MultiFlow-v0`/);
  });
});
