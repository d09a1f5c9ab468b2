/** What can be known of a session when it is created is said then; what a reset brings never ends a session that runs. */

import { type ServiceError, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { servedHost } from "../../../cli/served-env.ts";
import type { CreateSessionResponse } from "../../../envs/grpc/generated/ccpark/v1/environment.ts";
import { SERVED_IDS } from "../../../envs/grpc/served-ids.ts";
import { type RunningServer, startServer } from "../../../envs/grpc/server.ts";
import { spaceFromWire } from "../../../envs/grpc/wire.ts";
import { RawClient, resetPayload, stepPayload } from "./raw-client.ts";

let server: RunningServer;
let client: RawClient;
beforeAll(async () => {
  server = await startServer({ port: 0, envHost: servedHost({ workers: 1 }) });
  client = new RawClient(server.port);
});
afterAll(async () => {
  client.close();
  await server.close();
});

const keysOf = ({ sessionId, sessionToken }: CreateSessionResponse) => ({ sessionId, sessionToken });
const reset = (session: CreateSessionResponse, seq: number, options?: object) =>
  client.unary((done) =>
    client.stub.reset(
      { ...resetPayload(seq, { options: options as never }).value, ...keysOf(session) },
      done,
    ),
  );
const failureOf = (call: Promise<unknown>): Promise<ServiceError> =>
  call.then(
    () => expect.unreachable("the call was answered"),
    (error) => error,
  );

const LINK = { forward: { rate: { kind: "constant", mbps: 12 } }, rttMs: 40, durationSec: 2 };
const transfers = (algorithm: string) => ({
  kind: "transfers",
  algorithm,
  sizes: { kind: "web" },
  load: 0.1,
});

const WRONG: readonly [string, object, status, RegExp][] = [
  ["an unknown algorithm", { flows: [{ algorithm: "cubik" }] }, status.NOT_FOUND, /did you mean `cubic`/],
  [
    "an unknown algorithm in an option of a choice",
    { flows: [{ algorithm: { choice: ["cubic", "vegass"] } }] },
    status.NOT_FOUND,
    /did you mean `vegas`/,
  ],
  [
    "an unknown parameter",
    { flows: [{ algorithm: "vegas:alfa=3" }] },
    status.INVALID_ARGUMENT,
    /flows\.0\.algorithm/,
  ],
  [
    "a file of the client's",
    { flows: [{ algorithm: "./mine.js" }] },
    status.NOT_FOUND,
    /flows\.0\.algorithm/,
  ],
  ["transfers by an unknown one", { traffic: [transfers("renno")] }, status.NOT_FOUND, /did you mean `reno`/],
  ["transfers under test", { traffic: [transfers("test")] }, status.NOT_FOUND, /traffic\.0\.algorithm/],
  [
    "several flows under test where one is",
    { flows: [{ algorithm: "test" }] },
    status.INVALID_ARGUMENT,
    /under test/,
  ],
  [
    "more flows under test than a datapath takes",
    { flows: [{ algorithm: "test", count: 2_000 }] },
    status.RESOURCE_EXHAUSTED,
    /got 2001 flows under test, expected at most 1024/,
  ],
];

describe("a scenario that cannot run", () => {
  it.each(WRONG)("is refused at creation: %s", async (_, fields, code, message) => {
    const error = await failureOf(client.create({ kwargs: { scenario: { ...LINK, ...fields } } }));
    expect(error).toMatchObject({ code, details: expect.stringMatching(message) });
  });

  it.each(WRONG)("brought by a reset leaves the session as it was: %s", async (_, fields, code, message) => {
    const session = await client.create({ kwargs: { scenario: "park-paper" } });
    await reset(session, 1);
    const error = await failureOf(reset(session, 2, { scenario: { ...LINK, ...fields } }));
    expect(error).toMatchObject({ code, details: expect.stringMatching(message) });
    const actions = new Array<number>(spaceFromWire(session.singleActionSpace, "actions").shape[0]).fill(0);
    await client.unary((done) =>
      client.stub.step({ ...stepPayload(3, actions).value, ...keysOf(session) }, done),
    );
  });

  it("is refused where flows of it are not among the possible ones", async () => {
    const scenario = { ...LINK, flows: [{ algorithm: "test", id: "b" }] };
    const error = await failureOf(
      client.create({ envId: SERVED_IDS.multiFlow, kwargs: { scenario, possibleFlows: ["flow-0", "c"] } }),
    );
    expect(error).toMatchObject({ code: status.NOT_FOUND, details: expect.stringMatching(/`b`/) });
  });
});

describe("many flows", () => {
  it("of one algorithm over CCP run, also beyond a kernel's table", async () => {
    const scenario = { ...LINK, flows: [{ algorithm: "bbr", count: 1_100 }] };
    const session = await client.create({ kwargs: { scenario } });
    await reset(session, 1);
    const actions = new Array<number>(spaceFromWire(session.singleActionSpace, "actions").shape[0]).fill(0);
    await client.unary((done) =>
      client.stub.step({ ...stepPayload(2, actions).value, ...keysOf(session) }, done),
    );
  });
});

describe("a request before it is looked at", () => {
  const wrongFast = async (kwargs: object, envId: string = SERVED_IDS.singleFlow) => {
    const startedMs = performance.now();
    const error = await failureOf(client.create({ envId, kwargs: kwargs as never }));
    expect(error.details.length).toBeLessThan(2_100);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    return error;
  };

  it.each<[string, object, status]>([
    ["a name of a scenario of 1 MB", { scenario: "x".repeat(1_000_000) }, status.NOT_FOUND],
    ["a name of a trace", { scenario: "ccp-cell", trace: "x".repeat(1_000_000) }, status.NOT_FOUND],
    ["a name of an observation", { observation: "x".repeat(1_000_000) }, status.NOT_FOUND],
    ["a name of a reward", { reward: "x".repeat(1_000_000) }, status.NOT_FOUND],
    ["an unknown key of 100,000 bytes", { ["k".repeat(100_000)]: 1 }, status.INVALID_ARGUMENT],
    ["the same in a scenario", { scenario: { ...LINK, ["k".repeat(100_000)]: 1 } }, status.INVALID_ARGUMENT],
    [
      "a name of an algorithm",
      { scenario: { ...LINK, flows: [{ algorithm: "x".repeat(1_000_000) }] } },
      status.INVALID_ARGUMENT,
    ],
    [
      "20,000 links",
      {
        scenario: {
          ...LINK,
          links: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`l${i}`, {}])),
        },
      },
      status.RESOURCE_EXHAUSTED,
    ],
    [
      "3,000 links",
      {
        scenario: {
          ...LINK,
          links: Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`l${i}`, LINK.forward])),
        },
      },
      status.INVALID_ARGUMENT,
    ],
    [
      "2,000 choices",
      {
        scenario: {
          ...LINK,
          flows: Array.from({ length: 2_000 }, () => ({ algorithm: "cubic", startSec: { choice: [0, 1] } })),
        },
      },
      status.INVALID_ARGUMENT,
    ],
    [
      "300,000 fields",
      { scenario: { flows: new Array(100_000).fill({ a: 1, b: 1, c: 1 }) } },
      status.RESOURCE_EXHAUSTED,
    ],
    [
      "a scenario that holds itself a hundred times over",
      { scenario: JSON.parse(`${'{"a":'.repeat(90)}1${"}".repeat(90)}`) },
      status.RESOURCE_EXHAUSTED,
    ],
  ])("is refused in one sentence of bounded length: %s", async (_, kwargs, code) => {
    expect((await wrongFast(kwargs)).code).toBe(code);
  });

  it("is refused with 100,000 ids of flows, and with ids that are too long", async () => {
    const ids = Array.from({ length: 100_000 }, (_, i) => `flow-${i}`);
    const many = await wrongFast({ possibleFlows: ids }, SERVED_IDS.multiFlow);
    expect(many).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching(/at most 1024/),
    });
    const long = await wrongFast({ possibleFlows: ["x".repeat(1_000)] }, SERVED_IDS.multiFlow);
    expect(long.code).toBe(status.INVALID_ARGUMENT);
  });

  it("takes a scenario with a choice among 2,000 values, and a trace of 100,000 opportunities", async () => {
    const mbps = { choice: Array.from({ length: 2_000 }, (_, i) => 1 + i) };
    const chosen = { ...LINK, forward: { rate: { kind: "constant", mbps } } };
    await client.create({ kwargs: { scenario: chosen } });
    const opportunitiesMs = Array.from({ length: 100_000 }, (_, i) => 1 + i);
    const traced = { ...LINK, forward: { rate: { kind: "trace", name: "own", opportunitiesMs } } };
    await client.create({ kwargs: { scenario: traced } });
  });

  it("has no key `__proto__`, not even behind a value", async () => {
    const kwargs = JSON.parse('{"scenario": "park-paper", "__proto__": {"durationSec": -1}}');
    const error = await failureOf(client.create({ kwargs }));
    expect(error).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching(/unknown key `__proto__`/),
    });
  });
});
