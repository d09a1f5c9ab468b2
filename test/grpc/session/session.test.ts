/** Sessions of the toy: exact autoreset tables, sequence numbers, order, and what happens to worker threads. */
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AutoresetMode, type StepResponse } from "../../../envs/grpc/generated/ccpark/v1/environment.ts";
import type { EnvHost, Session, SessionConfig } from "../../../envs/grpc/session/env-host.ts";
import { unpackFloat32, unpackFloat64 } from "../../../envs/grpc/wire.ts";
import { toyHost } from "../toy-env.ts";
import {
  answerReset,
  answerStep,
  digestOf,
  MODES,
  noActions,
  openSession,
  reset,
  step,
  trajectory,
} from "./session-calls.ts";

const TIME_LIMIT_MS = 1_500;
const hosts: Record<"here" | "threads", EnvHost> = {
  here: toyHost(),
  threads: toyHost({ workers: 2, timeLimitMs: TIME_LIMIT_MS }),
};
afterAll(() => Promise.all([hosts.here.close(), hosts.threads.close()]));

/** A session whose environments live in worker threads. */
const inThreads = (fields: Partial<SessionConfig> = {}): Promise<Session> =>
  openSession(hosts.threads, { ...fields, kwargs: { costUs: 1e4, ...fields.kwargs } });

// a first thread loads its modules once; what is timed below does not wait for that
beforeAll(async () => (await inThreads({ numEnvs: 2 })).close());

const flags = (bytes: Uint8Array): number[] => [...bytes];

/** Two environments of 3 steps; the second begins 1 step later, by a masked reset. */
async function staggered(autoresetMode: AutoresetMode): Promise<Session> {
  const session = await openSession(hosts.here, { numEnvs: 2, kwargs: { steps: 3 }, autoresetMode });
  await reset(session);
  await step(session);
  await reset(session, { resetMask: Uint8Array.of(0, 1) });
  return session;
}

const progress = (answer: StepResponse): number[] => {
  const observations = unpackFloat32(answer.observations[0]!);
  return [observations[2]!, observations[5]!].map((share) => Math.round(share * 3));
};

describe("memory", () => {
  it("is what all open sessions need together, and comes back with a session that closes", async () => {
    const host = toyHost({ memoryLimitBytes: 4_500 }); // the toy says 1000 bytes
    const first = await openSession(host, { numEnvs: 3 });
    await openSession(host, { numEnvs: 1 });
    await expect(openSession(host, { numEnvs: 1 })).rejects.toMatchObject({
      kind: "resource-exhausted",
      field: "num_envs",
    });
    first.close();
    first.close();
    await openSession(host, { numEnvs: 3 });
    await expect(openSession(host, { numEnvs: 1 })).rejects.toThrow(
      /open sessions have .* GiB and this server allows/,
    );
  });
});

describe("autoreset", () => {
  it("under NEXT_STEP resets in the step after the end, with reward 0 and its action ignored", async () => {
    const session = await staggered(AutoresetMode.AUTORESET_MODE_NEXT_STEP);
    const steps: StepResponse[] = [];
    for (let i = 0; i < 5; i++) steps.push(await step(session));
    expect(steps.map((each) => flags(each.truncated))).toEqual([
      [0, 0],
      [1, 0],
      [0, 1],
      [0, 0],
      [0, 0],
    ]);
    expect(steps.map((each) => flags(each.resetRows))).toEqual([
      [0, 0],
      [0, 0],
      [1, 0],
      [0, 1],
      [0, 0],
    ]);
    expect(steps.map(progress)).toEqual([
      [2, 1],
      [3, 2],
      [0, 3],
      [1, 0],
      [2, 1],
    ]);
    const rewards = steps.map((each) => [...unpackFloat64(each.rewards)].map((reward) => reward === 0));
    expect(rewards).toEqual([
      [false, false],
      [false, false],
      [true, false],
      [false, true],
      [false, false],
    ]);
    expect(steps.every((each) => each.final === undefined)).toBe(true);
    expect(steps.flatMap((each) => each.episodes.map(({ row, length }) => [row, length]))).toEqual([
      [0, 3],
      [1, 3],
    ]);
  });

  it("under SAME_STEP shows the next episode at once, and the last observation beside it", async () => {
    const session = await staggered(AutoresetMode.AUTORESET_MODE_SAME_STEP);
    const steps: StepResponse[] = [];
    for (let i = 0; i < 4; i++) steps.push(await step(session));
    expect(steps.map((each) => flags(each.truncated))).toEqual([
      [0, 0],
      [1, 0],
      [0, 1],
      [0, 0],
    ]);
    expect(steps.map(progress)).toEqual([
      [2, 1],
      [0, 2],
      [1, 0],
      [2, 1],
    ]);
    expect(steps.map((each) => each.final?.rows)).toEqual([undefined, [0], [1], undefined]);
    expect(unpackFloat32(steps[1]!.final!.observations[0]!)[2]).toBe(1);
    expect(steps.every((each) => each.resetRows.length === 0)).toBe(true);
    expect([...unpackFloat64(steps[1]!.rewards)].every((reward) => reward !== 0)).toBe(true);
  });

  it("under DISABLED refuses to go on until the environment was reset, and touches no other", async () => {
    const session = await staggered(AutoresetMode.AUTORESET_MODE_DISABLED);
    await step(session);
    const ending = await step(session);
    expect(flags(ending.truncated)).toEqual([1, 0]);
    const { payload } = await answerStep(session, noActions(session));
    expect(payload).toMatchObject({ $case: "error", value: { code: status.FAILED_PRECONDITION } });
    const answer = await reset(session, { resetMask: Uint8Array.of(1, 0) });
    const width = session.description.observationSpace.shape[0] * 4;
    expect(answer.observations[0]!.subarray(width)).toEqual(ending.observations[0]!.subarray(width));
    expect(progress(await step(session))).toEqual([1, 3]);
  });

  it("ends episodes at the time limit, and keeps what the environment itself says", async () => {
    const session = await openSession(hosts.here, {
      kwargs: { scenario: "toy-terminates", steps: 3 },
      maxEpisodeSteps: 3,
      autoresetMode: AutoresetMode.AUTORESET_MODE_SAME_STEP,
    });
    await reset(session);
    await step(session);
    await step(session);
    const { terminated, truncated, episodes } = await step(session);
    expect([flags(terminated), flags(truncated)]).toEqual([[1], [1]]);
    expect(episodes).toMatchObject([{ length: 3, terminated: true, truncated: true, episodeIndex: 0n }]);
  });
});

describe("a session", () => {
  it.each(MODES)(
    "gives the same answers from this thread and from two others (mode %i)",
    async (autoresetMode) => {
      const fields = {
        numEnvs: 5,
        autoresetMode,
        infoKeys: ["seed", "rttUs", "report", "reward.third"],
        seed: 3,
      };
      const here = await openSession(hosts.here, fields);
      const there = await inThreads(fields);
      expect(digestOf(await trajectory(there, 60))).toBe(digestOf(await trajectory(here, 60)));
      there.close();
    },
  );

  it("answers pipelined requests in order, and keeps the answers for replay", async () => {
    const session = await inThreads({ numEnvs: 2 });
    const pending = [answerReset(session, { seq: 1n })];
    for (let seq = 2n; seq <= 6n; seq++) pending.push(answerStep(session, noActions(session), seq));
    const answers = await Promise.all(pending);
    expect(answers.map(({ seq }) => seq)).toEqual([1n, 2n, 3n, 4n, 5n, 6n]);
    expect(session.lastSeq).toBe(6n);
    expect(session.answersAfter(3n)).toEqual(answers.slice(3));
    expect(await answerStep(session, noActions(session), 5n)).toBe(answers[4]);
    expect(() => session.answersAfter(1n)).toThrow(/no longer kept/);
    await expect((async () => answerStep(session, noActions(session), 9n))()).rejects.toMatchObject({
      code: status.ABORTED,
    });
    session.close();
  });

  it("names the field of the request that is to blame", async () => {
    const cases: [Partial<SessionConfig>, string][] = [
      [{ kwargs: { speed: 1 } }, "kwargs.speed"],
      [{ kwargs: { scenario: "toy-shrt" } }, "kwargs.scenario"],
      [{ kwargs: { actionPolicy: "clip" } }, "kwargs.actionPolicy"],
      [{ infoKeys: ["rtUs"] }, "info_keys"],
      [{ withState: true }, "with_state"],
      [{ envId: "ccpark/Nothing-v0" }, "env_id"],
      [{ seed: Number.MAX_SAFE_INTEGER, numEnvs: 2 }, "kwargs.seed"],
    ];
    for (const [fields, field] of cases) {
      await expect(openSession(hosts.here, fields), field).rejects.toMatchObject({ field });
    }
  });

  it("tells watchers of episodes as they end, until they leave", async () => {
    const session = await openSession(hosts.here, { kwargs: { steps: 2 } });
    const lengths: number[] = [];
    const leave = session.onEpisode(({ length }) => lengths.push(length));
    await reset(session);
    for (let i = 0; i < 6; i++) await step(session);
    leave();
    for (let i = 0; i < 6; i++) await step(session);
    expect(lengths).toEqual([2, 2]);
  });
});

describe("a worker thread", () => {
  const failing = (scenario: string): Promise<Session> => inThreads({ numEnvs: 2, kwargs: { scenario } });

  async function stepUntilItFails(session: Session): Promise<unknown> {
    await reset(session, { seeding: { $case: "seed", value: 41n } });
    for (let i = 0; i < 5; i++) {
      try {
        await step(session);
      } catch (error) {
        return error;
      }
    }
    return undefined;
  }

  it("says what reproduces an environment that threw, and goes on with other sessions", async () => {
    const other = await inThreads({ numEnvs: 2 });
    await reset(other);
    const session = await failing("toy-explodes");
    const error = await stepUntilItFails(session);
    expect(error).toMatchObject({ code: status.INTERNAL, fatal: true });
    expect((error as Error).message).toMatch(
      /environment 0 threw in step \(seed 41, step 2, config [0-9a-f]{64}\): boom/,
    );
    await expect(step(session)).rejects.toBe(error);
    await step(other);
    other.close();
  });

  it("that dies takes only the sessions that it holds, and is replaced", async () => {
    const error = await stepUntilItFails(await failing("toy-exits"));
    expect(error).toMatchObject({
      code: status.INTERNAL,
      message: expect.stringMatching(/worker thread .* ended/),
    });
    const next = await inThreads({ numEnvs: 2 });
    await reset(next);
    await step(next);
    next.close();
  });

  it("that does not answer in time is ended, and told apart from its other sessions", async () => {
    const other = await inThreads({ numEnvs: 2 });
    await reset(other);
    const error = await stepUntilItFails(await failing("toy-hangs"));
    expect(error).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      message: expect.stringMatching(/1500 ms/),
    });
    await expect(step(other)).rejects.toMatchObject({ code: status.INTERNAL, fatal: true });
    const next = await inThreads({ numEnvs: 2 });
    await reset(next);
    expect((await step(next)).seq).toBe(2n);
    next.close();
  });
});
