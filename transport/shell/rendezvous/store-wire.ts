/**
 * What a store's server and its clients say, a line of JSON each:
 *
 *   { id, get: KEY } → { id, value, revision }, or { id } where there is none
 *   { id, swap: KEY, revision, value } → { id, swapped }        value: base64; revision absent: there is none of that key
 *   either → { id, error }
 */
import type { Socket } from "node:net";
import type { Bytes } from "../../../core/units.ts";

/** A value of 64 KiB in base64, and the rest. */
export const MAX_LINE_BYTES: Bytes = 100_000;

export interface StoreLine {
  readonly id?: unknown;
  readonly get?: unknown;
  readonly swap?: unknown;
  readonly revision?: unknown;
  readonly value?: unknown;
  readonly swapped?: unknown;
  readonly error?: unknown;
}

export function writeLine(socket: Socket, line: StoreLine): void {
  socket.write(`${JSON.stringify(line)}\n`);
}

/** Calls with each line; whoever sends what is none is cut off. */
export function readLines(socket: Socket, onLine: (line: StoreLine) => void): void {
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("data", (part: string) => {
    const lines = (rest + part).split("\n");
    rest = lines.pop()!;
    if (rest.length > MAX_LINE_BYTES) socket.destroy();
    for (const line of lines) {
      let read: unknown;
      try {
        read = JSON.parse(line);
      } catch {
        socket.destroy();
        return;
      }
      if (typeof read === "object" && read !== null) onLine(read);
    }
  });
}
