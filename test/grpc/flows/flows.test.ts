/** Flows of real sessions under their handles: who lists, watches and kills them, and what it does to the session: nothing. */
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { servedHost } from "../../../cli/served-env.ts";
import { connectVectorEnv, FlowsClient, type WatchedItem } from "../../../envs/grpc/client.ts";
import { AutoresetMode } from "../../../envs/grpc/generated/ccpark/v1/environment.ts";
import type { ServerLimits } from "../../../envs/grpc/server/limits.ts";
import { type RunningServer, startServer } from "../../../envs/grpc/server.ts";
import type { BandReport } from "../../../flows/bands.ts";
import { FlowHandle } from "../../../flows/handle.ts";
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
