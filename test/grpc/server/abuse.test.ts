/** Clients that break the rules or break down: each gets its status and one sentence, and the server goes on. */

import { setTimeout as sleep } from "node:timers/promises";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import type {
  CreateSessionResponse,
  StepResponse,
  WatchEpisodesResponse,
} from "../../../envs/grpc/generated/ccpark/v1/environment.ts";
import { BadRequest, ErrorInfo } from "../../../envs/grpc/generated/google/rpc/error_details.ts";
import { Status } from "../../../envs/grpc/generated/google/rpc/status.ts";
import { type ServerLimits, StepBudget } from "../../../envs/grpc/server/limits.ts";
import { type RunningServer, startServer } from "../../../envs/grpc/server.ts";
import { spaceFromWire } from "../../../envs/grpc/wire.ts";
import { outcomeOf, startCli } from "../../cli/run-cli.ts";
import { startProxy } from "../proxy.ts";
import { toyHost } from "../toy-env.ts";
import { RawClient, resetPayload, stepPayload } from "./raw-client.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(
  limits: Partial<ServerLimits> = {},
  { workers = 0, metricsPort }: { workers?: number; metricsPort?: number } = {},
): Promise<{ server: RunningServer; client: RawClient }> {
  const server = await startServer({
    port: 0,
    envHost: toyHost({ workers }),
    limits: { shutdownGraceMs: 100, ...limits },
    metricsPort,
  });
  const client = new RawClient(server.port);
  closing.push(
    () => server.close(),
    () => client.close(),
  );
  return { server, client };
}

const keysOf = ({ sessionId, sessionToken }: CreateSessionResponse) => ({ sessionId, sessionToken });
const reset = (client: RawClient, session: CreateSessionResponse, seq = 1) =>
  client.unary((done) => client.stub.reset({ ...resetPayload(seq).value, ...keysOf(session) }, done));
const step = (
  client: RawClient,
  session: CreateSessionResponse,
  seq: number,
  actions: number[],
  deadline?: number,
) =>
  client.unary<StepResponse>((done) =>
    client.stub.step(
      { ...stepPayload(seq, actions).value, ...keysOf(session) },
      new Metadata(),
      { deadline },
      done,
    ),
  );

/** The field that a status blames. */
function blamed(failure: Status): string | undefined {
  const [detail] = failure.details;
  if (detail?.typeUrl !== "type.googleapis.com/google.rpc.BadRequest") return undefined;
  return BadRequest.decode(detail.value).fieldViolations[0]?.field;
}
function statusOf(error: unknown): Status {
  const [bytes] = (error as ServiceError).metadata.get("grpc-status-details-bin");
  return Status.decode(bytes as Buffer);
}
const failureOf = (call: Promise<unknown>): Promise<ServiceError> =>
  call.then(
    () => expect.unreachable("the call was answered"),
    (error) => error,
  );

/** Sleeps in a worker thread, so that the server has its hands free. */
const SLOW = { scenario: "toy-long", costUs: 1e4, sleepMs: 400 };

describe("a mistake in a request", () => {
  it("names its field, in a stream and as a status", async () => {
    const { client } = await serve();
    const session = await client.create();
    await reset(client, session);
    const wrongShape = await failureOf(step(client, session, 2, [1, 2, 3]));
    expect(wrongShape).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(wrongShape.details).toMatch(/got 12 bytes, expected 8/);
    expect(blamed(statusOf(wrongShape))).toBe("actions");
    const stream = await client.attached(session);
    stream.write(stepPayload(3, [Number.NaN, 0]));
    const { payload } = await stream.read();
    if (payload?.$case !== "error") throw new Error("no error");
    expect(payload.value).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(payload.value.message).toMatch(/not finite at up/);
    expect(blamed(payload.value)).toMatch(/^actions/);
    const unknown = await failureOf(client.create({ kwargs: { scenari: "toy-short" } }));
    expect([unknown.code, blamed(statusOf(unknown))]).toEqual([status.INVALID_ARGUMENT, "kwargs.scenari"]);
    const several = await failureOf(client.create({ numEnvs: 0 }));
    expect(blamed(statusOf(several))).toBe("num_envs");
  });

  it("is told within bounds, however long the mistake", async () => {
    const { client } = await serve();
    const error = await failureOf(client.create({ kwargs: { scenario: "é".repeat(1_000_000) } }));
    expect(error.code).toBe(status.NOT_FOUND);
    expect(error.details.length).toBeLessThan(2_100);
    const large = await failureOf(client.create({ kwargs: { scenario: "x".repeat(17 * 1024 * 1024) } }));
    expect(large).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringMatching(/larger than max/),
    });
  });

  it("of order or of identity says what to do", async () => {
    const { client } = await serve();
    const session = await client.create();
    const other = await client.create();
    expect(await failureOf(step(client, session, 1, [0, 0]))).toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: expect.stringMatching(/step before the first reset/),
    });
    const mixed = { ...session, sessionToken: other.sessionToken };
    expect(await failureOf(reset(client, mixed, 2))).toMatchObject({
      code: status.PERMISSION_DENIED,
      details: "[grpc] session_token is wrong",
    });
    expect(await failureOf(reset(client, { ...session, sessionId: "x" }, 2))).toMatchObject({
      code: status.NOT_FOUND,
      details: "[grpc] no session `x`: it was closed, its lease ended, or the server restarted",
    });
  });

  it("of the environment carries what replays it", async () => {
    const { client } = await serve();
    const session = await client.create({ kwargs: { scenario: "toy-explodes" } });
    await reset(client, session);
    await step(client, session, 2, [0, 0]);
    await step(client, session, 3, [0, 0]);
    const error = await failureOf(step(client, session, 4, [0, 0]));
    expect(error).toMatchObject({
      code: status.INTERNAL,
      details: expect.stringMatching(/environment 0 threw in step \(seed 7, step 2/),
    });
    const info = ErrorInfo.decode(statusOf(error).details[0]!.value);
    expect([info.domain, info.reason]).toEqual(["ccpark", "ENVIRONMENT_THREW"]);
    expect(Object.fromEntries(info.metadata)).toEqual({
      environment: "0",
      seed: "7",
      step: "2",
      doing: "step",
      configDigest: session.configDigest,
    });
  });
});

describe("a client that is too much", () => {
  it("gets 100 sessions of 10,000 asked", async () => {
    const { server, client } = await serve({ maxSessions: 100, maxSessionsPerClient: 10_000 });
    const answers = await Promise.all(
      Array.from({ length: 10_000 }, () =>
        client.create().then(
          () => "made",
          (error: ServiceError) => `${status[error.code]} ${error.details}`,
        ),
      ),
    );
    const counted = new Map<string, number>();
    for (const answer of answers) counted.set(answer, (counted.get(answer) ?? 0) + 1);
    expect(Object.fromEntries(counted)).toEqual({
      made: 100,
      "RESOURCE_EXHAUSTED [grpc] 100 sessions are open, this server allows 100": 9_900,
    });
    expect(server.sessionCount()).toBe(100);
  });

  it("waits for its turn beyond its rate, in a stream and in unary calls", async () => {
    const budget = new StepBudget(100);
    expect([budget.take(100, 0), budget.take(50, 0), budget.take(1, 0)]).toEqual([0, 0, 500]);
    expect(budget.take(1, 10_000)).toBe(0);
    const { client } = await serve({ maxStepsPerSec: 20, maxInFlight: 64 });
    const session = await client.create({ kwargs: { scenario: "toy-long" } });
    const stream = await client.attached(session);
    const startedMs = performance.now();
    stream.write(resetPayload(1), ...Array.from({ length: 39 }, (_, i) => stepPayload(i + 2, [0, 0])));
    for (let seq = 1n; seq <= 40n; seq++) expect((await stream.read()).seq).toBe(seq);
    expect(performance.now() - startedMs).toBeGreaterThan(800); // 20 at once, then 20 per second
    stream.write({ $case: "detach", value: {} });
    expect((await stream.read()).payload?.$case).toBe("detach");
    const alsoMs = performance.now();
    await step(client, session, 41, [0, 0]);
    expect(performance.now() - alsoMs).toBeGreaterThan(10);
  });
});

describe("a client that does not wait", () => {
  it("finds the answer kept after its deadline, and nothing was stepped twice", async () => {
    const { client } = await serve({}, { workers: 1 });
    const session = await client.create({ kwargs: SLOW });
    await reset(client, session);
    const late = await failureOf(step(client, session, 2, [1, 0], Date.now() + 100));
    expect(late.code).toBe(status.DEADLINE_EXCEEDED);
    const kept = await step(client, session, 2, [1, 0]);
    expect(kept.seq).toBe(2n);
    expect(Buffer.from(kept.observations[0]!).readFloatLE(8)).toBeCloseTo(1 / 1000, 5);
  });

  it("causes no work if its deadline passed before", async () => {
    const { server, client } = await serve();
    const error = await failureOf(
      client.unary((done) =>
        client.stub.getServerInfo({}, new Metadata(), { deadline: Date.now() - 1 }, done),
      ),
    );
    expect(error.code).toBe(status.DEADLINE_EXCEEDED);
    expect(server.sessionCount()).toBe(0);
  });

  it("may close its half of the stream and still gets its answers", async () => {
    const { client } = await serve({}, { workers: 1 });
    const session = await client.create({ kwargs: { ...SLOW, sleepMs: 50 } });
    const stream = client.connect();
    stream.attach(session);
    stream.write(resetPayload(1), stepPayload(2, [0, 0]), stepPayload(3, [0, 0]));
    stream.call.end();
    expect((await stream.read()).payload?.$case).toBe("attach");
    for (const seq of [1n, 2n, 3n]) expect((await stream.read()).seq).toBe(seq);
    expect((await stream.end()).code).toBe(0);
  });

  it("is told when its stream says nothing", async () => {
    const { client } = await serve({ attachTimeoutMs: 200 });
    expect(await client.connect().end()).toEqual({
      code: status.DEADLINE_EXCEEDED,
      details: "[grpc] no attach within 200 ms",
    });
  });

  it("killed in the middle of a step finds its session and answer again, and later does not", async () => {
    const { server, client } = await serve({ leaseMs: 1_500 }, { workers: 1 });
    const proxy = await startProxy(server.port);
    const doomed = new RawClient(proxy.port);
    closing.push(
      () => doomed.close(),
      () => proxy.close(),
    );
    const session = await doomed.create({ kwargs: SLOW });
    const stream = await doomed.attached(session);
    stream.write(resetPayload(1));
    await stream.read();
    stream.write(stepPayload(2, [1, 0]));
    await sleep(100);
    proxy.cut();
    expect((await stream.end()).code).toBe(status.UNAVAILABLE);
    await sleep(600);
    const again = client.connect();
    again.attach(session, { lastSeqReceived: 1n });
    expect((await again.read()).payload).toEqual({ $case: "attach", value: { lastSeqApplied: 2n } });
    expect(await again.read()).toMatchObject({ seq: 2n, payload: { $case: "step" } });
    again.call.cancel();
    for (let i = 0; i < 100 && server.sessionCount() > 0; i++) await sleep(50);
    expect(server.sessionCount()).toBe(0);
    expect((await failureOf(step(client, session, 3, [0, 0]))).code).toBe(status.NOT_FOUND);
  });
});

describe("a call that runs longer than the lease", () => {
  it("is answered, and the lease starts when it is", async () => {
    const leaseMs = 300;
    const { server, client } = await serve({ leaseMs }, { workers: 1 });
    const session = await client.create({ kwargs: { ...SLOW, sleepMs: 2 * leaseMs } });
    await reset(client, session);
    for (const seq of [2, 3]) await step(client, session, seq, [0, 0]);
    expect(server.sessionCount()).toBe(1);
    for (let i = 0; i < 100 && server.sessionCount() > 0; i++) await sleep(50);
    expect(server.sessionCount()).toBe(0);
  });
});

describe("a client that comes back too early", () => {
  it("is welcomed when the step that still runs is over, with its answer", async () => {
    const { client } = await serve({}, { workers: 1 });
    const session = await client.create({ kwargs: SLOW });
    const stream = await client.attached(session);
    stream.write(resetPayload(1), stepPayload(2, [1, 0]));
    await stream.read();
    await sleep(50);
    const again = client.connect();
    again.attach(session, { lastSeqReceived: 1n, takeOver: true });
    again.write(stepPayload(3, [1, 0]));
    expect((await stream.end()).code).toBe(status.ABORTED);
    expect((await again.read()).payload).toEqual({ $case: "attach", value: { lastSeqApplied: 2n } });
    for (const seq of [2, 3]) {
      const { payload } = await again.read();
      if (payload?.$case !== "step") throw new Error("no step");
      expect(Buffer.from(payload.value.observations[0]!).readFloatLE(8)).toBeCloseTo((seq - 1) / 1000, 5);
    }
  });
});

describe("WatchEpisodes", () => {
  const watch = (client: RawClient, session: CreateSessionResponse) => {
    const call = client.stub.watchEpisodes(keysOf(session));
    const seen: WatchEpisodesResponse[] = [];
    call.on("data", (answer: WatchEpisodesResponse) => seen.push(answer));
    const ended = new Promise<number>((resolve) => {
      call.on("error", () => undefined).on("status", ({ code }) => resolve(code));
    });
    return { call, seen, ended };
  };

  it("tells the episodes as they end, ends with the session, and leaves some out for a slow reader", async () => {
    const { client } = await serve({ maxMessageBytes: 4 * 1024 * 1024 });
    const numEnvs = 200;
    const session = await client.create({ numEnvs, kwargs: { steps: 1 }, autoresetMode: 2 });
    const [quick, slow] = [watch(client, session), watch(client, session)];
    slow.call.pause();
    await sleep(100);
    await reset(client, session);
    for (let seq = 2; seq < 52; seq++) await step(client, session, seq, Array(2 * numEnvs).fill(0));
    for (let i = 0; i < 100 && quick.seen.length < 50 * numEnvs; i++) await sleep(20);
    const told = (seen: WatchEpisodesResponse[]): number =>
      seen.length + seen.reduce((sum, { dropped }) => sum + Number(dropped), 0);
    expect(told(quick.seen)).toBeGreaterThan(49 * numEnvs);
    slow.call.resume();
    await step(client, session, 52, Array(2 * numEnvs).fill(0));
    await client.unary((done) => client.stub.closeSession(keysOf(session), done));
    expect([await quick.ended, await slow.ended]).toEqual([0, 0]);
    expect(slow.seen.length).toBeLessThan(50 * numEnvs);
    expect(slow.seen[0]!.episode).toMatchObject({ length: 1, seed: 7n });
  });

  it("belongs to the owner of the session", async () => {
    const { client } = await serve();
    const session = await client.create();
    expect(await watch(client, { ...session, sessionToken: "x" }).ended).toBe(status.PERMISSION_DENIED);
  });
});

describe("a server that goes", () => {
  it("finishes the step that runs, says UNAVAILABLE, and exits with 0 on SIGTERM", async () => {
    const child = startCli(["serve", "--port", "0", "--json", "--workers", "1"]);
    const outcome = outcomeOf(child);
    closing.push(() => child.kill("SIGKILL"));
    const line = await new Promise<string>((resolve) =>
      child.stdout!.once("data", (data) => resolve(String(data))),
    );
    const ready = JSON.parse(line) as { port: number; pid: number; tls: boolean; metricsPort: number | null };
    expect(ready).toMatchObject({ pid: child.pid, tls: false, metricsPort: null });
    const client = new RawClient(ready.port);
    closing.push(() => client.close());
    const numEnvs = 256;
    const session = await client.create({ numEnvs, kwargs: { scenario: "park-paper", stepMs: 2_000 } });
    const width = spaceFromWire(session.singleActionSpace, "action space").shape[0];
    const stream = await client.attached(session);
    stream.write(resetPayload(1));
    await stream.read();
    stream.write(stepPayload(2, Array(numEnvs * width).fill(0)));
    await sleep(50);
    child.kill("SIGTERM");
    await sleep(50);
    const refused = await failureOf(client.create());
    expect(refused.code).toBe(status.UNAVAILABLE);
    expect(await stream.read()).toMatchObject({ seq: 2n, payload: { $case: "step" } });
    expect(await stream.end()).toEqual({ code: status.UNAVAILABLE, details: "[grpc] the server shuts down" });
    expect(await outcome).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/SIGTERM: ending 1 session\n/),
    });
  });

  it("ends with the program that started it", async () => {
    const child = startCli(["serve", "--port", "0", "--json", "--exit-with-stdin"]);
    const outcome = outcomeOf(child);
    await new Promise((resolve) => child.stdout!.once("data", resolve));
    child.stdin!.end();
    expect(await outcome).toMatchObject({ code: 0 });
  });
});

describe("metrics", () => {
  it("count sessions, streams, steps and errors", async () => {
    const { server, client } = await serve({}, { metricsPort: 0 });
    const session = await client.create({ numEnvs: 3 });
    const stream = await client.attached(session);
    stream.write(resetPayload(1), stepPayload(2, Array(6).fill(0)), stepPayload(3, [0]));
    for (let i = 0; i < 3; i++) await stream.read();
    await failureOf(reset(client, { ...session, sessionToken: "" }));
    const url = `http://127.0.0.1:${server.metricsPort}`;
    const text = await (await fetch(`${url}/metrics`)).text();
    for (const line of [
      "ccpark_sessions 1",
      "ccpark_environments 3",
      "ccpark_streams 1",
      "ccpark_requests_waiting 0",
      "ccpark_env_steps_total 3",
      "ccpark_step_seconds_count 1",
      'ccpark_errors_total{code="INVALID_ARGUMENT"} 1',
      'ccpark_errors_total{code="UNAUTHENTICATED"} 1',
    ]) {
      expect(text).toContain(`\n${line}\n`);
    }
    expect((await fetch(`${url}/`)).status).toBe(404);
  });
});
