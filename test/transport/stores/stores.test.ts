/** The contract of stores by all of them, and what is special to some. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  connectStore,
  fileStore,
  MemoryStore,
  type StoreServer,
  serveStore,
} from "../../../transport/index.ts";
import { type StoreWorld, storeContract } from "../../contract/store-contract.ts";
import { add, get, swap } from "./asked.ts";
import { openStore, type StoreKind } from "./open-store.ts";
import { type RunningServer, startEtcd, startRedis, whyNoServer } from "./servers.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "ccpark-store-"));
  folders.push(folder);
  return folder;
}

describe("in memory", () => {
  const store = new MemoryStore();
  storeContract(async () => ({ open: async () => ({ store, close: () => {} }), close: async () => {} }));
});

async function served(options: { readonly path?: string }): Promise<StoreWorld> {
  let server: StoreServer = await serveStore(options);
  const { address } = server;
  const port = address.includes("/") ? options : { port: Number(address.split(":")[1]) };
  return {
    open: () => openStore("served", address),
    elsewhere: { kind: "served", address },
    server: {
      stop: () => server.close(),
      restart: async () => {
        server = await serveStore(port);
      },
    },
    close: () => server.close(),
  };
}

describe("of another process over TCP", () => {
  storeContract(() => served({}));
});

describe("of another process over a unix socket", () => {
  storeContract(() => served({ path: join(newFolder(), "store.sock") }));

  it("says where it cannot be", async () => {
    const path = join(newFolder(), "store.sock");
    const server = await serveStore({ path });
    await expect(serveStore({ path })).rejects.toThrow("EADDRINUSE");
    expect(existsSync(path)).toBe(true);
    await server.close();
    expect(() => connectStore("nowhere")).toThrow("expected host:port or the path of a unix socket");
  });
});

describe("in a folder", () => {
  storeContract(async () => {
    const address = join(newFolder(), "made", "when needed");
    return {
      open: () => openStore("file", address),
      elsewhere: { kind: "file", address },
      close: async () => {},
    };
  });

  it("does not grow with the swaps, nor with what processes left that ended", async () => {
    const folder = newFolder();
    const store = fileStore(folder);
    await add(store, "k");
    const [place] = readdirSync(folder).map((name) => join(folder, name));
    const old = join(place!, "new-0123456789abcdef");
    writeFileSync(old, "of a process that was killed");
    utimesSync(old, 1e9, 1e9);
    for (let i = 0; i < 100; i++) await add(store, "k");
    expect(readdirSync(place!).length).toBeLessThanOrEqual(8);
    expect(existsSync(old)).toBe(false);
  });

  it("refuses what it has not written, and what it will not keep", async () => {
    const folder = newFolder();
    const store = fileStore(folder);
    await add(store, "k");
    const [place] = readdirSync(folder).map((name) => join(folder, name));
    writeFileSync(join(place!, "2"), "of somebody else");
    await expect(get(store, "k")).rejects.toThrow(
      /^\[transport\] store .*2: got another file, expected a store's$/,
    );
    mkdirSync(join(place!, "3"));
    await expect(get(store, "k")).rejects.toThrow("[transport] store: EISDIR");
    await expect(swap(store, "other", undefined, new Uint8Array(70_000))).rejects.toThrow(
      "got a value of 70000 bytes, expected at most 65536",
    );
    expect(() => fileStore("")).toThrow('[transport] fileStore.folder: got "", expected a text');
  });
});

const FOREIGN: readonly (readonly [
  name: string,
  kind: StoreKind,
  program: string,
  start: () => Promise<RunningServer>,
])[] = [
  ["Redis", "redis", "redis-server", startRedis],
  ["etcd", "etcd", "etcd", startEtcd],
];

for (const [name, kind, program, start] of FOREIGN) {
  const why = whyNoServer(program);
  if (why !== undefined) console.warn(why);
  describe.skipIf(why !== undefined)(`of ${name}${why === undefined ? "" : ` (${why})`}`, () => {
    storeContract(async () => {
      const server = await start();
      const { address } = server;
      return {
        open: () => openStore(kind, address),
        elsewhere: { kind, address },
        server: { stop: () => server.stop(), restart: () => server.restart() },
        close: () => server.close(),
      };
    });
  });
}
