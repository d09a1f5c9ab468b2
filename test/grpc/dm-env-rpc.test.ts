/** dm_env_rpc.v1 beyond DeepMind's compliance suite: ends, rewards, seeds, order, several connections, errors. */
import { type ClientDuplexStream, credentials, status } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { servedHost } from "../../cli/served-env.ts";
import {
  DataType,
  EnvironmentClient,
  type EnvironmentRequest,
  type EnvironmentResponse,
  EnvironmentStateType,
  type Tensor,
} from "../../envs/grpc/generated/dm_env_rpc/v1/dm_env_rpc.ts";
import { type RunningServer, startServer } from "../../envs/grpc/server.ts";
import { unpackFloat32, unpackFloat64 } from "../../envs/grpc/wire.ts";
import { RawClient, resetPayload, stepPayload } from "./server/raw-client.ts";
import { toyHost } from "./toy-env.ts";

const { RUNNING, TERMINATED, INTERRUPTED } = EnvironmentStateType;
const [OBSERVATION, REWARD, DISCOUNT] = [1n, 2n, 3n];

type Payload = NonNullable<EnvironmentRequest["payload"]>;
type Answer = NonNullable<EnvironmentResponse["payload"]>;

const text = (value: string): Tensor => ({
  payload: { $case: "strings", value: { array: [value] } },
  shape: [],
});
const whole = (value: number): Tensor => ({
  payload: { $case: "int64s", value: { array: [BigInt(value)] } },
  shape: [],
});
const floats = (array: number[], shape = [array.length]): Tensor => ({
  payload: { $case: "floats", value: { array } },
  shape,
});
const numbers = (tensor: Tensor | undefined): number[] => {
  const payload = tensor?.payload;
  return payload?.$case === "floats" || payload?.$case === "doubles" ? payload.value.array : [];
};

class Connection {
  readonly #client: EnvironmentClient;
  readonly call: ClientDuplexStream<EnvironmentRequest, EnvironmentResponse>;
  readonly #waiting: ((answer: Answer) => void)[] = [];
  readonly ended: Promise<number>;

  constructor(port: number) {
    this.#client = new EnvironmentClient(`127.0.0.1:${port}`, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
    this.call = this.#client.process();
    this.call.on("data", ({ payload }: EnvironmentResponse) => this.#waiting.shift()?.(payload!));
    this.ended = new Promise((resolve) => {
      this.call.on("status", ({ code }) => resolve(code));
      this.call.on("error", () => undefined);
    });
  }

  send(payload: Payload): Promise<Answer> {
    const answer = new Promise<Answer>((resolve) => this.#waiting.push(resolve));
    this.call.write({ payload });
    return answer;
  }

  async ask<Case extends Answer["$case"]>(
    kind: Case,
    payload: Payload,
  ): Promise<Extract<Answer, { $case: Case }>> {
    const answer = await this.send(payload);
    expect(answer).toMatchObject({ $case: kind });
    return answer as Extract<Answer, { $case: Case }>;
  }

  async create(settings: Record<string, Tensor>): Promise<string> {
    const value = { settings: new Map(Object.entries(settings)) };
    return (await this.ask("createWorld", { $case: "createWorld", value })).value.worldName;
  }

  join(worldName: string, settings: Record<string, Tensor> = {}): Promise<Answer> {
    return this.send({
      $case: "joinWorld",
      value: { worldName, settings: new Map(Object.entries(settings)) },
    });
  }

  stepRequest(action?: number[]): Payload {
    const actions = new Map(action === undefined ? [] : [[1n, floats(action)]]);
    return { $case: "step", value: { actions, requestedObservations: [OBSERVATION, REWARD, DISCOUNT] } };
  }

  async step(action?: number[]) {
    const { value } = await this.ask("step", this.stepRequest(action));
    const [observation, [reward], [discount]] = [OBSERVATION, REWARD, DISCOUNT].map((uid) =>
      numbers(value.observations.get(uid)),
    ) as [number[], number[], number[]];
    return { state: value.state, observation, reward, discount };
  }

  close(): void {
    this.call.end();
    this.#client.close();
  }
}

let server: RunningServer;
const connections: Connection[] = [];
const connect = (): Connection => {
  const connection = new Connection(server.port);
  connections.push(connection);
  return connection;
};
beforeAll(async () => {
  server = await startServer({ port: 0, envHost: toyHost(), limits: { leaseMs: 300, maxSessions: 4 } });
});
// the next test has all sessions to itself: those of this one end with their leases
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  await vi.waitFor(() => expect(server.sessionCount()).toBe(0), { timeout: 10_000 });
});
afterAll(() => server.close());

const error = (code: status, message: RegExp) => ({
  $case: "error",
  value: { code, message: expect.stringMatching(message) },
});

describe("a world of dm_env_rpc", () => {
  it.each([
    ["toy-short", INTERRUPTED, 1],
    ["toy-terminates", TERMINATED, 0],
  ])("%s ends once, then begins anew and ignores one action", async (scenario, state, discount) => {
    const one = connect();
    await one.join(await one.create({ scenario: text(scenario), steps: whole(3) }));
    for (let episode = 0; episode < 2; episode++) {
      expect(await one.step([9, 9])).toMatchObject({ state: RUNNING, reward: 0, discount: 1 });
      expect(await one.step([1, 0])).toMatchObject({ state: RUNNING, discount: 1 });
      expect(await one.step([1, 0])).toMatchObject({ state: RUNNING, discount: 1 });
      expect(await one.step([1, 0])).toMatchObject({ state, discount });
    }
    one.close();
  });

  it("gives the observations and rewards of EnvService, for given seeds too", async () => {
    const one = connect();
    await one.join(await one.create({ scenario: text("toy-long"), seed: whole(5) }));
    const client = new RawClient(server.port);
    const stream = await client.attached(await client.create({ kwargs: { scenario: "toy-long" } }));
    let seq = 0;
    for (const seed of [5, 11, 12]) {
      if (seed === 11) {
        await one.ask("reset", { $case: "reset", value: { settings: new Map([["seed", whole(11)]]) } });
      } else if (seed === 12) {
        const value = { worldName: "", settings: new Map([["seed", whole(12)]]) };
        expect(await one.send({ $case: "resetWorld", value })).toMatchObject(
          error(status.NOT_FOUND, /no world/),
        );
        await one.ask("reset", { $case: "reset", value: { settings: value.settings } });
      }
      const first = await one.step();
      stream.write(resetPayload(++seq, { seeding: { $case: "seed", value: BigInt(seed) } }));
      const { payload } = await stream.read();
      if (payload?.$case !== "reset") throw new Error("no reset");
      expect(first.observation).toEqual([...unpackFloat32(payload.value.observations[0]!)]);
      for (let i = 0; i < 5; i++) {
        const action = [Math.fround(Math.sin(i)), 0.125];
        const here = await one.step(action);
        stream.write(stepPayload(++seq, action));
        const there = (await stream.read()).payload;
        if (there?.$case !== "step") throw new Error("no step");
        expect(here.observation).toEqual([...unpackFloat32(there.value.observations[0]!)]);
        expect(here.reward).toBe(unpackFloat64(there.value.rewards)[0]);
      }
    }
    stream.call.cancel();
    client.close();
    one.close();
  });

  it("answers pipelined requests in their order", async () => {
    const one = connect();
    await one.join(await one.create({ scenario: text("toy-long") }));
    const answers = await Promise.all(Array.from({ length: 40 }, () => one.send(one.stepRequest([1, 0]))));
    const progress = answers.map((answer) =>
      answer.$case === "step" ? numbers(answer.value.observations.get(OBSERVATION))[2]! : Number.NaN,
    );
    expect(progress).toEqual(Array.from({ length: 40 }, (_, i) => Math.fround(i / 1000)));
    one.close();
  });

  it("has one agent, is interrupted by whoever resets it, and outlives its connection by the lease", async () => {
    const [one, two] = [connect(), connect()];
    const name = await one.create({ scenario: text("toy-long") });
    await one.join(name);
    expect(await two.join(name)).toMatchObject(error(status.FAILED_PRECONDITION, /another connection/));
    await one.step();
    await two.ask("resetWorld", { $case: "resetWorld", value: { worldName: name, settings: new Map() } });
    expect(await one.step([1, 0])).toMatchObject({ state: INTERRUPTED, reward: 0, discount: 1 });
    expect(await one.step([1, 0])).toMatchObject({ state: RUNNING });
    const destroy: Payload = { $case: "destroyWorld", value: { worldName: name } };
    expect(await two.send(destroy)).toMatchObject(error(status.FAILED_PRECONDITION, /joined/));
    one.close();
    await one.ended;
    let joined = await two.join(name);
    while (joined.$case === "error") joined = await two.join(name); // until the server has seen the end
    expect(await two.step()).toMatchObject({ state: RUNNING });
    await two.ask("leaveWorld", { $case: "leaveWorld", value: {} });
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(await two.join(name)).toMatchObject(error(status.NOT_FOUND, /no world/));
    two.close();
  });

  it("counts as a session", async () => {
    const one = connect();
    const free = 4 - server.sessionCount();
    const names: string[] = [];
    for (let i = 0; i < free; i++) names.push(await one.create({ scenario: text("toy-short") }));
    const settings = new Map([["scenario", text("toy-short")]]);
    expect(await one.send({ $case: "createWorld", value: { settings } })).toMatchObject(
      error(status.RESOURCE_EXHAUSTED, /this server allows 4/),
    );
    for (const worldName of names)
      await one.ask("destroyWorld", { $case: "destroyWorld", value: { worldName } });
    one.close();
  });

  it("survives every mistake, each told in one sentence", async () => {
    const one = connect();
    const bad = (settings: Record<string, Tensor>): Promise<Answer> =>
      one.send({ $case: "createWorld", value: { settings: new Map(Object.entries(settings)) } });
    const scenario = text("toy-short");
    expect(await bad({})).toMatchObject(error(status.INVALID_ARGUMENT, /settings.scenario: is required/));
    expect(await bad({ scenario: text("toy-shrt") })).toMatchObject(error(status.NOT_FOUND, /did you mean/));
    expect(await bad({ scenario, "__proto__.x": whole(1) })).toMatchObject(
      error(status.INVALID_ARGUMENT, /name/),
    );
    expect(await bad({ scenario, "scenario.x": whole(1) })).toMatchObject(
      error(status.INVALID_ARGUMENT, /is a value already/),
    );
    expect(await bad({ scenario, steps: floats([1, 2], []) })).toMatchObject(
      error(status.INVALID_ARGUMENT, /one element, got 2/),
    );
    expect(await bad({ scenario, envId: text("ccpark/Congestion-v0") })).toMatchObject(
      error(status.NOT_FOUND, /env id/),
    );
    expect(await one.send(one.stepRequest())).toMatchObject(error(status.FAILED_PRECONDITION, /not joined/));
    await one.join(await one.create({ scenario }));
    await one.step();
    const wrong: [Tensor, RegExp][] = [
      [floats([0, Number.NaN]), /down is out of range: got NaN/],
      [floats([2, 0]), /up is out of range: got 2, expected -1 to 1/],
      [floats([0, 0, 0]), /has the shape \[2\], got \[3\] with 3 elements/],
      [floats([0, 0], [2, 1]), /got \[2,1\]/],
      [floats([0, 0], [-1, -1]), /shape/],
      [whole(0), /is of type FLOAT, got int64s/],
    ];
    for (const [tensor, message] of wrong) {
      const value = { actions: new Map([[1n, tensor]]), requestedObservations: [] };
      const answer = await one.send({ $case: "step", value });
      expect(answer).toMatchObject(error(status.INVALID_ARGUMENT, message));
    }
    expect(
      await one.send({ $case: "extension", value: { typeUrl: "x", value: new Uint8Array(0) } }),
    ).toMatchObject(error(status.UNIMPLEMENTED, /extension/));
    const fresh = connect();
    await fresh.join(await fresh.create({ scenario }));
    await fresh.step();
    expect(await one.step([0.5, 0])).toEqual(await fresh.step([0.5, 0])); // nothing was stepped in between
    one.close();
    fresh.close();
  });

  it("tells that the environment threw, and ends with the server", async () => {
    const other = await startServer({ port: 0, envHost: toyHost(), limits: { shutdownGraceMs: 100 } });
    const one = new Connection(other.port);
    await one.join(await one.create({ scenario: text("toy-explodes"), seed: whole(3) }));
    for (let i = 0; i < 3; i++) await one.step([1, 0]);
    expect(await one.send(one.stepRequest([1, 0]))).toMatchObject(
      error(status.INTERNAL, /seed 3, step 2.*boom/),
    );
    await other.close();
    expect(await one.ended).toBe(status.UNAVAILABLE);
    one.close();
  });

  it("takes a choice as a scalar of INT64, and nothing else", async () => {
    const real = await startServer({ port: 0, envHost: servedHost() });
    for (const layout of ["vector", "named"]) {
      const one = new Connection(real.port);
      const world = await one.create({ scenario: text("park-paper"), action: text("indigo") });
      const joined = await one.join(world, { layout: text(layout) });
      if (joined.$case !== "joinWorld") throw new Error(JSON.stringify(joined));
      expect(joined.value.specs!.actions.get(1n)).toMatchObject({
        name: "action",
        shape: [],
        dtype: DataType.INT64,
        min: { payload: { value: { array: [0n] } } },
        max: { payload: { value: { array: [4n] } } },
      });
      const take = (tensor: Tensor): Promise<Answer> =>
        one.send({
          $case: "step",
          value: { actions: new Map([[1n, tensor]]), requestedObservations: [] },
        });
      await take(whole(0)); // begins the episode
      const wrong: [Tensor, RegExp][] = [
        [whole(5), /none of the choices: got 5, expected a whole number, 0 \(halve\) to 4 \(double\)/],
        [whole(-1), /none of the choices: got -1/],
        [floats([1], []), /is of type INT64, got floats/],
      ];
      for (const [tensor, message] of wrong) {
        expect(await take(tensor)).toMatchObject(error(status.INVALID_ARGUMENT, message));
      }
      for (const choice of [4, 0]) expect(await take(whole(choice))).toMatchObject({ $case: "step" });
      one.close();
    }
    await real.close();
  });

  it("names each number if asked to", async () => {
    const host = servedHost();
    const real = await startServer({ port: 0, envHost: host });
    const one = new Connection(real.port);
    const joined = await one.join(await one.create({ scenario: text("park-paper") }), {
      layout: text("named"),
    });
    if (joined.$case !== "joinWorld") throw new Error(JSON.stringify(joined));
    const names = [...joined.value.specs!.observations.values()].map((spec) => spec.name);
    expect(names.slice(-2)).toEqual(["reward", "discount"]);
    expect(new Set(names).size).toBe(names.length);
    one.close();
    await real.close();
  });
});
