/** Streams over real UDP sockets on loopback. */
import { createHash, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { inspect } from "node:util";
import { blake2s } from "@noble/hashes/blake2.js";
import { describe, expect, it } from "vitest";
import type { CcparkError } from "../../core/errors.ts";
import { sealFrame } from "../../transport/chunnels/framing/frame.ts";
import {
  type Agreed,
  type ChunnelSpec,
  ClientNegotiation,
  type Connection,
  connect,
  type Listener,
  listen,
  stackToJson,
  streamSlots,
  Tickets,
} from "../../transport/index.ts";
import { realSurroundings } from "../../transport/shell/surroundings.ts";
import { UdpSocket } from "../../transport/shell/udp-socket.ts";
import { prepended, roomyBytes } from "../../transport/wire.ts";

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

function sum(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

describe("connect and listen", () => {
  it.each([
    ["plain", {}],
    ["encrypted", { secret: "only we two know" }],
    ["another algorithm", { algorithm: "cubic" }],
  ])("carry bytes there and back, and end: %s", async (_, options) => {
    const listener = await listen(options, (connection) => void pipeline(connection, connection));
    const connection = await connect({ ...options, port: listener.port });
    const bytes = randomBytes(700_000);
    connection.end(bytes);
    const back = await readAll(connection);
    expect(sum(back)).toBe(sum(bytes));
    connection.destroy();
    listener.close();
  });

  it("changing the priority of a live connection loses nothing and needs no new one", async () => {
    let accepted = 0;
    const received: Promise<Buffer>[] = [];
    const listener = await listen({}, (connection) => {
      accepted++;
      received.push(readAll(connection));
    });
    const connection = await connect({ port: listener.port, priority: 0 });
    const bytes = randomBytes(400_000);
    for (const priority of [0, 1, 4, 0, 2]) {
      connection.setPriority(priority);
      connection.write(bytes);
    }
    expect(() => connection.setPriority(-1)).toThrow(
      "priority: got -1, expected a whole number from 0 to 64",
    );
    connection.end();
    await once(connection, "finish");
    const all = await received[0]!;
    expect(all).toHaveLength(5 * bytes.length);
    expect(sum(all)).toBe(sum(Buffer.concat(Array(5).fill(bytes))));
    expect(accepted).toBe(1);
    connection.destroy();
    listener.close();
  });

  it("a reader that does not read holds the writer back", async () => {
    let held: Connection | undefined;
    const listener = await listen({ windowBytes: 65_536 }, (connection) => {
      held = connection;
    });
    const connection = await connect({ port: listener.port, windowBytes: 65_536 });
    connection.write(randomBytes(2_000_000));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(connection.bytesSent).toBeLessThan(1_000_000);
    let count = 0;
    for await (const part of held!) {
      count += (part as Uint8Array).length;
      if (count === 2_000_000) break;
    }
    connection.destroy();
    listener.close();
  });

  const errorOf = async (connection: Connection): Promise<CcparkError> => {
    connection.write("hello");
    const [error] = await once(connection, "error");
    return error as CcparkError;
  };

  it.each([
    ["many datagrams by one call", true],
    ["node:dgram", false],
  ])("a port that nobody has is refused at once, as of any socket: %s", async (_, offload) => {
    const connection = await connect({ port: 9, offload });
    const { message, code } = await errorOf(connection);
    expect([code, message]).toEqual(["ECONNREFUSED", "[transport] nobody listens on 127.0.0.1:9"]);
  });

  it("a peer that is silent, has another secret or wants another stack is an error with its code", async () => {
    const silent = createSocket("udp4");
    await new Promise<void>((resolve) => silent.bind(0, "127.0.0.1", resolve));
    const first = await errorOf(await connect({ port: silent.address().port, giveUpSec: 1 }));
    expect([first.code, first.message]).toEqual([
      "ETIMEDOUT",
      expect.stringMatching(/^\[transport\] the peer has not answered for 1\.\d s$/),
    ]);
    silent.close();
    const listener = await listen({ secret: "only we two know" }, () => {});
    const { port } = listener;
    const second = await errorOf(await connect({ port, secret: "what others know", giveUpSec: 1 }));
    expect([second.code, second.message]).toEqual([
      "ETIMEDOUT",
      expect.stringContaining("are the secrets the same?"),
    ]);
    const third = await errorOf(await connect({ port }));
    expect([third.code, third.message]).toEqual(["EPROTO", expect.stringContaining("the server encrypt")]);
    listener.close();
  });

  it("finds a host by its name, and says where there is none", async () => {
    const listener = await listen(
      { host: "localhost" },
      (connection) => void pipeline(connection, connection),
    );
    const connection = await connect({ host: "localhost", port: listener.port });
    connection.end("hello");
    expect(String(await readAll(connection))).toBe("hello");
    expect(connection.remoteAddress).toBe(listener.address);
    listener.close();
    await expect(connect({ host: "nobody.invalid", port: 9 })).rejects.toThrow(
      /^\[transport\] host "nobody\.invalid": E[A-Z_]+$/,
    );
  });

  it("refuses options by name that it does not know, and values that cannot be", async () => {
    const asked: [() => Promise<unknown>, string][] = [
      [
        () => connect({ port: 9, prority: 2 } as never),
        "unknown option of connect `prority`; did you mean `priority`?",
      ],
      [
        () => listen({ zzzzzzzzzzzzzzzzzz: 2 } as never, () => {}),
        "unknown option of listen `zzzzzzzzzzzzzzzzzz`; known: port, host, maxConnections, ",
      ],
      [() => connect({} as never), "connect.port: got undefined, expected a whole number from 1 to 65535"],
      [() => connect({ port: 0 }), "connect.port: got 0, expected a whole number from 1 to 65535"],
      [() => connect(undefined as never), "connect: got undefined, expected an object of options"],
      [() => connect({ port: 9, host: "" }), 'connect.host: got "", expected a name or an address'],
      [() => connect({ port: 9, offload: 1 } as never), "connect.offload: got 1, expected true or false"],
      [
        () => listen({ keepAliveMs: -1 }, () => {}),
        "listen.keepAliveMs: got -1, expected a number from 1 to 2147483647",
      ],
      [
        () => listen({ maxConnections: 0 }, () => {}),
        "listen.maxConnections: got 0, expected a whole number from 1",
      ],
    ];
    for (const [ask, said] of asked) await expect(ask()).rejects.toThrow(`[transport] ${said}`);
    const listener = await listen({}, (connection) => void pipeline(connection, connection));
    const connection = await connect({ port: listener.port });
    await expect(connection.upgrade({ secret: "x" } as never)).rejects.toThrow(
      "unknown option of upgrade `secret`",
    );
    connection.destroy();
    listener.close();
  });

  it("answers a spoofed source with at most three times what came, and shows nobody a connection that says nothing", async () => {
    let shown = 0;
    const listener = await listen({}, (connection) => {
      shown++;
      connection.write(randomBytes(1_000_000));
    });
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    let asked = 0;
    let answered = 0;
    const surroundings = realSurroundings();
    const say = (datagram: Uint8Array, to: Pick<typeof socket, "send"> = socket): void =>
      to.send(datagram, listener.port, "127.0.0.1");
    // an honest client's token, and with it the first datagram of a session whose client then never says a thing
    const opened = await new Promise<Agreed>((resolve) => {
      const negotiation = new ClientNegotiation({
        slots: streamSlots(),
        surroundings,
        tickets: new Tickets(),
        server: "server",
        giveUpUs: 60e6,
        send: (datagram) => say(datagram),
        opened: (agreed) =>
          resolve({ ...agreed, wrap: (bytes: Uint8Array) => negotiation.wrap(bytes) } as Agreed),
        failed: (error) => expect(error).toBeUndefined(),
      });
      socket.once("message", (datagram) => negotiation.arrive(datagram));
      negotiation.begin();
    });
    socket.on("message", ({ length }) => {
      answered += length;
    });
    const { session, wrap } = opened as Agreed & { wrap(bytes: Uint8Array): Uint8Array };
    const first = wrap(sealFrame(session, Uint8Array.of(0, 0, 0, 0, 0, 0, 104, 101, 108, 108, 111)));
    const garbage = sealFrame(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), Uint8Array.of(9, 9, 9));
    for (const datagram of [first, garbage, sealFrame(session, Uint8Array.of(9, 9))]) {
      asked += datagram.length;
      say(datagram);
    }
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(shown).toBe(1);
    expect(answered).toBeGreaterThan(0);
    expect(answered).toBeLessThanOrEqual(3 * asked);
    socket.close();
    listener.close();
  });

  it("begins a second connection without a round trip, and without one again when the server has changed", async () => {
    const echo = (connection: Connection): void => void pipeline(connection, connection);
    const tickets = new Tickets();
    const say = async (port: number): Promise<[string, boolean]> => {
      const connection = await connect({ port, tickets });
      connection.end("hello");
      const back = String(await readAll(connection));
      connection.destroy();
      return [back, connection.isResumed];
    };
    const listener = await listen({}, echo);
    const { port } = listener;
    expect(await say(port)).toEqual(["hello", false]);
    expect(await say(port)).toEqual(["hello", true]);
    listener.close();
    let changed: Listener | undefined;
    for (let i = 0; i < 100 && changed === undefined; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      changed = await listen({ port, windowBytes: 1 << 20 }, echo).catch(() => undefined);
    }
    // it tries, is told that the choice is stale, and asks
    expect((await say(port))[0]).toBe("hello");
    expect(await say(port)).toEqual(["hello", true]);
    changed!.close();
  });

  it("says what does not fit, and never a secret", async () => {
    const events: object[] = [];
    const secret = "the-secret-of-this-test";
    const listener = await listen({ secret, trace: (event) => events.push(event) }, () => {});
    const connection = await connect({ port: listener.port, trace: (event) => events.push(event) });
    const [error] = await once(connection, "error");
    expect((error as Error).message).toBe(
      "[transport] negotiation, chunnel 3 that both ends must have: the client offers frame (frame-1), the server encrypt (noise-nnpsk0-25519-chachapoly-blake2s)",
    );
    const slots = streamSlots({ secret });
    const shown = JSON.stringify([
      events,
      slots,
      stackToJson(slots as ChunnelSpec[]),
      inspect(error),
      inspect(slots, { depth: 9 }),
    ]);
    for (const bytes of [Buffer.from(secret), Buffer.from(blake2s(Buffer.from(secret)))]) {
      expect(shown).not.toContain(bytes.toString());
      expect(shown).not.toContain(bytes.toString("hex"));
    }
    listener.close();
  });

  it("is a pair of Web Streams, too", async () => {
    const listener = await listen({}, (connection) => void pipeline(connection, connection));
    const connection = await connect({ port: listener.port });
    const { readable, writable } = connection.toWeb();
    const writer = writable.getWriter();
    await writer.write(new TextEncoder().encode("hello"));
    const { value } = await readable.getReader().read();
    expect(new TextDecoder().decode(value as Uint8Array)).toBe("hello");
    connection.destroy();
    listener.close();
  });
});

describe("many datagrams by one system call", () => {
  const NOBODY = (): void => {};

  it.each([
    ["batches to batches", true, true],
    ["batches to single ones", true, false],
    ["single ones to batches", false, true],
  ])("brings each as it was, in order, whatever their sizes: %s", async (_, fromBatches, toBatches) => {
    const got: { bytes: string; from: string }[] = [];
    const sizes = [1200, 1200, 1200, 700, 1200, 1, 1472, 1472, 1472, 3];
    const take = (datagram: Uint8Array, from: string): number => got.push({ bytes: sum(datagram), from });
    const sink = await UdpSocket.open({ offload: toBatches }, take, NOBODY);
    const source = await UdpSocket.open({ offload: fromBatches }, NOBODY, NOBODY);
    const sent = sizes.map((size) => new Uint8Array(randomBytes(size)));
    for (const datagram of sent) source.port.send(datagram, sink.port.self);
    for (let i = 0; i < 200 && got.length < sent.length; i++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect(got).toEqual(sent.map((datagram) => ({ bytes: sum(datagram), from: source.port.self })));
    source.close();
    sink.close();
    expect(() => source.port.send(sent[0]!, sink.port.self)).not.toThrow();
  });

  it("says why it cannot bind, either way", async () => {
    const first = await UdpSocket.open({}, NOBODY, NOBODY);
    const port = Number(first.port.self.split(":")[1]);
    for (const offload of [true, false]) {
      await expect(UdpSocket.open({ port, offload }, NOBODY, NOBODY)).rejects.toThrow(
        `[transport] cannot bind 127.0.0.1:${port}: EADDRINUSE`,
      );
    }
    first.close();
  });

  it("makes headers in front of a message without touching what others hold of it", () => {
    const body = roomyBytes(4);
    body.set([1, 2, 3, 4]);
    const first = prepended(2, body);
    first.set([8, 9]);
    const second = prepended(2, body);
    second.set([6, 7]);
    expect([...first]).toEqual([8, 9, 1, 2, 3, 4]);
    expect([...second]).toEqual([6, 7, 1, 2, 3, 4]);
    expect([...prepended(100, first)].slice(-6)).toEqual([...first]);
    expect([...prepended(1, Uint8Array.of(5))]).toEqual([0, 5]);
  });
});
