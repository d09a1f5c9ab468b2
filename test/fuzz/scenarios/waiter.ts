/** A client that does nothing wrong, in a process of its own: how long it waits for answers. Argument: port. */

import { setTimeout as sleep } from "node:timers/promises";
import { spaceFromWire } from "../../../envs/grpc/wire.ts";
import { RawClient, resetPayload, stepPayload } from "../../grpc/server/raw-client.ts";
import { Starvation } from "../../starvation.ts";

/** Since the last message: the longest wait for anything, less what a busy machine adds, ms, and how often it asked. */
export interface Waits {
  readonly longestMs: number;
  readonly asked: number;
}

const REPORT_MS = 100;
const starvation = new Starvation();
/** of the report before: a wait may have begun in its time */
let addedMs = 0;
const client = new RawClient(Number(process.argv[2]));
let news = { longestMs: 0, asked: 0 };

async function timed<T>(ask: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  const answer = await ask();
  const waitedMs = performance.now() - startedMs;
  news = { longestMs: Math.max(news.longestMs, waitedMs), asked: news.asked + 1 };
  return answer;
}

process.on("disconnect", () => process.exit(0));
const session = await client.create({ kwargs: { scenario: "park-paper" } });
const { sessionId, sessionToken } = session;
const keys = { sessionId, sessionToken };
const actions = new Array<number>(spaceFromWire(session.singleActionSpace, "actions").shape[0]).fill(0);
let seq = 0;
const ask = (request: "reset" | "step"): Promise<unknown> => {
  seq += 1;
  return client.unary((done) =>
    request === "reset"
      ? client.stub.reset({ ...resetPayload(seq).value, ...keys }, done)
      : client.stub.step({ ...stepPayload(seq, actions).value, ...keys }, done),
  );
};
await ask("reset");
setInterval(() => {
  const beforeMs = addedMs;
  addedMs = starvation.take();
  const longestMs = Math.max(0, news.longestMs - Math.max(addedMs, beforeMs));
  process.send?.({ ...news, longestMs } satisfies Waits);
  news = { longestMs: 0, asked: 0 };
}, REPORT_MS);
for (;;) {
  for (let i = 0; i < 200; i++) {
    await timed(() => ask("step"));
    await timed(() => client.unary((done) => client.stub.getServerInfo({}, done)));
    await sleep(3);
  }
  await timed(() => ask("reset"));
}
