/**
 * Scenarios that clients write: each is refused in one sentence, or runs in a thread of its session's own, while nobody else
 * on the server waits. What computes for too long is ended with its session, and nothing else is.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { servedHost } from "../../../cli/served-env.ts";
import type { CreateSessionResponse } from "../../../envs/grpc/generated/ccpark/v1/environment.ts";
import { type RunningServer, startServer } from "../../../envs/grpc/server.ts";
import { spaceFromWire } from "../../../envs/grpc/wire.ts";
import { Starvation } from "../../starvation.ts";
import { RawClient, resetPayload, stepPayload } from "./raw-client.ts";

/** Nothing else on the server waits longer than this. */
const MAX_WAIT_MS = 200;

let server: RunningServer;
let client: RawClient;
beforeAll(async () => {
  server = await startServer({ port: 0, envHost: servedHost({ workers: 1, timeLimitMs: 2_000 }) });
  client = new RawClient(server.port);
});
afterAll(async () => {
  client.close();
  await server.close();
});

const LINK = { forward: { rate: { kind: "constant", mbps: 12 } }, rttMs: 40, durationSec: 5 };
/** A step of a minute at 100 Gbit/s: legal, and slow. */
const HEAVY = {
  forward: { rate: { kind: "constant", mbps: 100_000 }, queue: { packets: 10_000 } },
  reverse: { rate: { kind: "unlimited" } },
  rttMs: 1,
  durationSec: 600,
  flows: [{ algorithm: "cubic", count: 200 }],
};

const keysOf = ({ sessionId, sessionToken }: CreateSessionResponse) => ({ sessionId, sessionToken });
const reset = (session: CreateSessionResponse, seq: number, options?: object, mask?: Uint8Array) =>
  client.unary((done) =>
    client.stub.reset(
      {
        ...resetPayload(seq, { options: options as never, resetMask: mask ?? new Uint8Array(0) }).value,
        ...keysOf(session),
      },
      done,
    ),
  );
const step = (session: CreateSessionResponse, seq: number) => {
  const width = spaceFromWire(session.singleActionSpace, "actions").shape[0];
  const actions = new Array<number>(session.numEnvs * width).fill(0);
  return client.unary((done) =>
    client.stub.step({ ...stepPayload(seq, actions).value, ...keysOf(session) }, new Metadata(), {}, done),
  );
};
const close = (session: CreateSessionResponse) =>
  client.unary((done) => client.stub.closeSession(keysOf(session), done));
const failureOf = (call: Promise<unknown>): Promise<ServiceError> =>
  call.then(
    () => expect.unreachable("the call was answered"),
    (error) => error,
  );

/** The longest that another client waits while `run` goes on, ms, less what a busy machine adds. */
async function longestWaitMs(run: () => Promise<unknown>): Promise<number> {
  const other = new RawClient(server.port);
  const starvation = new Starvation();
  let isOver = false;
  let longest = 0;
  const asking = (async () => {
    while (!isOver) {
      const startedMs = performance.now();
      await other.unary((done) => other.stub.getServerInfo({}, done));
      longest = Math.max(longest, performance.now() - startedMs);
      await sleep(5);
    }
  })();
  try {
    await run();
  } finally {
    isOver = true;
    await asking;
    other.close();
  }
  const added = starvation.take();
  await starvation.end();
  return longest - added;
}

describe("a scenario with a clock that ticks too fast", () => {
  const rate = (spec: object) => ({ ...LINK, forward: { rate: spec } });
  const queue = (discipline: object) => ({ ...LINK, forward: { ...LINK.forward, queue: { discipline } } });
  const traffic = (spec: object) => ({ ...LINK, traffic: [spec] });
  const app = (application: object) => ({ ...LINK, application });
  it.each<[string, object, RegExp]>([
    [
      "markov states",
      rate({
        kind: "markov",
        states: [
          { mbps: 1, meanSec: 1e-12 },
          { mbps: 2, meanSec: 1e-12 },
        ],
      }),
      /states\.0\.meanSec: got 1e-12, expected >= 0\.0001/,
    ],
    ["random steps", rate({ kind: "random-steps", minMbps: 1, maxMbps: 2, everySec: 1e-9 }), /everySec/],
    [
      "laps of points",
      rate({ kind: "steps", points: [{ atSec: 0, mbps: 1 }], periodSec: 1e-9 }),
      /periodSec/,
    ],
    [
      "many points in a short lap",
      rate({
        kind: "ramp",
        points: Array.from({ length: 1000 }, (_, i) => ({ atSec: i * 1e-6, mbps: 1 })),
        periodSec: 0.01,
      }),
      /periodSec: got 0\.01, expected >= 0\.1/,
    ],
    [
      "a walk of the delay",
      {
        ...LINK,
        delay: {
          forward: { kind: "random-walk", startMs: 1, everyMs: 1e-9, stepMs: 1, minMs: 0, maxMs: 2 },
        },
      },
      /everyMs/,
    ],
    ["PIE's updates", queue({ kind: "pie", updateMs: 1e-9 }), /updateMs/],
    ["CoDel's interval", queue({ kind: "codel", targetMs: 1e-12, intervalMs: 1e-9 }), /targetMs/],
    ["SFQ's hash", queue({ kind: "sfq", perturbSec: 1e-9 }), /perturbSec: got 1e-9, expected 0, or >= 0\.1/],
    ["DRR's quantum", queue({ kind: "drr", quantumBytes: 1 }), /quantumBytes/],
    ["slots", { ...LINK, forward: { ...LINK.forward, slots: { everyMs: 1e-9 } } }, /everyMs/],
    ["on and off", app({ kind: "on-off", meanOnSec: 1e-12, meanOffSec: 1e-12 }), /meanOnSec/],
    [
      "short transfers",
      app({ kind: "short-transfers", minBytes: 1, maxBytes: 1, meanOffSec: 1e-12 }),
      /meanOff/,
    ],
    [
      "transfers",
      traffic({
        kind: "transfers",
        algorithm: "reno",
        sizes: { kind: "fixed", bytes: 1 },
        load: 10,
      }),
      /traffic\.0\.sizes: .*at most 100000 transfers per second/,
    ],
    [
      "incast",
      traffic({ kind: "incast", algorithm: "reno", senders: 100_000, bytes: 1, everySec: 1e-4 }),
      /everySec/,
    ],
    [
      "datagrams",
      traffic({
        kind: "datagrams",
        arrivals: "constant",
        mbps: 100_000,
        sizes: { kind: "fixed", bytes: 1 },
      }),
      /at most 10000000 datagrams per second/,
    ],
    [
      "a link that is all but still",
      rate({ kind: "constant", mbps: 1e-8 }),
      /mbps: got 1e-8, expected >= 0\.001/,
    ],
  ])("is refused in one sentence: %s", async (_, scenario, message) => {
    const error = await failureOf(client.create({ kwargs: { scenario } }));
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(error.details).toMatch(message);
    expect(error.details).not.toContain("\n");
  });
});

describe("a scenario that a client writes", () => {
  it("gives the same answers as a named one, and as one that a reset brings", async () => {
    const named = await client.create({ numEnvs: 2, kwargs: { scenario: "link-12mbps-40ms-1bdp" } });
    const first = await reset(named, 1);
    const own = await client.create({
      numEnvs: 2,
      kwargs: { scenario: { extends: "link-12mbps-40ms-1bdp" } },
    });
    const brought = { scenario: { extends: "link-12mbps-40ms-1bdp" } };
    expect(await reset(own, 1)).toEqual(first);
    const [a, b] = [await step(named, 2), await step(own, 2)];
    expect(b).toEqual(a);
    // a reset of one environment moves it, and the other goes on where it was
    await reset(named, 3, brought, Uint8Array.of(0, 1));
    await reset(own, 3, undefined, Uint8Array.of(0, 1));
    for (let seq = 4; seq < 10; seq++) expect(await step(named, seq)).toEqual(await step(own, seq));
    await reset(named, 10, undefined);
    await reset(own, 10, undefined);
    expect(await step(named, 11)).toEqual(await step(own, 11));
    await close(named);
    await close(own);
  });

  it("goes on with its own seeds after the move, as if it had stayed", async () => {
    const kwargs = { scenario: "link-12mbps-40ms-1bdp", durationSec: 3 };
    const [stayed, moved] = [await client.create({ kwargs }), await client.create({ kwargs })];
    const brought = { scenario: { extends: "link-12mbps-40ms-1bdp", durationSec: 3 } };
    const unseeded = (session: CreateSessionResponse, seq: number, options?: object) =>
      client.unary((done) =>
        client.stub.reset(
          {
            ...resetPayload(seq, { seeding: undefined, options: options as never }).value,
            ...keysOf(session),
          },
          done,
        ),
      );
    for (let seq = 1; seq < 4; seq++) expect(await unseeded(moved, seq)).toEqual(await unseeded(stayed, seq));
    expect(await unseeded(moved, 4, brought)).toEqual(await unseeded(stayed, 4));
    for (let seq = 5; seq < 20; seq++) expect(await step(moved, seq)).toEqual(await step(stayed, seq));
    await close(stayed);
    await close(moved);
  });

  it("is ended with its session when a step takes too long, and nobody else waits or loses anything", async () => {
    const honest = await client.create({ kwargs: { scenario: "park-paper" } });
    await reset(honest, 1);
    const session = await client.create({ kwargs: { scenario: HEAVY, stepMs: 60_000 } });
    const waitedMs = await longestWaitMs(async () => {
      const error = await failureOf(reset(session, 1).then(() => step(session, 2)));
      expect(error.code).toBe(status.DEADLINE_EXCEEDED);
      expect(error.details).toMatch(/ran beyond 2000 ms: its environments are lost/);
    });
    expect(waitedMs).toBeLessThan(MAX_WAIT_MS);
    await step(honest, 2);
    expect((await failureOf(step(session, 3))).code).toBe(status.DEADLINE_EXCEEDED);
    await close(honest);
    await close(session);
  });

  it("which is brought by a reset is checked first: the session goes on where it is wrong", async () => {
    const session = await client.create({ kwargs: { scenario: "park-paper" } });
    await reset(session, 1);
    await step(session, 2);
    const wrong = await failureOf(reset(session, 3, { scenario: { ...LINK, forward: {} } }));
    expect(wrong.code).toBe(status.INVALID_ARGUMENT);
    await step(session, 4);
    // heavy, and thus not on the thread that others share
    const waitedMs = await longestWaitMs(async () => {
      await reset(session, 5, { scenario: { ...HEAVY, flows: [] } });
      for (let seq = 6; seq < 12; seq++) await step(session, seq);
    });
    expect(waitedMs).toBeLessThan(MAX_WAIT_MS);
    await close(session);
  });
});
