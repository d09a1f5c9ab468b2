/** Flows of real sessions under their handles: who lists, watches and kills them, and what it does to the session: nothing. */
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { servedHost } from "../../../cli/served-env.ts";
import {
  connectMultiFlowEnv,
  connectVectorEnv,
  FlowsClient,
  type WatchedItem,
} from "../../../envs/grpc/client.ts";
import { AutoresetMode } from "../../../envs/grpc/generated/ccpark/v1/environment.ts";
import type { ServerLimits } from "../../../envs/grpc/server/limits.ts";
import { type RunningServer, startServer } from "../../../envs/grpc/server.ts";
import type { BandReport } from "../../../flows/bands.ts";
import { FlowHandle } from "../../../flows/handle.ts";
import { getScenario } from "../../../scenarios/presets.ts";
import { RawClient, resetPayload, stepPayload } from "../server/raw-client.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(
  options: { readonly limits?: Partial<ServerLimits>; readonly workers?: number } = {},
): Promise<RunningServer> {
  const { workers = 0, limits } = options;
  const stepBudgetUs = workers > 0 ? 1e-9 : undefined;
  const server = await startServer({ port: 0, envHost: servedHost({ workers, stepBudgetUs }), limits });
  closing.push(() => server.close());
  return server;
}

function flowsOf(server: RunningServer): FlowsClient {
  const client = new FlowsClient({ address: `127.0.0.1:${server.port}` });
  closing.push(() => client.close());
  return client;
}

interface Stepper {
  step(): Promise<void>;
  /** everything that the session has answered, as bytes */
  readonly bytes: Buffer[];
}

async function stepper(server: RunningServer, numEnvs: number, durationSec = 2): Promise<Stepper> {
  const env = await connectVectorEnv({
    address: `127.0.0.1:${server.port}`,
    numEnvs,
    scenario: "park-paper",
    kwargs: { durationSec },
    autoreset: "same-step",
  });
  closing.push(() => env.close());
  const bytes: Buffer[] = [];
  const actions = new Float32Array(numEnvs * env.actionSpace.shape[0]).fill(0.2);
  const keep = (...arrays: readonly ArrayBufferView[]): void => {
    for (const { buffer, byteOffset, byteLength } of arrays) {
      bytes.push(Buffer.from(Buffer.from(buffer, byteOffset, byteLength)));
    }
  };
  await env.reset(7);
  keep(env.observations);
  return {
    bytes,
    step: async () => {
      await env.step(actions);
      keep(env.observations, env.rewards, env.truncated);
    },
  };
}

/** Watches in the background, until the flow ends or the test does. */
async function collect(
  client: FlowsClient,
  handle: string,
  bands: readonly string[] = [],
  queue = 0,
): Promise<{ readonly items: WatchedItem[]; readonly done: Promise<void> }> {
  const items: WatchedItem[] = [];
  const stop = new AbortController();
  closing.push(() => stop.abort());
  const done = (async () => {
    for await (const item of client.watch(handle, { bands, queue, signal: stop.signal })) items.push(item);
  })();
  await expect
    .poll(async () => (await client.list({ pattern: handle })).flows[0]!.observers)
    .toBeGreaterThan(0);
  return { items, done };
}

const reportsOf = (items: readonly WatchedItem[]): BandReport[] =>
  items.flatMap(({ report }) => (report === undefined ? [] : [report]));

describe("the flows of a server", () => {
  it("are listed by wildcards in names and handles, by scope, and are gone with their session", async () => {
    const server = await serve();
    const raw = new RawClient(server.port);
    closing.push(() => raw.close());
    const kwargs = { scenario: "park-paper" };
    const one = await raw.create({ numEnvs: 3, kwargs });
    await raw.create({ numEnvs: 1, envId: "ccpark/MultiFlow-v0", kwargs: {} });
    const flows = flowsOf(server);
    const all = await flows.list();
    expect(all.total).toBe(3 + 6);
    expect(new Set(all.flows.map(({ handle }) => handle)).size).toBe(9);
    for (const { handle } of all.flows) expect(`${FlowHandle.parse(handle)}`).toBe(handle);
    const session = one.sessionId.slice(0, 8);
    const named = await flows.list({ pattern: `${session}/?/flow-0` });
    expect(named.flows.map(({ name }) => name)).toEqual([0, 1, 2].map((env) => `${session}/${env}/flow-0`));
    const [first] = named.flows;
    expect((await flows.list({ pattern: `${first!.handle.slice(0, 16)}.*` })).total).toBe(9);
    expect((await flows.list({ scope: "bottleneck", of: first!.handle })).flows).toEqual([first]);
    expect((await flows.list({ scope: "self", of: first!.handle })).total).toBe(9);
    expect((await flows.list({ scope: "host", of: first!.handle })).total).toBe(9);
    expect((await flows.list({ scope: "self" })).total).toBe(0);
    expect(await flows.list({ limit: 2 })).toMatchObject({ total: 9, flows: [first, {}] });
    await raw.unary((done) =>
      raw.stub.closeSession({ sessionId: one.sessionId, sessionToken: one.sessionToken }, done),
    );
    expect((await flows.list()).total).toBe(6);
  });

  it("are refused in one sentence where there are none, or what is asked is wrong", async () => {
    const flows = flowsOf(await serve());
    const handle = "0123456789abcdef.00000001.00000002";
    await expect(flows.kill(handle)).rejects.toThrow(
      `[flows] no flow ${handle}: it has ended, or never was here`,
    );
    await expect(flows.kill("flow-0")).rejects.toThrow(
      '[flows] handle: got "flow-0", expected CREATOR.REGISTRY',
    );
    await expect(flows.watch(handle).next()).rejects.toMatchObject({ kind: "not-found" });
    await expect(flows.watch(handle, { bands: ["fualt"] }).next()).rejects.toThrow("did you mean `fault`?");
    await expect(flows.list({ scope: "host" })).rejects.toThrow("scope: got host without a flow");
    await expect(flows.list({ limit: 10_001 })).rejects.toThrow("limit: got 10001, expected at most 10000");
  });
});

describe.each([0, 2])("with %i worker threads, an observer", (workers) => {
  it("changes no byte of the session: none and ten of them, joined while it runs", {
    timeout: 60_000,
  }, async () => {
    const course = async (observers: number): Promise<Buffer> => {
      const server = await serve({ workers });
      const env = await stepper(server, 2);
      for (let i = 0; i < 20; i++) await env.step();
      const flows = flowsOf(server);
      const [flow] = (await flows.list()).flows;
      const watched = [];
      for (let i = 0; i < observers; i++) watched.push(await collect(flows, flow!.handle));
      for (let i = 0; i < 400; i++) await env.step();
      for (const { items } of watched) await expect.poll(() => items.length).toBeGreaterThan(400);
      return Buffer.concat(env.bytes);
    };
    const alone = await course(0);
    expect(alone.length).toBeGreaterThan(10_000);
    expect((await course(10)).equals(alone)).toBe(true);
  });

  it("gets the bands that it asked for, with counters that never fall, over the ends of episodes", async () => {
    const server = await serve({ workers });
    const env = await stepper(server, 1, 1);
    const flows = flowsOf(server);
    const [flow] = (await flows.list()).flows;
    const all = await collect(flows, flow!.handle, [], 10_000);
    const losses = await collect(flows, flow!.handle, ["fault"]);
    for (let i = 0; i < 250; i++) await env.step();
    await expect.poll(() => all.items.length).toBeGreaterThan(750);
    const reports = reportsOf(all.items);
    for (const { flow: of } of reports) expect(`${of}`).toBe(flow!.handle);
    const of = <B extends BandReport["band"]>(band: B): Extract<BandReport, { band: B }>[] =>
      reports.filter((each) => each.band === band) as Extract<BandReport, { band: B }>[];
    const events = of("membership").map(({ body }) => body.event);
    expect(events.slice(0, 5)).toEqual(["joined", "left", "joined", "left", "joined"]);
    const delivered = of("measurement").map(({ body }) => body.deliveredBytes);
    expect(delivered.every((bytes, i) => i === 0 || bytes >= delivered[i - 1]!)).toBe(true);
    expect(delivered.at(-1)).toBeGreaterThan(delivered[0]!);
    expect(of("control").every(({ body }) => body.cwndBytes > 0)).toBe(true);
    // 48 Mbit/s
    expect(of("truth").at(-1)!.body.capacityBytesPerSec).toBeCloseTo(6e6, -4);
    const numbers = reports.map(({ number }) => number);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    for (const { band } of reportsOf(losses.items)) expect(band).toBe("fault");
  });
});

describe.each([0, 2])("with %i worker threads, a flow that is moved", (workers) => {
  it("goes on over other links under its handle: its counters never fall, and the next episode begins at home", async () => {
    const server = await serve({ workers });
    const env = await connectVectorEnv({
      address: `127.0.0.1:${server.port}`,
      numEnvs: 2,
      scenario: "flows-mobility",
      kwargs: { durationSec: 15, stepMs: 100, action: "absolute" },
      autoreset: "same-step",
    });
    closing.push(() => env.close());
    const flows = flowsOf(server);
    const [flow, other] = (await flows.list()).flows;
    const { handle } = flow!;
    const watched = await collect(flows, handle, ["membership", "measurement", "truth"], 10_000);
    const beside = await collect(flows, other!.handle, ["truth"], 10_000);
    const away = { forward: "away", reverse: "away-back" };
    await expect(flows.move(handle, away)).rejects.toMatchObject({ kind: "failed-precondition" });
    await env.reset(3);
    // more packets than either path has under way, and fewer than fit beside them into its queue
    const action = Float32Array.of(70, 0, 70, 0);
    let steps = 0;
    const run = async (count: number): Promise<void> => {
      for (; count > 0; count--, steps++) await env.step(action);
    };
    await run(50);
    await expect(flows.move(handle, { forward: "nowhere" })).rejects.toThrow(
      '[testbed] forward: got "nowhere", expected one of forward, reverse, away, away-back',
    );
    await flows.move(handle, away);
    await run(49);
    expect(env.truncated[0]).toBe(0);
    await run(70);
    expect((await flows.list({ pattern: handle })).total).toBe(1);
    await expect.poll(() => watched.items.length).toBeGreaterThan(2 * steps);
    const reports = reportsOf(watched.items);
    for (const { flow: of } of reports) expect(`${of}`).toBe(handle);
    const events = reports.flatMap(({ band, body }) => (band === "membership" ? [body.event] : []));
    expect(events).toEqual(["joined", "moved", "left", "joined"]);
    const delivered = reports.flatMap(({ band, body }) =>
      band === "measurement" ? [body.deliveredBytes] : [],
    );
    expect(delivered.every((bytes, i) => i === 0 || bytes >= delivered[i - 1]!)).toBe(true);
    const capacities = (of: readonly BandReport[]): number[] =>
      of.flatMap(({ band, body }) => (band === "truth" ? [body.capacityBytesPerSec * 8e-6] : []));
    const [mine, its] = [capacities(reports), capacities(reportsOf(beside.items))];
    // a mean over the last 100 ms
    expect(mine[48]).toBeCloseTo(10, 6);
    expect(mine[53]).toBeCloseTo(2, 6);
    expect(mine[98]).toBeCloseTo(2, 6);
    expect(mine.at(-1)).toBeCloseTo(10, 6);
    for (const mbps of its.slice(1)) expect(mbps).toBeCloseTo(10, 6);
    // what came in the last 3 s before, and 2 s later
    const [before, after] = [delivered[48]! - delivered[18]!, delivered[98]! - delivered[68]!];
    expect(before / after).toBeGreaterThan(4);
    expect(before / after).toBeLessThan(6);
  });
});

it("a flow of a scenario that has nowhere to go stays, and of several each may go", async () => {
  const server = await serve();
  const flows = flowsOf(server);
  const standing = await stepper(server, 1);
  await standing.step();
  await expect(flows.move((await flows.list()).flows[0]!.handle)).rejects.toThrow(
    "park-paper: its flows stay, expected `moves` or `spareLinks` in the scenario",
  );
  const { moves: _, ...stays } = getScenario("flows-mobility");
  const env = await connectMultiFlowEnv({
    address: `127.0.0.1:${server.port}`,
    scenario: {
      ...stays,
      spareLinks: ["away", "away-back"],
      flows: [{ id: "second", algorithm: "test" }],
      durationSec: 20,
    },
    kwargs: { stepMs: 100 },
  });
  closing.push(() => env.close());
  let step = await env.reset({ seed: 1 });
  const [second] = (await flows.list({ pattern: "*/second" })).flows;
  const watched = await collect(flows, second!.handle, ["measurement"], 10_000);
  const stand = async (count: number): Promise<void> => {
    const idle = new Float32Array(env.actionSpace.shape[0]);
    for (; count > 0; count--) step = await env.step(new Map(step.liveFlows.map((id) => [id, idle])));
  };
  await stand(50);
  await flows.move(second!.handle, { forward: "away", reverse: "away-back" });
  await stand(50);
  await expect.poll(() => watched.items.length).toBeGreaterThan(99);
  const rtts = reportsOf(watched.items).flatMap(({ band, body }) =>
    band === "measurement" ? [body.srttUs / 1000] : [],
  );
  expect(rtts[49]).toBeLessThan(100);
  expect(rtts.at(-1)).toBeGreaterThan(150);
});

describe("a flow that is killed", () => {
  it("is gone at once, its episode is truncated by the next step, and its slot goes on under another handle", async () => {
    const server = await serve();
    const raw = new RawClient(server.port);
    closing.push(() => raw.close());
    const env = await stepper(server, 2, 60);
    const flows = flowsOf(server);
    const before = (await flows.list()).flows;
    const watched = await collect(flows, before[0]!.handle, ["membership"]);
    await env.step();
    await flows.kill(before[0]!.handle);
    await watched.done;
    expect(reportsOf(watched.items).map(({ body }) => body)).toMatchObject([
      { event: "joined" },
      { event: "left" },
    ]);
    expect((await flows.list()).flows.map(({ handle }) => handle)).toEqual([before[1]!.handle]);
    await expect(flows.kill(before[0]!.handle)).rejects.toMatchObject({ kind: "not-found" });
    await env.step();
    const after = (await flows.list()).flows;
    expect(after).toHaveLength(2);
    expect(after.map(({ name }) => name).sort()).toEqual(before.map(({ name }) => name).sort());
    expect(after.map(({ handle }) => handle)).not.toContain(before[0]!.handle);
  });

  it("ends its episode as truncated, with the environment's own modes of autoreset", async () => {
    const server = await serve();
    const raw = new RawClient(server.port);
    closing.push(() => raw.close());
    const session = await raw.create({
      kwargs: { scenario: "park-paper" },
      autoresetMode: AutoresetMode.AUTORESET_MODE_DISABLED,
    });
    const stream = await raw.attached(session);
    stream.write(resetPayload(1));
    await stream.read();
    const flows = flowsOf(server);
    const [flow] = (await flows.list()).flows;
    await flows.kill(flow!.handle);
    stream.write(stepPayload(2, [0]));
    const { payload } = await stream.read();
    expect(payload).toMatchObject({
      $case: "step",
      value: { truncated: Buffer.of(1), terminated: Buffer.of(0) },
    });
    expect((await flows.list()).total).toBe(0);
    stream.write(resetPayload(3));
    await stream.read();
    expect((await flows.list()).total).toBe(1);
    stream.write(stepPayload(4, [0]));
    expect((await stream.read()).payload).toMatchObject({ value: { truncated: Buffer.of(0) } });
  });
});

describe("quotas", () => {
  it("stop a client that asks for a million flows with RESOURCE_EXHAUSTED, and others have theirs", async () => {
    const server = await serve({ limits: { maxFlowsPerClient: 40, maxFlows: 100 } });
    const greedy = new RawClient(server.port);
    const modest = new RawClient(server.port);
    closing.push(
      () => greedy.close(),
      () => modest.close(),
    );
    const kwargs = { scenario: "park-paper" };
    await expect(greedy.create({ numEnvs: 1_000_000, kwargs })).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
    let had = 0;
    for (let i = 0; i < 4; i++) had += (await greedy.create({ numEnvs: 10, kwargs })).numEnvs;
    expect(had).toBe(40);
    await expect(greedy.create({ numEnvs: 1, kwargs })).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: "[flows] 1 flows more: the client has 40 and may have 40",
    });
    await modest.create({ numEnvs: 40, kwargs });
    await expect(modest.create({ numEnvs: 1, kwargs })).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
    expect((await flowsOf(server).list()).total).toBe(80);
  });
});
