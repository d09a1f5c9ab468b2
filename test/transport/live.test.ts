/** Stacks that are exchanged while a connection lives. */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { Rng } from "../../core/random.ts";
import type { Message } from "../../transport/chunnel.ts";
import type { CongestionWindow } from "../../transport/chunnels/control/window.ts";
import {
  type Connection,
  cc,
  connect,
  connectIn,
  frame,
  listen,
  listenIn,
  MemoryNetwork,
  memory,
  order,
  reliable,
  type Slot,
  sack,
  seededSurroundings,
  simulated,
  Tickets,
  VirtualClock,
} from "../../transport/index.ts";
import type { OpenWay } from "../../transport/live/way.ts";
import { exchangeRun, faultOf } from "../chaos/transport.ts";

describe("a stack exchanged mid-stream", () => {
  it("loses and repeats nothing, whatever the network does and whoever asks (the short form of chaos:transport)", () => {
    let exchanged = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const run = exchangeRun(seed);
      expect(faultOf(run), `seed ${seed}`).toBeUndefined();
      exchanged += run.exchanged;
    }
    expect(exchanged).toBeGreaterThan(80);
  }, 120_000);

  it("that is closed leaves nothing behind: neither its listener's entry nor a timer, heard or not", () => {
    const clock = new VirtualClock();
    const rng = Rng.fromSeed(6);
    const network = new MemoryNetwork(clock, rng.fork("network"), { path: () => ({ delayUs: 1_000 }) });
    const slots: readonly Slot[] = [frame(), memory()];
    const of = (name: string) => ({ slots, surroundings: seededSurroundings(clock, rng.fork(name)) });
    const acceptor = listenIn(
      (onDatagram) => network.host("server", onDatagram),
      of("server"),
      (_peer, live) => ({
        receive: (messages) => {
          live.send(messages.map(({ data }) => ({ data })));
          live.close();
        },
      }),
    );
    const tickets = new Tickets();
    const isResumed: boolean[] = [];
    for (const server of ["server", "server", "nobody"]) {
      const words = [{ data: Uint8Array.of(1) }];
      let echoes = 0;
      const { live, negotiation } = connectIn(
        (onDatagram) => network.host(`client:${isResumed.length}`, onDatagram),
        {
          ...of(`client ${isResumed.length}`),
          tickets,
          server,
          app: { pull: (most) => words.splice(0, most), receive: () => echoes++ },
        },
      );
      clock.run(clock.nowUs + 10_000);
      isResumed.push(negotiation.isResumed);
      expect(echoes, server).toBe(server === "server" ? 1 : 0);
      live.close();
      expect([acceptor.size, ...acceptor.connections]).toEqual([0]);
    }
    expect(isResumed).toEqual([false, true, false]);
    const endUs = clock.nowUs;
    // what was cancelled is taken out without the clock going on
    clock.run(Number.POSITIVE_INFINITY);
    expect(clock.nowUs).toBe(endUs);
  });

  it("of connections that share a window goes over to another base, one after the other, under the same window", () => {
    const clock = new VirtualClock();
    const rng = Rng.fromSeed(7);
    const network = new MemoryNetwork(clock, rng.fork("network"), {
      path: () => ({ delayUs: 10_000, rateBytesPerSec: 250_000, lossRate: 0.02 }),
    });
    const MESSAGES = 600;
    const slots = (base: ReturnType<typeof memory>): readonly Slot[] => [
      order(),
      reliable(),
      cc({ algorithm: "native-reno", group: "of this host" }),
      sack(),
      frame(),
      base,
    ];
    let ways = 0;
    const wayOf =
      (host: string): OpenWay =>
      (base, onDatagram, done) =>
        done({ port: network.host(`${host} by ${base} ${ways++}`, onDatagram) });
    const got: number[][] = [];
    listenIn(
      (onDatagram) => network.host("server", onDatagram),
      {
        slots: slots(memory()),
        surroundings: seededSurroundings(clock, rng.fork("server")),
        openWay: wayOf("server"),
      },
      () => {
        const own: number[] = [];
        got.push(own);
        return {
          receive: (messages) => {
            for (const { data } of messages)
              own.push(new DataView((data as Uint8Array).slice().buffer).getUint32(0));
          },
        };
      },
    );
    // one host: what its stacks share they share
    const surroundings = seededSurroundings(clock, rng.fork("client"));
    const windowOf = (): CongestionWindow =>
      surroundings.shared<CongestionWindow>("window of this host", () => {
        throw new Error("there is no window");
      });
    const ends = [0, 1].map((i) => {
      let sent = 0;
      const pull = (most: number): Message[] =>
        Array.from({ length: Math.min(most, MESSAGES - sent) }, () => {
          const data = new Uint8Array(1_000);
          new DataView(data.buffer).setUint32(0, sent++);
          return { data };
        });
      const port = (onDatagram: (datagram: Uint8Array, from: string) => void) =>
        network.host(`client:${i}`, onDatagram);
      return connectIn(port, {
        slots: slots(memory()),
        surroundings,
        tickets: new Tickets(),
        server: "server",
        openWay: wayOf(`client:${i}`),
        app: { pull, receive: () => {} },
      }).live;
    });
    const outcomes: (string | undefined)[] = [];
    clock.run(1e6);
    const window = windowOf();
    for (const live of ends) {
      expect(got.flat().length).toBeLessThan(2 * MESSAGES);
      live.upgrade(slots(simulated()), (error) => outcomes.push(error?.message));
      for (let step = 0; step < 100; step++) {
        clock.run(clock.nowUs + 10_000);
        expect(windowOf()).toBe(window);
      }
    }
    clock.run(clock.nowUs + 60e6);
    expect(outcomes).toEqual([undefined, undefined]);
    expect(ends.map(({ epoch }) => epoch)).toEqual([1, 1]);
    expect(got).toEqual([0, 1].map(() => Array.from({ length: MESSAGES }, (_, k) => k)));
    expect(window.inflightBytes).toBe(0);
    for (const live of ends) live.close();
  });

  it("gives the same for the same seed", () => {
    expect(exchangeRun(5)).toEqual(exchangeRun(5));
  });

  it("over sockets: another algorithm, encryption on and off, unix sockets and back, and says why not", async () => {
    const secret = "of both ends";
    const parts: Buffer[] = [];
    let accepted: Connection | undefined;
    const listener = await listen({ secret, encryption: "allowed" }, (connection) => {
      accepted = connection;
      connection.on("data", (part: Buffer) => parts.push(part));
    });
    const tickets = new Tickets();
    const connection = await connect({ port: listener.port, secret, encryption: "allowed", tickets });
    const bytes = randomBytes(200_000);
    const steps = [
      { algorithm: "cubic" },
      { encryption: "required" },
      { datapath: "unix" },
      { encryption: "off", algorithm: "copa" },
      { datapath: "udp", priority: 2 },
    ] as const;
    for (const step of steps) {
      connection.write(bytes);
      await connection.upgrade(step);
    }
    expect(connection.epoch).toBe(steps.length);
    await expect(connection.upgrade({ algorithm: "cubik" })).rejects.toThrow("unknown algorithm `cubik`");
    connection.end(bytes);
    await new Promise((resolve) => accepted!.once("end", resolve));
    const all = Buffer.concat(parts);
    const whole = Buffer.concat(Array(steps.length + 1).fill(bytes));
    expect(createHash("sha256").update(all).digest("hex")).toBe(
      createHash("sha256").update(whole).digest("hex"),
    );
    connection.destroy();
    accepted!.destroy();
    listener.close();
  });

  it("may be asked for before there is a connection, or when the server no longer knows the one before", async () => {
    const echo = (connection: Connection): void => void connection.pipe(connection);
    const tickets = new Tickets();
    let listener = await listen({}, echo);
    const { port } = listener;
    const epochAfter = async (): Promise<number> => {
      const connection = await connect({ port, tickets });
      await connection.upgrade({ algorithm: "copa" });
      connection.write("hello");
      const back = await new Promise((resolve) => connection.once("data", resolve));
      expect(String(back)).toBe("hello");
      const closed = once(connection, "close");
      connection.end();
      await closed;
      return connection.epoch;
    };
    expect(await epochAfter()).toBe(1);
    expect(tickets.get(`127.0.0.1:${port}`)).toBeDefined();
    expect(await epochAfter()).toBe(1);
    listener.close();
    let again: typeof listener | undefined;
    for (let i = 0; i < 100 && again === undefined; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      again = await listen({ port }, echo).catch(() => undefined);
    }
    listener = again!;
    expect(await epochAfter()).toBe(1);
    listener.close();
    const nobody = await connect({ port, giveUpSec: 1, tickets: new Tickets() });
    nobody.on("error", () => {});
    await expect(nobody.upgrade({ algorithm: "copa" })).rejects.toThrow("the connection is closed");
  }, 30_000);

  it("a peer that does not consent says why, and the connection goes on", async () => {
    const listener = await listen({ secret: "x" }, (connection) => connection.pipe(connection));
    const connection = await connect({ port: listener.port, secret: "x", tickets: new Tickets() });
    connection.write("before ");
    await new Promise((resolve) => connection.once("data", resolve));
    await expect(connection.upgrade({ encryption: "off" })).rejects.toThrow(
      "[transport] negotiation, chunnel 3 that both ends must have: the client offers frame (frame-1), the server encrypt",
    );
    connection.write("after");
    const back = await new Promise((resolve) => connection.once("data", resolve));
    expect(String(back)).toBe("after");
    connection.destroy();
    listener.close();
  });

  it("is refused before anything changes where the new one, or the present one, lacks what an exchange needs", () => {
    const whole = [order(), reliable(), cc({ algorithm: "native-reno" }), sack(), frame(), memory()];
    const why = (present: readonly Slot[], next: readonly Slot[]): string | undefined => {
      const clock = new VirtualClock();
      const network = new MemoryNetwork(clock, Rng.fromSeed(1), { path: () => ({ delayUs: 1_000 }) });
      const received: string[] = [];
      const host = (name: string) => ({
        slots: present,
        surroundings: seededSurroundings(clock, Rng.fromSeed(2).fork(name)),
      });
      const receive = (messages: readonly { readonly data: unknown }[]): void => {
        for (const { data } of messages) received.push(new TextDecoder().decode(data as Uint8Array));
      };
      listenIn(
        (on) => network.host("server", on),
        host("server"),
        () => ({ receive }),
      );
      const { live } = connectIn((on) => network.host("client", on), {
        ...host("client"),
        tickets: new Tickets(),
        server: "server",
        app: { receive: () => {} },
      });
      const say = (text: string): void => live.send([{ data: new TextEncoder().encode(text) }]);
      clock.run(1e6);
      say("before");
      let answer: string | undefined;
      live.upgrade(next, (error) => {
        answer = error?.message;
      });
      say("after");
      clock.run(5e6);
      expect(received).toEqual(["before", "after"]);
      return answer;
    };
    const without = (gone: string) => whole.filter(({ name }) => name !== gone);
    const cannot = "[transport] cannot exchange the stack: the";
    const tells = "expected `frame`, which tells it from the one before";
    expect(why(whole, whole)).toBeUndefined();
    expect(why(whole, without("frame"))).toBe(
      `${cannot} new one has \`sack\` right above its base, ${tells}`,
    );
    expect(why(whole, without("reliable"))).toContain(
      "`order` with no chunnel below it that repeats what is lost, expected one, such as `reliable`",
    );
    expect(why(whole, without("order"))).toBe(`${cannot} new one is not ordered`);
    expect(why(without("order"), whole)).toBe(`${cannot} present one is not ordered`);
    expect(why(whole, [...whole.slice(0, -1)])).toContain("expected a base at the end");
  });
});
