/** Streams over real UDP sockets on loopback. */
import { createHash, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { describe, expect, it } from "vitest";
import { sealFrame } from "../../transport/chunnels/framing/frame.ts";
import { type Connection, connect, listen } from "../../transport/index.ts";

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

  it("a peer that is not there is an error as of any socket", async () => {
    const connection = await connect({ port: 9, giveUpSec: 1 });
    connection.write("hello");
    const [error] = await once(connection, "error");
    expect((error as Error).message).toMatch(/the peer has not answered for/);
    await expect(connect({ port: 0 })).rejects.toThrow(
      "port: got 0, expected a whole number from 1 to 65535",
    );
  });

  it("answers a spoofed source with at most three times what came, and shows nobody a connection that says nothing", async () => {
    let shown = 0;
    const listener = await listen({}, (connection) => {
      shown++;
      connection.write(randomBytes(1_000_000));
    });
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    let answered = 0;
    socket.on("message", ({ length }) => {
      answered += length;
    });
    const first = sealFrame(new Uint8Array(8), Uint8Array.of(0, 0, 0, 0, 0, 104, 101, 108, 108, 111));
    const garbage = sealFrame(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), Uint8Array.of(9, 9, 9));
    for (const datagram of [first, garbage]) socket.send(datagram, listener.port, "127.0.0.1");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(shown).toBe(1);
    expect(answered).toBeGreaterThan(0);
    expect(answered).toBeLessThanOrEqual(3 * (first.length + garbage.length));
    socket.close();
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
