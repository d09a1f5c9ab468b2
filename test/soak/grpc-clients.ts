/**
 * Clients of the soak test, a few in one process that its parent kills without a word: each connects, steps, breaks a rule
 * now and then, and leaves in one of many ways, for ever. One in five is hostile instead: what it sends is large, slow or
 * wrong on purpose. An answer that was not asked for is told to the parent.
 * Arguments: port, number of clients, seed.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { Rng } from "../../core/random.ts";
import type { CreateSessionResponse } from "../../envs/grpc/generated/ccpark/v1/environment.ts";
import { spaceFromWire } from "../../envs/grpc/wire.ts";
import { RawClient, type RawStream, resetPayload, stepPayload } from "../grpc/server/raw-client.ts";

/** What a client process tells: steps taken, lives ended, and what nobody asked for. */
export interface SoakNews {
  /** of the hostile ones */
  readonly attacks: number;
  /** the longest that a client waited for an answer which takes no computing, ms */
  readonly longestWaitMs: number;
  readonly steps: number;
  readonly lives: number;
  readonly unasked: readonly string[];
}

const [port, clients, seed] = process.argv.slice(2).map(Number) as [number, number, number];
const noNews = () => ({ attacks: 0, longestWaitMs: 0, steps: 0, lives: 0, unasked: [] as string[] });
let news = noNews();

/** Longer than a client of a busy machine may sleep. */
const LEASE = { seconds: 15n, nanos: 0 };
/** Of a life; a busy machine takes minutes for one with many environments. */
const DEADLINE_MS = 300_000;

class Life {
  readonly #client = new RawClient(port);
  readonly #rng: Rng;
  #seq = 0;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  #keys(session: CreateSessionResponse): { sessionId: string; sessionToken: string } {
    return { sessionId: session.sessionId, sessionToken: session.sessionToken };
  }

  async live(): Promise<void> {
    const rng = this.#rng;
    try {
      await this.#look();
      const large = rng.next() < 0.1; // for the worker threads
      const session = await this.#client.create({
        numEnvs: large ? 48 : 1 + rng.integer(4),
        kwargs: { scenario: "park-paper", durationSec: 1 + rng.integer(3), stepMs: large ? 50 : 10 },
        autoresetMode: 1 + rng.integer(2) === 1 ? 1 : 2,
        leaseTtl: LEASE,
      });
      if (rng.next() < 0.3) await this.#unary(session);
      if (rng.next() < 0.9) {
        const lives = 1 + rng.integer(3);
        for (let i = 0; i < lives; i++) await this.#stream(session, i === lives - 1);
      }
      if (rng.next() < 0.6) {
        await this.#client.unary((done) => this.#client.stub.closeSession(this.#keys(session), done));
      } // else the lease ends it
    } catch (error) {
      const { message, stack } = error as Error;
      news.unasked.push(`${message} ${stack?.split("\n")[2]?.trim() ?? ""}`);
      await sleep(1_000);
    } finally {
      this.#client.close();
    }
    news.lives += 1;
  }

  /** What no client should wait for. */
  async #look(): Promise<void> {
    const startedMs = performance.now();
    await this.#client.unary((done) => this.#client.stub.getServerInfo({}, done));
    news.longestWaitMs = Math.max(news.longestWaitMs, performance.now() - startedMs);
  }

  #actions(session: CreateSessionResponse): number[] {
    const width = spaceFromWire(session.singleActionSpace, "action space").shape[0];
    return Array.from({ length: session.numEnvs * width }, () => this.#rng.next() - 0.5);
  }

  async #unary(session: CreateSessionResponse): Promise<void> {
    const { stub } = this.#client;
    const keys = this.#keys(session);
    const reset = { ...resetPayload(++this.#seq).value, ...keys };
    await this.#client.unary((done) => stub.reset(reset, done));
    for (let i = this.#rng.integer(30); i > 0; i--) {
      const step = { ...stepPayload(++this.#seq, this.#actions(session)).value, ...keys };
      await this.#client.unary((done) => stub.step(step, done));
      news.steps += session.numEnvs;
    }
    const wrong = { ...keys, sessionToken: "wrong" };
    await this.#client
      .unary((done) => stub.closeSession(wrong, done))
      .then(
        () => news.unasked.push("a wrong token closed a session"),
        (error) => {
          if (error.code !== status.PERMISSION_DENIED) throw error;
        },
      );
  }

  async #answer(stream: RawStream, kind: "reset" | "step" | "error"): Promise<void> {
    const { payload } = await stream.read();
    if (payload?.$case !== kind) throw new Error(`asked for ${kind}, got ${payload?.$case}`);
  }

  async #stream(session: CreateSessionResponse, isLast: boolean): Promise<void> {
    const rng = this.#rng;
    const stream = this.#client.connect();
    stream.attach(session, { takeOver: true });
    const first = await stream.read();
    if (first.payload?.$case !== "attach") throw new Error("no attach");
    this.#seq = Number(first.payload.value.lastSeqApplied);
    stream.write(resetPayload(++this.#seq));
    await this.#answer(stream, "reset");
    const depth = 1 + rng.integer(8);
    let due = 0;
    for (let i = rng.integer(200); i > 0; i--) {
      const isWrong = rng.next() < 0.02;
      if (isWrong) {
        while (due > 0) {
          await this.#answer(stream, "step");
          due -= 1;
        }
        // no actions at all: NaN would do for a row that NEXT_STEP resets, whose action is ignored
        stream.write(stepPayload(++this.#seq, []));
        await this.#answer(stream, "error");
        continue;
      }
      stream.write(stepPayload(++this.#seq, this.#actions(session)));
      news.steps += session.numEnvs;
      due += 1;
      if (due >= depth) {
        await this.#answer(stream, "step");
        due -= 1;
      }
    }
    const way = rng.integer(isLast ? 5 : 3);
    if (way === 0) {
      stream.write({ $case: "detach", value: {} });
      const { code, details } = await stream.end();
      if (code !== 0) throw new Error(`detach ended with ${code} ${details}`);
    } else if (way === 1) stream.call.cancel();
    else if (way === 2) stream.call.end();
    else if (way === 3) {
      stream.write(stepPayload(this.#seq + 7, this.#actions(session))); // a gap
      const { code } = await stream.end();
      if (code !== status.ABORTED) throw new Error(`a gap ended with ${code}`);
    } else stream.write({ $case: "step", value: stepPayload(this.#seq + 1, []).value }); // and away
  }
}

/** Answers that an attack may get. */
const REPELLED = new Set<number>([
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.RESOURCE_EXHAUSTED,
  status.DEADLINE_EXCEEDED,
]);

const SMALL = { forward: { rate: { kind: "constant", mbps: 12 } }, rttMs: 40, durationSec: 2 };

/** Each is large, slow or wrong in its own way. */
const ATTACKS: readonly ((rng: Rng) => object)[] = [
  () => ({ scenario: "x".repeat(1_000_000) }),
  () => ({ ["k".repeat(100_000)]: 1 }),
  () => ({ scenario: { ...SMALL, flows: [{ algorithm: "cubik" }] } }),
  () => ({ scenario: { ...SMALL, flows: [{ algorithm: "bbr", count: 1_500 }] } }),
  () => ({
    scenario: {
      ...SMALL,
      links: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`l${i}`, {}])),
    },
  }),
  () => ({
    scenario: {
      ...SMALL,
      flows: Array.from({ length: 2_000 }, () => ({ algorithm: "cubic", startSec: { choice: [0, 1] } })),
    },
  }),
  () => ({
    scenario: {
      ...SMALL,
      forward: {
        rate: {
          kind: "markov",
          states: [
            { mbps: 1, meanSec: 1e-12 },
            { mbps: 2, meanSec: 1e-12 },
          ],
        },
      },
    },
  }),
  // legal, and slow: its step ends at the server's limit
  (rng) => ({
    stepMs: 60_000,
    scenario: {
      forward: { rate: { kind: "constant", mbps: 100_000 }, queue: { packets: 1_000 + rng.integer(9_000) } },
      reverse: { rate: { kind: "unlimited" } },
      rttMs: 1,
      durationSec: 600,
      flows: [{ algorithm: "cubic", count: 50 }],
    },
  }),
  // legal and lively: many clocks at their bounds
  () => ({
    scenario: {
      ...SMALL,
      forward: { rate: { kind: "random-steps", minMbps: 0, maxMbps: 50, everySec: 1e-4 } },
      delay: { forward: { kind: "random-walk", startMs: 1, everyMs: 0.1, stepMs: 1, minMs: 0, maxMs: 5 } },
      traffic: [{ kind: "incast", algorithm: "reno", senders: 50, bytes: 5_000, everySec: 0.01 }],
    },
  }),
];

/** One attack: a session with it, or a reset of an ordinary one that brings it. */
async function attack(rng: Rng): Promise<void> {
  const raw = new RawClient(port);
  const make = ATTACKS[rng.integer(ATTACKS.length)]!;
  const kwargs = make(rng) as { readonly scenario?: unknown };
  const byReset = rng.next() < 0.3 && typeof kwargs.scenario === "object";
  try {
    const session = await raw.create({
      kwargs: byReset ? { scenario: "park-paper" } : (kwargs as never),
      leaseTtl: LEASE,
    });
    const { sessionId, sessionToken } = session;
    const keys = { sessionId, sessionToken };
    const options = byReset ? { scenario: kwargs.scenario } : undefined;
    const reset = { ...resetPayload(1, { options: options as never }).value, ...keys };
    await raw.unary((done) => raw.stub.reset(reset, done));
    const width = spaceFromWire(session.singleActionSpace, "action space").shape[0];
    const actions = new Array<number>(width).fill(0);
    for (let seq = 2; seq < 8; seq++) {
      const step = { ...stepPayload(seq, actions).value, ...keys };
      await raw.unary((done) => raw.stub.step(step, done));
    }
    await raw.unary((done) => raw.stub.closeSession(keys, done));
  } catch (error) {
    const { code, message } = error as { code?: number; message: string };
    if (!REPELLED.has(code ?? -1)) news.unasked.push(`an attack got ${message.slice(0, 300)}`);
  } finally {
    raw.close();
  }
  news.attacks += 1;
}

async function hostile(rng: Rng): Promise<never> {
  for (let i = 0; ; i++) {
    await attack(rng.fork(`attack ${i}`));
    await sleep(rng.integer(500));
  }
}

async function client(rng: Rng): Promise<never> {
  for (let life = 0; ; life++) {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        news.unasked.push(`a life hung for ${DEADLINE_MS} ms`);
        resolve();
      }, DEADLINE_MS);
    });
    await Promise.race([new Life(rng.fork(`life ${life}`)).live(), late]);
    clearTimeout(timer);
    await sleep(rng.integer(200));
  }
}

const orphaned = (): never => process.exit(0);
process.on("disconnect", orphaned);
setInterval(() => {
  process.send?.(news satisfies SoakNews, undefined, undefined, (error) => {
    if (error !== null) orphaned();
  });
  news = noNews();
}, 250);
const rng = Rng.fromSeed(seed);
const HOSTILE_ONE_IN = 5;
for (let i = 0; i < clients; i++) {
  const own = rng.fork(`client ${i}`);
  void (i % HOSTILE_ONE_IN === HOSTILE_ONE_IN - 1 ? hostile(own) : client(own));
}
