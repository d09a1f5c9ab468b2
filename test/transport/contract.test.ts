/** What every stack keeps, whatever the network does: loss, doubling, overtaking, damage, restarts, small buffers. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  batch,
  buffer,
  CHUNNELS,
  type ChunnelSpec,
  cc,
  compress,
  encrypt,
  flow,
  forward,
  frame,
  late,
  local,
  memory,
  nothing,
  once,
  order,
  pace,
  parseStack,
  reliable,
  retry,
  route,
  sack,
  schedule,
  serialise,
  shard,
  stack,
  stackToJson,
  trace,
} from "../../transport/index.ts";
import { type End, feed, Pair, text } from "./pair.ts";

/** Reliable and ordered, each in its way. */
const RELIABLE: Readonly<Record<string, readonly ChunnelSpec[]>> = {
  plain: stack(order(), reliable(), cc({ algorithm: "reno" }), sack(), frame(), memory()),
  "without congestion control": stack(order(), reliable({ maxMessages: 16 }), sack(), frame(), memory()),
  "small buffers": stack(
    flow({ windowBytes: 2048 }),
    order({ maxMessages: 8 }),
    reliable({ maxMessages: 4 }),
    cc({ algorithm: "copa" }),
    sack(),
    frame(),
    memory(),
  ),
  private: stack(
    flow(),
    order(),
    reliable(),
    cc({ algorithm: "bbr" }),
    sack(),
    encrypt({ secret: "s" }),
    memory(),
  ),
  "private above": stack(
    flow(),
    order(),
    encrypt({ secret: "s" }),
    reliable(),
    cc(),
    sack(),
    frame(),
    memory(),
  ),
  "batched and compressed": stack(
    batch({ maxBytes: 400 }),
    compress(),
    flow({ windowBytes: 8192 }),
    order(),
    reliable(),
    cc({ algorithm: "native-reno" }),
    sack(),
    frame(),
    memory(),
  ),
  paced: stack(order(), reliable(), pace({ rateMbps: 2 }), sack(), frame(), memory()),
  routed: stack(order(), reliable(), cc({ algorithm: "vegas" }), route(), sack(), frame(), memory()),
  "a window per neighbour": stack(
    order(),
    reliable(),
    route(),
    cc({ algorithm: "cubic" }),
    sack(),
    frame(),
    memory(),
  ),
  "buffer below the window": stack(
    order(),
    reliable({ maxMessages: 64 }),
    cc({ algorithm: "reno" }),
    sack(),
    buffer({ maxMessages: 4 }),
    frame(),
    memory(),
  ),
};

const PATH = fc.record({
  delayUs: fc.integer({ min: 0, max: 50_000 }),
  jitterUs: fc.integer({ min: 0, max: 20_000 }),
  lossRate: fc.double({ min: 0, max: 0.25, noNaN: true }),
  duplicateRate: fc.double({ min: 0, max: 0.2, noNaN: true }),
  corruptRate: fc.double({ min: 0, max: 0.1, noNaN: true }),
  rateBytesPerSec: fc.option(fc.integer({ min: 50_000, max: 1_000_000 }), { nil: undefined }),
  queueBytes: fc.integer({ min: 3000, max: 30_000 }),
});

const SIZES = fc.array(fc.integer({ min: 0, max: 600 }), { minLength: 1, maxLength: 60 });

function messagesOf(sizes: readonly number[], name: string): ReturnType<typeof text>[] {
  return sizes.map((size, i) => text(`${name} ${i}`.padEnd(size, "·").slice(0, Math.max(size, 8))));
}

function textsOf(messages: readonly { data: unknown }[]): string[] {
  return messages.map(({ data }) => new TextDecoder("utf-8", { fatal: false }).decode(data as Uint8Array));
}

function sendAll(
  pair: Pair,
  there: ReturnType<typeof messagesOf>,
  back: ReturnType<typeof messagesOf>,
): void {
  feed(pair.client, there);
  feed(pair.server, back);
  const isOver = (): boolean =>
    pair.client.received.length >= back.length && pair.server.received.length >= there.length;
  pair.run(600, isOver);
}

function expectNoError(...ends: readonly End[]): void {
  for (const { error } of ends) expect(error?.message).toBeUndefined();
}

describe.each(Object.entries(RELIABLE))("a reliable ordered stack: %s", (_, chunnels) => {
  it("delivers what was sent, once and in order, in both directions, and again after a restart", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e9 }),
        PATH,
        SIZES,
        SIZES,
        fc.boolean(),
        (seed, path, a, b, restarts) => {
          const pair = new Pair(chunnels, seed, path);
          const [there, back] = [messagesOf(a, "there"), messagesOf(b, "back")];
          if (restarts) {
            feed(pair.client, messagesOf(a, "before"));
            feed(pair.server, messagesOf(b, "before"));
            pair.run(0.2);
            expectNoError(pair.client, pair.server);
            pair.restart(chunnels);
          }
          sendAll(pair, there, back);
          expectNoError(pair.client, pair.server);
          expect(pair.server.texts).toEqual(textsOf(there));
          expect(pair.client.texts).toEqual(textsOf(back));
          // nothing comes later
          pair.run(10);
          expect(pair.server.received).toHaveLength(there.length);
        },
      ),
      { numRuns: 25, seed: 7 },
    );
  });

  it("gives the same bytes for the same seed", () => {
    const run = (): unknown => {
      const pair = new Pair(chunnels, 5, { delayUs: 7000, jitterUs: 2000, lossRate: 0.1 });
      sendAll(pair, messagesOf([100, 500, 300, 40, 0], "a"), []);
      return [pair.clock.nowUs, pair.network.counts];
    };
    expect(run()).toEqual(run());
  });
});

it("holds no more than its buffers, however fast the application and however slow the other one", () => {
  const chunnels = stack(
    flow({ windowBytes: 4096 }),
    order(),
    reliable({ maxMessages: 8 }),
    cc({ algorithm: "reno" }),
    sack(),
    frame(),
    memory(),
  );
  const pair = new Pair(chunnels, 1, { delayUs: 10_000 });
  let asked = 0;
  pair.client.source = (most) => {
    asked += most;
    return Array.from({ length: most }, () => text("x".repeat(500)));
  };
  Object.assign(pair.server, { consumesAtOnce: false });
  pair.client.stack.offer();
  pair.run(60);
  expect(pair.server.received).toHaveLength(8);
  expect(asked).toBeLessThanOrEqual(9);
  pair.server.stack.consumed(8);
  pair.run(1);
  expect(pair.server.received).toHaveLength(16);
});

it("never has more in flight than window and credit allow", () => {
  const chunnels = stack(order(), reliable(), cc({ algorithm: "native-reno" }), sack(), frame(), memory());
  const pair = new Pair(chunnels, 1, { delayUs: 50_000 });
  feed(
    pair.client,
    Array.from({ length: 1000 }, () => text("x".repeat(1180))),
  );
  pair.run(0.09);
  expect(pair.server.received).toHaveLength(10);
});

it("at most once without reliability: doubled datagrams arrive once", () => {
  const pair = new Pair(stack(once(), memory()), 3, { delayUs: 100, duplicateRate: 0.5, jitterUs: 1000 });
  const messages = messagesOf(Array(200).fill(20), "m");
  pair.client.stack.send(messages);
  pair.run(1);
  expect(new Set(pair.server.texts).size).toBe(200);
  expect(pair.server.received).toHaveLength(200);
});

it("`order` breaks the connection rather than holding more than it may", () => {
  const wide = stack(order(), reliable(), sack(), frame(), memory());
  const narrow = stack(order({ maxMessages: 2 }), reliable(), sack(), frame(), memory());
  const pair = new Pair(wide, 1, { delayUs: 1000, lossRate: 0 }, narrow);
  let lost = 0;
  const { path } = pair;
  Object.defineProperty(pair, "path", { get: () => ({ ...path, lossRate: lost++ === 0 ? 1 : 0 }) });
  feed(pair.client, messagesOf(Array(10).fill(10), "m"));
  pair.run(1);
  expect(pair.server.error?.message).toMatch(
    /order: got message 3 while 0 is missing, expected at most 2 after it/,
  );
});

it("tells that the peer is gone", () => {
  const chunnels = stack(order(), reliable(), sack({ giveUpSec: 3 }), frame(), memory());
  const pair = new Pair(chunnels, 1, { delayUs: 1000, lossRate: 1 });
  feed(pair.client, [text("hello")]);
  pair.run(60);
  expect(pair.client.error?.message).toMatch(/the peer has not answered for \d/);
});

it("nobody without the secret gets in, and replays and forgeries are dropped", () => {
  const chunnels = (secret: string): readonly ChunnelSpec[] =>
    stack(order(), reliable(), sack({ giveUpSec: 5 }), encrypt({ secret }), memory());
  const pair = new Pair(chunnels("a"), 1, { delayUs: 1000 }, chunnels("b"));
  feed(pair.client, [text("hello")]);
  pair.run(5);
  expect(pair.server.received).toHaveLength(0);

  const seen: Uint8Array[] = [];
  const good = new Pair(chunnels("a"), 1, { delayUs: 1000 });
  const arrive = good.server.stack.arrive.bind(good.server.stack);
  good.server.stack.arrive = (datagram, from) => {
    seen.push(datagram.slice());
    arrive(datagram, from);
  };
  feed(good.client, messagesOf([30, 30, 30], "m"));
  good.run(1);
  expect(good.server.received).toHaveLength(3);
  for (const datagram of seen) {
    for (let i = 0; i < datagram.length; i++) {
      const forged = datagram.slice();
      forged[i]! ^= 1;
      arrive(forged, "client");
    }
    arrive(datagram, "client");
  }
  good.run(1);
  expect(good.server.received).toHaveLength(3);
  expect(seen.some((datagram) => Buffer.from(datagram).includes("m 0"))).toBe(false);
});

describe("queues", () => {
  const slow = { delayUs: 0 };

  it("`buffer` drops the oldest, or replaces in place", () => {
    const dropping = new Pair(stack(buffer({ maxMessages: 3 }), pace({ rateMbps: 1 }), memory()), 1, slow);
    dropping.client.stack.send(["a", "b", "c", "d", "e"].map(text));
    dropping.run(1);
    expect(dropping.server.texts).toEqual(["c", "d", "e"]);
    expect(dropping.client.lost).toHaveLength(2);
    const policy = "replace";
    const replacing = new Pair(
      stack(buffer({ maxMessages: 3, policy }), pace({ rateMbps: 1 }), memory()),
      1,
      slow,
    );
    replacing.client.stack.send([
      { ...text("x1"), key: "x" },
      { ...text("y1"), key: "y" },
      { ...text("x2"), key: "x" },
    ]);
    replacing.run(1);
    expect(replacing.server.texts).toEqual(["x2", "y1"]);
  });

  it("`schedule` sends what is urgent first, or one of each destination in turn", () => {
    const urgent = new Pair(stack(schedule(), pace({ rateMbps: 1 }), memory()), 1, slow);
    urgent.client.stack.send([
      { ...text("low"), priority: 5 },
      { ...text("mid"), priority: 2 },
      text("high"),
    ]);
    urgent.run(1);
    expect(urgent.server.texts).toEqual(["high", "mid", "low"]);
    const fair = new Pair(
      stack(schedule({ policy: "round-robin" }), pace({ rateMbps: 1 }), memory()),
      1,
      slow,
    );
    const to = (name: string, value: string): ReturnType<typeof text> => ({ ...text(value), to: name });
    fair.network.host("other", (datagram) => fair.server.received.push({ data: datagram }));
    fair.client.stack.send([to("server", "s1"), to("server", "s2"), to("server", "s3"), to("other", "o1")]);
    fair.run(1);
    expect(fair.server.texts).toEqual(["s1", "o1", "s2", "s3"]);
  });

  it("`late` asks when the network can take it", () => {
    const pair = new Pair(stack(late(), pace({ rateMbps: 0.0096 }), memory()), 1, slow);
    let now = "old";
    const question = { data: () => new TextEncoder().encode(now), key: "state" };
    pair.client.stack.send([question]);
    pair.client.stack.send([question, question]);
    pair.run(0.5);
    now = "new";
    for (let i = 0; i < 4; i++) {
      pair.client.stack.send([question]);
      pair.run(0.5);
    }
    const answers = pair.server.received.map(({ data }) =>
      new TextDecoder().decode((data as () => Uint8Array)()),
    );
    expect(answers[0]).toBe("old");
    expect(answers.at(-1)).toBe("new");
  });

  it("`batch` sends what waits in one datagram", () => {
    const pair = new Pair(stack(batch(), sack(), frame(), memory()), 1, { delayUs: 10_000 });
    pair.client.stack.send([text("first")]);
    for (let i = 0; i < 20; i++) pair.client.stack.send([text(`small ${i}`)]);
    pair.run(1);
    expect(pair.server.received).toHaveLength(21);
    expect(pair.network.counts.sent).toBeLessThan(10);
  });
});

it("`retry` above `route` takes another way, below it the same again", () => {
  const table = { far: ["dead", "server"] };
  const above = new Pair(stack(retry(), route({ table }), sack({ giveUpSec: 60 }), frame(), memory()), 1, {
    delayUs: 1000,
  });
  above.client.stack.send([{ ...text("lookup"), to: "far" }]);
  above.run(5);
  expect(above.server.texts).toEqual(["lookup"]);
  expect(above.server.received[0]).toMatchObject({ to: "far", from: "client", hops: 1 });
  const below = new Pair(stack(route({ table }), retry(), sack(), frame(), memory()), 1, { delayUs: 1000 });
  below.client.stack.send([{ ...text("lookup"), to: "far" }]);
  below.run(50);
  expect(below.server.texts).toEqual([]);
  expect(below.client.lost).toHaveLength(1);
});

it("`shard` sends a key to one shard, whoever picks it", () => {
  const chunnels = stack(
    shard({ shards: ["one", "server"] }),
    serialise({ key: "k" }),
    route(),
    reliable(),
    sack(),
    frame(),
    memory(),
  );
  const pair = new Pair(chunnels, 1, { delayUs: 1000 });
  for (let i = 0; i < 50; i++) {
    pair.client.stack.send([{ data: { k: `key ${i}` }, key: `key ${i}` }]);
  }
  pair.run(1);
  expect(pair.server.received.length).toBeGreaterThan(10);
  expect(pair.server.received.length).toBeLessThan(40);
  expect(pair.server.received[0]!.key).toMatch(/^key /);
});

describe("stacks as data", () => {
  it("a stack that does not fit is an error of the compiler, and of the check", () => {
    // @ts-expect-error `shard` without a key below it
    expect(() => stack(shard({ shards: ["a"] }), serialise(), memory())).toThrow(
      "[transport] stack.0: got `shard`, which hands down keyed, expected what `serialise` below it takes: value",
    );
    // @ts-expect-error `reliable` with nobody who tells the fate of messages
    expect(() => stack(reliable(), frame(), memory())).toThrow(
      "[transport] stack.0: got `reliable` with no chunnel below it that tells which messages arrived and which were lost, expected one, such as `sack`",
    );
    // the check alone sees what ends a label of those below
    expect(() => stack(flow(), schedule(), order(), reliable(), sack(), memory())).toThrow(
      "[transport] stack.0: got `flow` with no chunnel between it and `schedule` that puts messages in order, expected one, such as `order`, since `schedule` undoes what those below it do",
    );
    // @ts-expect-error no base
    expect(() => stack(sack(), frame())).toThrow(
      "stack.1: got `frame`, expected a base at the end, such as `udp`",
    );
  });

  it("reads a stack from JSON and writes it again", () => {
    const json = [
      { chunnel: "cc", algorithm: "copa", group: "", mssBytes: 1200 },
      { chunnel: "sack", ackDelayMs: 5, giveUpSec: 60 },
      "memory",
    ];
    const parsed = parseStack(json);
    expect(stackToJson(parsed)).toEqual([...json.slice(0, 2), { chunnel: "memory" }]);
    expect(parseStack(stackToJson(parsed)).map(({ name }) => name)).toEqual(["cc", "sack", "memory"]);
  });

  it.each([
    [{}, "[transport] stack: got {}, expected a list of chunnels"],
    [["sak", "memory"], "unknown chunnel at stack.0 `sak`; did you mean `sack`?"],
    [
      [{ chunnel: "sack", ackDelay: 3 }, "memory"],
      "unknown option of sack at stack.0 `ackDelay`; did you mean `ackDelayMs`?",
    ],
    [
      [{ chunnel: "sack", ackDelayMs: -1 }, "memory"],
      "sack.ackDelayMs: got -1, expected a number from 0 to 1000",
    ],
    [
      [{ chunnel: "cc", algorithm: "cubik" }, "sack", "memory"],
      "unknown algorithm `cubik`; did you mean `cubic`?",
    ],
    [["memory", "sack"], "stack.1: got `sack`, expected a base at the end"],
    [[], "got no chunnels"],
  ])("refuses %j", (json, message) => {
    expect(() => parseStack(json)).toThrow(message);
  });

  it("every chunnel passes on what it gets, alone over memory", () => {
    const below: Record<string, readonly ChunnelSpec[]> = {
      fate: [sack()],
      reliable: [reliable(), sack()],
      ordered: [order(), reliable(), sack()],
      keyed: [serialise({ key: "k" })],
    };
    const required: Record<string, unknown> = { encrypt: { secret: "x" }, shard: { shards: ["server"] } };
    for (const [name, { make }] of CHUNNELS) {
      const spec = make((required[name] ?? {}) as never) as ChunnelSpec;
      if (spec.down === "none" || name === "late") continue;
      const needs = spec.needs.includes("ordered")
        ? "ordered"
        : spec.needs.includes("reliable")
          ? "reliable"
          : spec.needs.includes("fate")
            ? "fate"
            : spec.down === "keyed"
              ? "keyed"
              : "";
      const chunnels = [spec, ...(below[needs] ?? []), memory()];
      const isValue = spec.up === "value" || spec.up === "keyed";
      const pair = new Pair(chunnels, 1, { delayUs: 500 });
      const sent = Array.from({ length: 5 }, (_, i) =>
        isValue ? { data: { k: i }, key: String(i) } : text(`m ${i}`),
      );
      feed(pair.client, sent);
      pair.run(2);
      expect([name, pair.server.received.map(({ data }) => data)]).toEqual([
        name,
        sent.map(({ data }) => data),
      ]);
    }
  });

  it("layers that only look on change nothing", () => {
    const events: object[] = [];
    const chunnels = stack(forward(), trace(), nothing(), local(), memory());
    const pair = new Pair(chunnels, 1, { delayUs: 500 });
    pair.client.stack.send([text("hello")]);
    pair.run(1);
    expect(pair.server.texts).toEqual(["hello"]);
    expect(events).toEqual([]);
  });
});
