/**
 * Clients of the soak test, a few in one process that its parent kills without a word: each connects, steps, breaks a rule
 * now and then, and leaves in one of many ways, for ever. An answer that was not asked for is told to the parent.
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
  readonly steps: number;
  readonly lives: number;
  readonly unasked: readonly string[];
}

const [port, clients, seed] = process.argv.slice(2).map(Number) as [number, number, number];
let news = { steps: 0, lives: 0, unasked: [] as string[] };

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
  news = { steps: 0, lives: 0, unasked: [] };
}, 250);
const rng = Rng.fromSeed(seed);
for (let i = 0; i < clients; i++) void client(rng.fork(`client ${i}`));
