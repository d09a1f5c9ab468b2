/** A store in this process for the processes of one host or network: where there is neither Redis nor etcd. */
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { CcparkError } from "../../../core/errors.ts";
import type { Bytes } from "../../../core/units.ts";
import { MemoryStore, type RendezvousStore } from "../../rendezvous/store.ts";
import { readLines, type StoreLine, writeLine } from "./store-wire.ts";

const MAX_KEYS = 10_000;
const MAX_KEY_CHARACTERS = 200;
const MAX_VALUE_BYTES: Bytes = 1 << 16;

export interface StoreServerOptions {
  /** default 127.0.0.1: whoever can reach it can change what is in it */
  readonly host?: string;
  /** default: any free one */
  readonly port?: number;
  /** of a unix socket, instead of host and port */
  readonly path?: string;
}

export interface StoreServer {
  /** as `connectStore` takes it: `host:port`, or a path */
  readonly address: string;
  readonly store: RendezvousStore;
  close(): Promise<void>;
}

class Served {
  readonly store: MemoryStore = new MemoryStore();
  readonly #keys = new Set<string>();

  answer({ id, get, swap, revision, value }: StoreLine, say: (line: StoreLine) => void): void {
    if (isKey(get)) {
      this.store.get(get, (entry) => {
        if (entry === undefined || entry instanceof CcparkError) say({ id });
        else say({ id, value: Buffer.from(entry.value).toString("base64"), revision: entry.revision });
      });
    } else if (isKey(swap) && typeof value === "string") {
      const bytes = Buffer.from(value, "base64");
      const isFull = !this.#keys.has(swap) && this.#keys.size >= MAX_KEYS;
      if (isFull || bytes.length > MAX_VALUE_BYTES) {
        say({ id, error: isFull ? `there are ${MAX_KEYS} keys` : `more than ${MAX_VALUE_BYTES} bytes` });
        return;
      }
      this.#keys.add(swap);
      const expected = typeof revision === "string" ? revision : undefined;
      this.store.swap(swap, expected, bytes, (swapped) => say({ id, swapped: swapped === true }));
    } else say({ id, error: "neither get nor swap of a key" });
  }
}

function isKey(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= MAX_KEY_CHARACTERS;
}

/** @throws CcparkError (unavailable) with the system's code, such as EADDRINUSE */
export async function serveStore(options: StoreServerOptions = {}): Promise<StoreServer> {
  const { host = "127.0.0.1", port = 0, path } = options;
  const served = new Served();
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    readLines(socket, (line) => served.answer(line, (answer) => writeLine(socket, answer)));
  });
  const where = path ?? `${host}:${port}`;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      reject(
        new CcparkError("unavailable", `[transport] store, cannot bind ${where}: ${cause.code}`, { cause }),
      );
    });
    if (path === undefined) server.listen(port, host, resolve);
    else server.listen(path, resolve);
  });
  const bound = server.address();
  const address = bound === null || typeof bound === "string" ? where : `${host}:${bound.port}`;
  return {
    address,
    store: served.store,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          if (path !== undefined) rmSync(path, { force: true });
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}
