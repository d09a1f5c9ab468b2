/** Negotiation on the wire: one round trip, none where there is a ticket, and what an attacker gets out of it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CcparkError } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import { NEGOTIATION, openFrame, sealFrame } from "../../transport/chunnels/framing/frame.ts";
import {
  type ClientEnd,
  cc,
  compress,
  connectIn,
  encrypt,
  frame,
  listenIn,
  MemoryNetwork,
  type MemoryPath,
  memory,
  nothing,
  order,
  reliable,
  SimulatedWorld,
  type Slot,
  sack,
  seededSurroundings,
  select,
  serialise,
  Tickets,
  VirtualClock,
} from "../../transport/index.ts";
import { text } from "./pair.ts";

const RELIABLE: readonly Slot[] = [
  order(),
  reliable(),
  cc({ algorithm: "native-reno" }),
  sack(),
  frame(),
  memory(),
];
const secret = encrypt({ secret: "only we two know" });
const DECODER = new TextDecoder();

type Tap = (datagram: Uint8Array, from: string, to: string) => Uint8Array | undefined;

/** A server that answers each message with the same, and clients one after another. */
class World {
  readonly clock: VirtualClock = new VirtualClock();
  readonly rng: Rng;
  readonly network: MemoryNetwork;
  readonly tickets: Tickets = new Tickets();
  /** at the server, of all connections */
  readonly received: string[] = [];
  connections = 0;
  tap: Tap = (datagram) => datagram;
  readonly events: object[] = [];
  #count = 0;

  constructor(seed: number, path: MemoryPath = { delayUs: 10_000 }) {
    this.rng = Rng.fromSeed(seed);
    this.network = new MemoryNetwork(this.clock, this.rng.fork("network"), { path: () => path });
  }

  surroundings(name: string): ReturnType<typeof seededSurroundings> {
    return seededSurroundings(this.clock, this.rng.fork(`${name} ${this.#count++}`), (event) =>
      this.events.push(event),
    );
  }

  #host(name: string) {
    return (onDatagram: (datagram: Uint8Array, from: string) => void) => {
      const port = this.network.host(name, onDatagram);
      return {
        ...port,
        send: (datagram: Uint8Array, to: string) => {
          const tapped = this.tap(datagram, name, to);
          if (tapped !== undefined) port.send(tapped, to);
        },
      };
    };
  }

  listen(slots: readonly Slot[]): void {
    listenIn(this.#host("server"), { slots, surroundings: this.surroundings("server") }, (_peer, live) => {
      this.connections++;
      return {
        receive: (messages) => {
          for (const { data } of messages) this.received.push(DECODER.decode(data as Uint8Array));
          live.send(messages.map(({ data }) => ({ data })));
        },
      };
    });
  }

  connect(slots: readonly Slot[], words: readonly string[]): Client {
    return new Client(this, this.#host(`client:${++this.#count}`), slots, words);
  }
}

class Client {
  readonly end: ClientEnd;
  readonly received: string[] = [];
  readonly atUs: number[] = [];
  error: CcparkError | undefined;

  constructor(
    world: World,
    host: Parameters<typeof connectIn>[0],
    slots: readonly Slot[],
    words: readonly string[],
  ) {
    const startUs = world.clock.nowUs;
    const left = words.map(text);
    this.end = connectIn(host, {
      slots,
      surroundings: world.surroundings("client"),
      tickets: world.tickets,
      server: "server",
      app: {
        pull: (most) => left.splice(0, most),
        receive: (messages) => {
          for (const { data } of messages) this.received.push(DECODER.decode(data as Uint8Array));
          this.atUs.push(world.clock.nowUs - startUs);
        },
        fail: (error) => {
          this.error = error;
        },
      },
    });
  }
}

describe("the first connection", () => {
  it("takes one round trip more than its echo, later ones none", () => {
    const world = new World(1);
    world.listen(RELIABLE);
    const first = world.connect(RELIABLE, ["a"]);
    world.clock.run(5e6);
    const second = world.connect(RELIABLE, ["b"]);
    world.clock.run(10e6);
    expect([first.received, first.atUs, first.end.negotiation.isResumed]).toEqual([["a"], [40_000], false]);
    expect([second.received, second.atUs, second.end.negotiation.isResumed]).toEqual([["b"], [20_000], true]);
    expect(world.connections).toBe(2);
  });

  it("falls back where the server has changed, and sends again what came nowhere", () => {
    const world = new World(2);
    world.listen(RELIABLE);
    world.connect(RELIABLE, ["a"]);
    world.clock.run(5e6);
    world.listen([...RELIABLE.slice(0, 4), select(secret, nothing()), ...RELIABLE.slice(4)]);
    const words = Array.from({ length: 30 }, (_, i) => `word ${i}`);
    const again = world.connect(RELIABLE, words);
    world.clock.run(10e6);
    expect(again.received).toEqual(words);
    expect(world.received).toEqual(["a", ...words]);
    expect(again.atUs[0]).toBe(60_000);
  });

  it("works in the simulator's world alike", () => {
    const rng = Rng.fromSeed(3);
    const world = SimulatedWorld.of(
      {
        name: "one path",
        source: "",
        description: "",
        forward: { rate: { kind: "constant", mbps: 8 }, queue: { packets: 50 }, lossRate: 0 },
        reverse: { rate: { kind: "unlimited" }, queue: {}, lossRate: 0 },
        propagationDelayMs: 10,
        durationSec: 10,
        ackPolicy: "delayed",
      },
      3,
    );
    const answers: string[] = [];
    listenIn(
      (onDatagram) => world.server(0, onDatagram),
      { slots: RELIABLE, surroundings: seededSurroundings(world, rng.fork("server")) },
      (_peer, live) => ({ receive: (messages) => live.send(messages) }),
    );
    const words = ["x", "y"].map(text);
    connectIn((onDatagram) => world.client(0, onDatagram), {
      slots: RELIABLE,
      surroundings: seededSurroundings(world, rng.fork("client")),
      tickets: new Tickets(),
      server: "server 0",
      app: {
        pull: (most) => words.splice(0, most),
        receive: (messages) =>
          answers.push(...messages.map(({ data }) => DECODER.decode(data as Uint8Array))),
      },
    });
    world.runUntil(2e6);
    expect(answers).toEqual(["x", "y"]);
  });

  it("says at the client which chunnel does not fit", () => {
    const world = new World(4);
    world.listen([serialise(), ...RELIABLE]);
    const client = world.connect([serialise({ codec: "binary" }), ...RELIABLE], []);
    world.clock.run(1e6);
    expect(client.error?.kind).toBe("failed-precondition");
    expect(client.error?.message).toBe(
      "[transport] negotiation, chunnel 0 that both ends must have: the client offers serialise (codec binary), the server serialise (codec json)",
    );
  });

  it("tells that nobody answers", () => {
    const world = new World(5);
    const client = world.connect(RELIABLE, ["a"]);
    world.clock.run(100e6);
    expect(client.error?.message).toBe("[transport] the peer has not answered for 60.0 s");
  });

  it("brings all once and in order through loss, doubling, overtaking and damage, with a server that changes", () => {
    const paths = fc.record({
      delayUs: fc.integer({ min: 0, max: 30_000 }),
      jitterUs: fc.integer({ min: 0, max: 20_000 }),
      lossRate: fc.double({ min: 0, max: 0.25, noNaN: true }),
      duplicateRate: fc.double({ min: 0, max: 0.2, noNaN: true }),
      corruptRate: fc.double({ min: 0, max: 0.1, noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e9 }),
        paths,
        fc.boolean(),
        fc.boolean(),
        (seed, path, isPrivate, changes) => {
          const world = new World(seed, path);
          const slots = isPrivate ? [...RELIABLE.slice(0, 4), secret, ...RELIABLE.slice(4)] : RELIABLE;
          world.listen(slots);
          for (const round of [1, 2]) {
            const words = Array.from({ length: 20 }, (_, i) => `${round}: ${i}`);
            world.received.length = 0;
            const client = world.connect(slots, words);
            world.clock.run(world.clock.nowUs + 300e6, () => client.received.length >= words.length);
            expect(client.error?.message).toBeUndefined();
            expect(client.received).toEqual(words);
            expect(world.received).toEqual(words);
            client.end.live.close();
            if (changes) world.listen(slots);
          }
        },
      ),
      { numRuns: 60, seed: 5 },
    );
  });
});

describe("an attacker", () => {
  const isPrivate: readonly Slot[] = [...RELIABLE.slice(0, 4), secret, ...RELIABLE.slice(4)];

  it("who floods with offers leaves nothing at the server, and answers are at most three times as long", () => {
    const world = new World(6);
    world.listen(isPrivate);
    let seen: Uint8Array | undefined;
    world.tap = (datagram, from) => {
      if (from !== "server") seen ??= datagram.slice();
      return datagram;
    };
    world.connect(isPrivate, []);
    world.clock.run(1e6);
    const offer = openFrame(seen!, NEGOTIATION)!.body;
    let asked = 0;
    let answered = 0;
    world.tap = (datagram, from) => {
      if (from === "server") answered += datagram.length;
      return datagram;
    };
    const before = world.connections;
    for (let i = 0; i < 5000; i++) {
      const spoofed = world.network.host(`spoofed:${i}`, () => {});
      const session = Uint8Array.from({ length: 8 }, () => world.rng.integer(256));
      const what = i % 2 === 0 ? offer : offer.subarray(0, world.rng.integer(offer.length));
      const datagram = sealFrame(session, what, NEGOTIATION);
      asked += datagram.length;
      spoofed.send(datagram, "server");
    }
    world.clock.run(world.clock.nowUs + 1e6);
    expect(world.connections).toBe(before);
    expect(answered).toBeGreaterThan(0);
    expect(answered).toBeLessThanOrEqual(3 * asked);
    // and honest clients get in
    const client = world.connect(isPrivate, ["hello"]);
    world.clock.run(world.clock.nowUs + 1e6);
    expect(client.received).toEqual(["hello"]);
  });

  it("who spoofs a source cannot begin a session: its token is another host's", () => {
    const world = new World(7);
    world.listen(RELIABLE);
    const seen: Uint8Array[] = [];
    world.tap = (datagram, from) => {
      if (from !== "server") seen.push(datagram.slice());
      return datagram;
    };
    world.connect(RELIABLE, ["a"]);
    world.clock.run(1e6);
    const opening = seen.find(
      (datagram) => datagram[0] === NEGOTIATION && datagram.length > 60 && seen.indexOf(datagram) > 0,
    )!;
    const session = Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9);
    const forged = sealFrame(session, openFrame(opening, NEGOTIATION)!.body, NEGOTIATION);
    const answers: number[] = [];
    const victim = world.network.host("victim:1", ({ length }) => answers.push(length));
    victim.send(forged, "server");
    world.clock.run(2e6);
    expect(world.connections).toBe(1);
    expect(answers).toHaveLength(1);
    expect(answers[0]).toBeLessThan(forged.length);
  });

  it("who replays what was sent begins nothing and delivers nothing", () => {
    const world = new World(8);
    world.listen(RELIABLE);
    const seen: [Uint8Array, string][] = [];
    world.tap = (datagram, from) => {
      if (from !== "server") seen.push([datagram.slice(), from]);
      return datagram;
    };
    world.connect(RELIABLE, ["a"]);
    world.clock.run(1e6);
    world.connect(RELIABLE, ["b"]);
    world.clock.run(2e6);
    expect([world.connections, world.received]).toEqual([2, ["a", "b"]]);
    for (const [datagram, from] of [...seen]) world.network.host(from, () => {}).send(datagram, "server");
    for (const [datagram] of [...seen]) world.network.host("client:9999", () => {}).send(datagram, "server");
    world.clock.run(20e6);
    expect([world.connections, world.received]).toEqual([2, ["a", "b"]]);
  });

  /** Changes the client's offer as it passes. */
  function between(world: World, change: (offer: Uint8Array) => Uint8Array): void {
    world.tap = (datagram, from) => {
      const opened = openFrame(datagram, NEGOTIATION);
      if (from === "server" || opened === undefined || opened.body[0] !== 0) return datagram;
      return sealFrame(opened.session, Uint8Array.of(0, ...change(opened.body.subarray(1))), NEGOTIATION);
    };
  }

  it("between the two who takes encryption out of the offer gets no plain connection", () => {
    const world = new World(9);
    world.listen([...RELIABLE.slice(0, 4), select(nothing(), secret), ...RELIABLE.slice(4)]);
    const plain = new World(9);
    plain.listen(RELIABLE);
    let weak: Uint8Array | undefined;
    plain.tap = (datagram, from) => {
      if (from !== "server") weak ??= openFrame(datagram, NEGOTIATION)!.body.slice(1);
      return datagram;
    };
    plain.connect(RELIABLE, []);
    plain.clock.run(1e6);
    between(world, () => weak!);
    const client = world.connect(isPrivate, ["private words"]);
    world.clock.run(100e6);
    expect(world.received).toEqual([]);
    expect(client.received).toEqual([]);
    expect(client.error).toBeDefined();
  });

  it("between the two who changes anything else of an encrypted connection's offer ends it", () => {
    const slots = (first: Slot): readonly Slot[] => [first, ...isPrivate];
    const world = new World(10);
    world.listen(slots(select(compress(), nothing())));
    const other = new World(10);
    other.listen(slots(select(compress(), nothing())));
    let weak: Uint8Array | undefined;
    other.tap = (datagram, from) => {
      if (from !== "server") weak ??= openFrame(datagram, NEGOTIATION)!.body.slice(1);
      return datagram;
    };
    other.connect(slots(select(nothing(), compress())), []);
    other.clock.run(1e6);
    between(world, () => weak!);
    const client = world.connect(slots(select(compress(), nothing())), ["words"]);
    world.clock.run(100e6);
    expect([world.received, client.received]).toEqual([[], []]);
    expect(client.error).toBeDefined();
  });

  it("a client that nobody answers gives up, whenever it began", () => {
    for (const beginUs of [0, 1 / 3, 120_000_244.379_160_34]) {
      const world = new World(12);
      world.clock.run(beginUs);
      const client = world.connect(RELIABLE, ["words"]);
      world.clock.run(beginUs + 61e6);
      expect(client.error?.message).toBe("[transport] the peer has not answered for 60.0 s");
    }
  });
});
