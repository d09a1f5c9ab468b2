/** What holds for every store by which ends meet, whoever keeps it. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CcparkError } from "../../core/errors.ts";
import { type Group, meet, type RendezvousStore } from "../../transport/index.ts";
import { add, bytes, get, swap, text } from "../transport/stores/asked.ts";
import type { OpenedStore, StoreKind } from "../transport/stores/open-store.ts";

const COUNTING = fileURLToPath(new URL("../transport/stores/counting-process.ts", import.meta.url));

export interface StoreWorld {
  /** another client of the same store */
  open(): Promise<OpenedStore>;
  /** for other processes; absent: it is this one's alone */
  readonly elsewhere?: { readonly kind: StoreKind; readonly address: string };
  /** of a store that has a server, which forgets what is in it or not; absent: it cannot be away */
  readonly server?: { stop(): Promise<void>; restart(): Promise<void> };
  close(): Promise<void>;
}

let keys = 0;

/** Runs in a `describe` of its own. @param make opens an empty store, once */
export function storeContract(make: () => Promise<StoreWorld>): void {
  let world: StoreWorld;
  const opened: OpenedStore[] = [];
  const open = async (): Promise<RendezvousStore> => {
    const each = await world.open();
    opened.push(each);
    return each.store;
  };
  const newKey = (): string => `key ${keys++}`;
  beforeAll(async () => {
    world = await make();
  });
  afterAll(async () => {
    for (const { close } of opened.splice(0)) close();
    await world?.close();
  });

  it("swaps what nobody else has swapped", async () => {
    const [store, key] = [await open(), newKey()];
    expect(await get(store, key)).toBeUndefined();
    expect(await swap(store, key, "1", bytes("a"))).toBe(false);
    expect(await get(store, key)).toBeUndefined();
    expect(await swap(store, key, undefined, bytes("a"))).toBe(true);
    expect(await swap(store, key, undefined, bytes("b"))).toBe(false);
    const first = (await get(store, key))!;
    expect(text(first.value)).toBe("a");
    expect(await get(store, key)).toEqual(first);
    const both = ["c", "d"].map((value) => swap(store, key, first.revision, bytes(value)));
    const [isC, isD] = await Promise.all(both);
    expect([isC, isD].sort()).toEqual([false, true]);
    expect(await swap(store, key, first.revision, bytes("e"))).toBe(false);
    const second = (await get(store, key))!;
    expect(text(second.value)).toBe(isC ? "c" : "d");
    expect(second.revision).not.toBe(first.revision);
  });

  it("a value that comes again has another revision", async () => {
    const [store, key] = [await open(), newKey()];
    const seen: string[] = [];
    for (let i = 0; i < 30; i++) {
      const value = bytes(i % 2 === 0 ? "a" : "b");
      expect(await swap(store, key, seen.at(-1), value)).toBe(true);
      seen.push((await get(store, key))!.revision);
    }
    expect(new Set(seen).size).toBe(seen.length);
    for (const old of [undefined, ...seen.slice(0, -1)]) {
      expect(await swap(store, key, old, bytes("c")), `revision ${old}`).toBe(false);
    }
    expect(text((await get(store, key))!.value)).toBe("b");
  });

  it("keeps values byte by byte", async () => {
    const [store, key] = [await open(), newKey()];
    const values = [
      Uint8Array.from({ length: 256 }, (_, i) => i),
      new Uint8Array(0),
      bytes("line\nline\r\n\0 end"),
      Uint8Array.from({ length: 60_000 }, (_, i) => (i * 31) & 255),
    ];
    let revision: string | undefined;
    for (const value of values) {
      expect(await swap(store, key, revision, value)).toBe(true);
      const entry = (await get(store, key))!;
      expect(Buffer.compare(Buffer.from(entry.value), Buffer.from(value))).toBe(0);
      revision = entry.revision;
    }
  });

  it("keeps keys apart", async () => {
    const store = await open();
    const key = newKey();
    const alike = ["", "/", "/../x", "/%2e", ".", " ", "A", "a", "é", "x".repeat(150)].map(
      (end) => key + end,
    );
    for (const each of alike) expect(await swap(store, each, undefined, bytes(each)), each).toBe(true);
    for (const each of alike) expect(text((await get(store, each))!.value)).toBe(each);
  });

  it("loses no swap of several clients at once", async () => {
    const key = newKey();
    const stores = await Promise.all([open(), open(), open(), open()]);
    const lists = await Promise.all(
      stores.map(async (store) => {
        const won = [];
        for (let i = 0; i < 25; i++) won.push(await add(store, key));
        return won;
      }),
    );
    const won = lists.flat();
    expect(won.map(({ value }) => value).sort((a, b) => a - b)).toEqual(won.map((_, i) => i + 1));
    expect(new Set(won.map(({ before }) => before)).size).toBe(won.length);
    expect(text((await get(stores[0]!, key))!.value)).toBe("100");
  });

  it("loses no swap of several processes at once, of which one is killed", async ({ skip }) => {
    if (world.elsewhere === undefined) return skip("it is this process's alone");
    const { kind, address } = world.elsewhere;
    const key = newKey();
    const count = 60;
    const said: string[][] = [];
    // the last counts until it is killed
    const children = [count, count, 1e9].map((each, i): ChildProcess => {
      const args = [kind, address, key, String(each)];
      const child = fork(COUNTING, args, { execArgv: ["--import", "tsx"], silent: true });
      let text = "";
      child.stdout!.on("data", (part) => {
        text += String(part);
        said[i] = text.split("\n").slice(0, -1);
      });
      said.push([]);
      return child;
    });
    const ends = children.map((child) => once(child, "close"));
    await Promise.all(children.map((child) => once(child, "message")));
    for (const child of children) child.send("count");
    await once(children[2]!.stdout!, "data");
    children[2]!.kill("SIGKILL");
    const codes = (await Promise.all(ends)).map(([code]) => code);
    expect(codes).toEqual([0, 0, null]);
    const won = said.flat().map((line) => line.split(" ") as [value: string, before: string]);
    expect(won.length).toBeGreaterThan(2 * count);
    const values = won.map(([value]) => Number(value)).sort((a, b) => a - b);
    expect(new Set(values).size).toBe(values.length);
    expect(new Set(won.map(([, before]) => before)).size).toBe(won.length);
    const last = Number(text((await get(await open(), key))!.value));
    // the one that was killed may not have come to saying its latest
    expect(last - values.length).toBeOneOf([0, 1]);
    // and its end holds up nobody
    expect((await add(await open(), key)).value).toBe(last + 1);
  });

  it("three ends meet by it, talk, exchange their stack, and leave", async () => {
    const name = newKey();
    const heard: string[][] = [[], [], []];
    const groups: Group[] = [];
    for (const each of heard) {
      const group = await meet({ name, store: await open(), secret: "of all", encryption: "allowed" });
      group.on("message", (data) => each.push(String(data)));
      groups.push(group);
    }
    while (groups.some(({ members }) => members.length < 2)) await new Promise((r) => setTimeout(r, 10));
    const talk = groups.map(async (group, i) => {
      for (let k = 0; k < 20; k++) await group.send(bytes(`${i} ${k}`));
    });
    await groups[1]!.upgrade({ encryption: "required" });
    await Promise.all(talk);
    heard.forEach((lines, i) => {
      for (const other of [0, 1, 2].filter((k) => k !== i)) {
        const own = lines.filter((line) => line.startsWith(`${other} `));
        expect(own).toEqual(Array.from({ length: 20 }, (_, k) => `${other} ${k}`));
      }
    });
    expect(groups.map(({ epoch }) => epoch)).toEqual([1, 1, 1]);
    for (const group of groups) await group.leave();
  });

  it("while it is away a question is an error, and afterwards it answers again", async ({ skip }) => {
    const { server } = world;
    if (server === undefined) return skip("it has no server");
    const [store, key] = [await open(), newKey()];
    await add(store, key);
    await server.stop();
    await expect(get(store, key)).rejects.toThrow(CcparkError);
    await expect(swap(store, key, undefined, bytes("a"))).rejects.toThrow("[transport]");
    await server.restart();
    // a client may have to find it again
    const endMs = performance.now() + 20_000;
    for (;;) {
      const answer = await add(store, newKey()).catch((error: unknown) => error);
      if (!(answer instanceof CcparkError)) break;
      expect(performance.now(), answer.message).toBeLessThan(endMs);
      await new Promise((r) => setTimeout(r, 50));
    }
  });
}
