/** A store that another process serves (`store-server.ts`). */
import { createConnection, type Socket } from "node:net";
import { CcparkError } from "../../../core/errors.ts";
import type { RendezvousStore, StoreEntry } from "../../rendezvous/store.ts";
import { readLines, type StoreLine, writeLine } from "./store-wire.ts";

class StoreClient implements RendezvousStore {
  readonly #address: string;
  readonly #waiting = new Map<number, (line: StoreLine | CcparkError) => void>();
  #socket: Socket | undefined;
  #count = 0;

  constructor(address: string) {
    this.#address = address;
  }

  /** A connection that broke is made anew by the next question. */
  #connected(): Socket {
    if (this.#socket !== undefined) return this.#socket;
    const at = this.#address.lastIndexOf(":");
    const socket = this.#address.includes("/")
      ? createConnection(this.#address)
      : createConnection(Number(this.#address.slice(at + 1)), this.#address.slice(0, at));
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#socket === socket) this.#socket = undefined;
      const waiting = [...this.#waiting.values()];
      this.#waiting.clear();
      const error = new CcparkError(
        "unavailable",
        `[transport] the store at ${this.#address} does not answer`,
      );
      for (const done of waiting) done(error);
    });
    readLines(socket, (line) => {
      const done = this.#waiting.get(line.id as number);
      this.#waiting.delete(line.id as number);
      const { error } = line;
      done?.(
        error === undefined ? line : new CcparkError("unavailable", `[transport] store: ${String(error)}`),
      );
    });
    this.#socket = socket;
    return socket;
  }

  #ask(question: StoreLine, done: (line: StoreLine | CcparkError) => void): void {
    const id = this.#count++;
    const socket = this.#connected();
    this.#waiting.set(id, done);
    writeLine(socket, { id, ...question });
  }

  get(key: string, done: (entry: StoreEntry | undefined | CcparkError) => void): void {
    this.#ask({ get: key }, (line) => {
      if (line instanceof CcparkError) done(line);
      else if (typeof line.value !== "string") done(undefined);
      else {
        const value = new Uint8Array(Buffer.from(line.value, "base64"));
        done({ value, revision: String(line.revision) });
      }
    });
  }

  swap(
    key: string,
    revision: string | undefined,
    value: Uint8Array,
    done: (swapped: boolean | CcparkError) => void,
  ): void {
    this.#ask({ swap: key, revision, value: Buffer.from(value).toString("base64") }, (line) =>
      done(line instanceof CcparkError ? line : line.swapped === true),
    );
  }

  close(): void {
    this.#socket?.destroy();
  }
}

/** @param address `host:port`, or the path of a unix socket */
export function connectStore(address: string): RendezvousStore & { close(): void } {
  const isRight = address.includes("/") || /^.+:\d+$/.test(address);
  if (!isRight) {
    const message = `[transport] store: got address ${JSON.stringify(address)}, expected host:port or the path of a unix socket`;
    throw new CcparkError("invalid-argument", message);
  }
  return new StoreClient(address);
}
