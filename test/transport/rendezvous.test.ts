/** Connections of several ends that meet by a store. */
import { describe, expect, it } from "vitest";
import { CcparkError } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import {
  cc,
  connectStore,
  encrypt,
  frame,
  type Group,
  GroupStack,
  MemoryNetwork,
  MemoryStore,
  meet,
  memory,
  order,
  reliable,
  type Slot,
  sack,
  seededSurroundings,
  serveStore,
  simulated,
  udp,
  VirtualClock,
} from "../../transport/index.ts";
import { groupFaultOf, groupRun } from "../chaos/group.ts";

const SLOTS: readonly Slot[] = [
  order(),
  reliable(),
  cc({ algorithm: "native-reno" }),
  sack({ giveUpSec: 20 }),
  frame(),
  memory(),
];
const text = (data: unknown): string => new TextDecoder().decode(data as Uint8Array);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Ends in memory, by name. */
class World {
  readonly clock: VirtualClock = new VirtualClock();
  readonly rng: Rng = Rng.fromSeed(11);
  readonly network: MemoryNetwork = new MemoryNetwork(this.clock, this.rng.fork("network"), {
    path: () => ({ delayUs: 5_000, jitterUs: 1_000 }),
  });
  readonly store: MemoryStore = new MemoryStore();
  readonly events: string[] = [];
  /** datagrams by other bases than the first */
  readonly sentBy = new Map<string, number>();

  /** @param ways bases besides the first by which this end can be reached */
  end(name: string, slots: readonly Slot[] = SLOTS, ways: readonly string[] = []): GroupStack {
    const group: GroupStack = new GroupStack({
      store: this.store,
      key: "k",
      slots,
      surroundings: seededSurroundings(this.clock, this.rng.fork(name)),
      port: this.network.host(name, (datagram, from) => group.arrive(datagram, from)),
      openWay: (base, onDatagram, done) => {
        // a way takes a while to open
        this.clock.wakeAt(this.clock.nowUs + 3_000, () => {
          if (!ways.includes(base)) done(new CcparkError("unavailable", `[transport] ${name}: no ${base}`));
          else {
            const port = this.network.host(`${name} by ${base}`, onDatagram);
            const send = (datagram: Uint8Array, to: string): void => {
              this.sentBy.set(base, (this.sentBy.get(base) ?? 0) + 1);
              port.send(datagram, to);
            };
            done({ port: { ...port, send } });
          }
        });
      },
      proposalUs: 2e6,
      app: {
        receive: (messages) => {
          for (const { data, from } of messages) this.events.push(`${name}: ${text(data)} of ${from}`);
        },
        joined: (address) => this.events.push(`${name}: ${address} joined`),
        left: (address) => this.events.push(`${name}: ${address} left`),
        fail: ({ message }) => this.events.push(`${name}: ${message}`),
      },
    });
    return group;
  }

  run(sec: number): string[] {
    this.clock.run(this.clock.nowUs + sec * 1e6);
    return this.events.splice(0);
  }
}

describe("ends that meet by a store, in virtual time", () => {
  it("three exchange their stack mid-stream and lose and repeat nothing (the short form of chaos:transport)", () => {
    let exchanged = 0;
    let moved = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const run = groupRun(seed);
      expect(groupFaultOf(run), `seed ${seed}`).toBeUndefined();
      exchanged += run.exchanged;
      if (run.bases.length > 1) moved++;
    }
    expect(exchanged).toBeGreaterThan(30);
    expect(moved, "runs that went by two bases").toBeGreaterThan(10);
    expect(groupFaultOf(groupRun(1, 5, 60)), "five ends").toBeUndefined();
  }, 120_000);

  it("gives the same for the same seed", () => {
    expect(groupRun(3)).toEqual(groupRun(3));
  });

  it("join, speak to all or to one, and leave", () => {
    const world = new World();
    const one = world.end("one");
    const two = world.end("two");
    world.run(1);
    const three = world.end("three");
    expect(world.run(2).sort()).toEqual(
      ["one: three joined", "two: three joined", "three: one joined", "three: two joined"].sort(),
    );
    expect(three.members).toEqual(["one", "two"]);
    three.send([{ data: bytes("to all") }, { data: bytes("to two"), to: "two" }]);
    expect(world.run(1).sort()).toEqual([
      "one: to all of three",
      "two: to all of three",
      "two: to two of three",
    ]);
    let isGone = false;
    two.send([{ data: bytes("last") }]);
    two.leave(() => {
      isGone = true;
    });
    expect(world.run(2).sort()).toEqual([
      "one: last of two",
      "one: two left",
      "three: last of two",
      "three: two left",
    ]);
    expect([isGone, one.members]).toEqual([true, ["three"]]);
  });

  it("an end that does not fit is told the place, and the others hear nothing of it", () => {
    const world = new World();
    world.end("one");
    world.end("two", [...SLOTS.slice(0, 4), encrypt({ secret: "s" }), ...SLOTS.slice(4)]);
    const why =
      "the client offers frame (frame-1), the server encrypt (noise-nnpsk0-25519-chachapoly-blake2s)";
    expect(world.run(3)).toEqual([
      `two: [transport] negotiation, chunnel 2 that both ends must have: ${why}`,
    ]);
  });

  it("go over to another base, which later ones join by, and back; an end that has no such way says so", () => {
    const world = new World();
    const by = (base: ReturnType<typeof memory>): readonly Slot[] => [...SLOTS.slice(0, -1), base];
    const names = ["one", "two", "three"] as const;
    const ends = names.map((name) => world.end(name, SLOTS, ["simulated"]));
    world.run(1);
    const outcomes: string[] = [];
    const move = (own: number, base: ReturnType<typeof memory>): string[] => {
      ends[own]!.upgrade(by(base), (error) => outcomes.push(error?.message ?? base.name));
      // mid-stream: one message before, some while it is agreed on, one after
      const said = ["before", "while", "after"];
      for (const each of said) {
        for (const end of ends) end.send([{ data: bytes(each) }]);
        world.clock.run(world.clock.nowUs + 15_000);
      }
      const events = world.run(2).filter((event) => !event.includes("joined"));
      const pairs = ends.flatMap((to) => ends.map((from) => [to, from])).filter(([to, from]) => to !== from);
      expect(events).toHaveLength(said.length * pairs.length);
      for (const name of names) {
        for (const other of names.filter((each) => each !== name)) {
          const own = events.filter(
            (event) => event.startsWith(`${name}:`) && event.endsWith(` of ${other}`),
          );
          expect(own).toEqual(said.map((each) => `${name}: ${each} of ${other}`));
        }
      }
      return ends.map((end) => end.base);
    };
    expect(move(1, simulated())).toEqual(["simulated", "simulated", "simulated"]);
    const sent = world.sentBy.get("simulated")!;
    ends[0]!.send([{ data: bytes("x") }]);
    world.run(1);
    expect(world.sentBy.get("simulated")).toBeGreaterThan(sent);
    // who comes now begins by it, and whoever cannot is told
    ends.push(world.end("four", SLOTS, ["simulated"]));
    world.end("five", SLOTS);
    const events = world.run(2);
    expect(events.filter((event) => event.startsWith("four:") || event.startsWith("five:")).sort()).toEqual([
      "five: [transport] five: no simulated",
      "four: one joined",
      "four: three joined",
      "four: two joined",
    ]);
    ends[3]!.send([{ data: bytes("hello") }]);
    expect(world.run(1).sort()).toEqual(names.map((name) => `${name}: hello of four`).sort());
    ends.pop()!.leave();
    world.run(2);
    expect(move(0, memory())).toEqual(["memory", "memory", "memory"]);
    // back again by the ways that are open; and not by one that there is not
    expect(move(2, simulated())).toEqual(["simulated", "simulated", "simulated"]);
    expect(move(2, udp())).toEqual(["simulated", "simulated", "simulated"]);
    expect(outcomes.slice(0, 3)).toEqual(["simulated", "memory", "simulated"]);
    expect(outcomes[3]).toMatch(/^\[transport\] (one|two|three): no udp$/);
  });

  it("an end that is gone is found out, and a proposal does not wait for it for ever", () => {
    const world = new World();
    const one = world.end("one");
    world.end("two");
    world.end("three").close();
    world.run(1);
    let why: string | undefined = "nothing";
    one.upgrade(SLOTS, (error) => {
      why = error?.message;
    });
    world.run(4);
    expect(why).toBe("[transport] cannot exchange the stack: no answer of three");
    one.send([{ data: bytes("hello") }]);
    const events = world.run(60);
    expect(events).toContain("one: three left");
    expect(events).toContain("two: hello of one");
    one.upgrade(SLOTS, (error) => {
      why = error?.message;
    });
    world.run(2);
    expect([why, one.epoch]).toEqual([undefined, 2]);
  });

  it("says so where the key holds something else", () => {
    const world = new World();
    world.store.swap("k", undefined, bytes("not ours"), () => {});
    world.end("one");
    expect(world.run(1)).toEqual([
      "one: [transport] rendezvous, key `k`: got a value of something else, expected a connection's",
    ]);
  });
});

describe("over UDP", () => {
  it("three ends meet by a store of another process's kind, exchange their stack while they talk, and leave", async () => {
    const server = await serveStore();
    const stores = [0, 1, 2].map(() => connectStore(server.address));
    const heard: string[][] = [[], [], []];
    const groups: Group[] = [];
    const common = { name: "room", secret: "of all", encryption: "allowed" } as const;
    for (const [i, store] of stores.entries()) {
      const group = await meet({ ...common, store });
      // as a connection gives its bytes
      group.on("message", (data) => heard[i]!.push(String(data)));
      groups.push(group);
    }
    await expect(meet({ name: "room", store: stores[0]!, secret: "of all" })).rejects.toThrow("negotiation");
    await expect(meet({ ...common, store: stores[0]!, nam: "room" } as never)).rejects.toThrow(
      "unknown option of meet `nam`; did you mean `name`?",
    );
    while (groups.some(({ members }) => members.length < 2)) await new Promise((r) => setTimeout(r, 10));
    const talk = groups.map(async (group, i) => {
      for (let k = 0; k < 300; k++) await group.send(bytes(`${i} ${k}`));
    });
    await groups[1]!.upgrade({ encryption: "required" });
    await groups[2]!.upgrade({ algorithm: "copa" });
    expect(groups.map(({ datapath }) => datapath)).toEqual(["udp", "udp", "udp"]);
    await groups[0]!.upgrade({ datapath: "unix" });
    // what is not named stays
    await groups[1]!.upgrade({ algorithm: "cubic" });
    expect(groups[1]!.datapath).toBe("unix");
    const late = await meet({ ...common, store: stores[0]! });
    expect(late.datapath).toBe("unix");
    late.on("message", () => {});
    while (late.members.length < 3) await new Promise((r) => setTimeout(r, 10));
    await late.send(bytes("3 hello"));
    await late.leave();
    await groups[2]!.upgrade({ datapath: "udp" });
    await Promise.all(talk);
    for (const [i, each] of heard.entries()) {
      for (const other of [0, 1, 2].filter((k) => k !== i)) {
        const own = each.filter((line) => line.startsWith(`${other} `));
        expect(own).toEqual(Array.from({ length: 300 }, (_, k) => `${other} ${k}`));
      }
    }
    expect(heard.map((each) => each.filter((line) => line === "3 hello").length)).toEqual([1, 1, 1]);
    expect(groups[2]!.datapath).toBe("udp");
    expect(new Set(groups.map(({ epoch }) => epoch))).toEqual(new Set([5]));
    await expect(groups[0]!.send(bytes("x"), "127.0.0.1:1")).rejects.toThrow("expected one of the others");
    await expect(groups[0]!.send(new Uint8Array(9_999))).rejects.toThrow("expected at most");
    await groups[0]!.leave();
    while (groups[1]!.members.length > 1) await new Promise((r) => setTimeout(r, 10));
    for (const group of groups.slice(1)) group.close();
    for (const store of stores) store.close();
    await server.close();
  });
});
