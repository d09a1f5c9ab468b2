/** Files as a whole, whatever they are: a pipe or a FIFO is waited for in a way that an interrupt can end. */

import { closeSync, constants, fstatSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { CcparkError } from "./errors.ts";

const CHUNK_BYTES = 65_536;
/** Of a pipe or a device: many of the latter have no end. */
const MAX_CHUNKS = 4_096;
/** Between two looks at a pipe that has nothing yet. */
const LOOK_AGAIN_MS = 10;
const NEVER: Int32Array = new Int32Array(new SharedArrayBuffer(4));

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/**
 * The bytes of a file, or of a descriptor that is open.
 * @throws as `readFileSync`
 */
export function readWhole(source: string | number): Buffer {
  if (typeof source === "number") return readPipe(source);
  // opened for reading alone, a FIFO would hold the thread until somebody writes
  const descriptor = openSync(source, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const file = fstatSync(descriptor);
    return file.isFIFO() || file.isCharacterDevice() ? readPipe(descriptor) : readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The bytes of a file that is one: a device has no end, and nobody may ever write to a pipe.
 * @throws as `readFileSync`; CcparkError (invalid-argument) for anything but a file
 */
export function readRegular(path: string): Buffer {
  const stats = statSync(path);
  if (!stats.isFile() && !stats.isDirectory()) {
    throw new CcparkError("invalid-argument", `\`${path}\`: it is a device, pipe or socket, expected a file`);
  }
  return readFileSync(path);
}

/** What gzip may unpack to: more is no text that anybody reads. */
const MAX_UNPACKED_BYTES = 2 ** 29;

/**
 * The bytes of a file that may be compressed by gzip, unpacked.
 * @throws as `readFileSync`; CcparkError (invalid-argument) where it cannot be unpacked
 */
export function readUnpacked(source: string | number): Buffer {
  const bytes = readWhole(source);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const got = code === "ERR_BUFFER_TOO_LARGE" ? `more than ${MAX_UNPACKED_BYTES} bytes` : message;
    throw new CcparkError(
      "invalid-argument",
      `compressed (gzip), but cannot be unpacked: got ${got}, expected a whole gzip file`,
      { cause },
    );
  }
}

/** Until its writers are gone; before the first byte of a FIFO nobody may have come. */
function readPipe(descriptor: number): Buffer {
  const isFifo = fstatSync(descriptor).isFIFO() && descriptor !== 0;
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let length = -1;
    try {
      length = readSync(descriptor, chunk);
    } catch (error) {
      if (codeOf(error) === "EOF") return Buffer.concat(chunks);
      if (codeOf(error) !== "EAGAIN" && codeOf(error) !== "EINTR") throw error;
    }
    if (length > 0) {
      chunks.push(chunk.subarray(0, length));
      if (chunks.length > MAX_CHUNKS) {
        const got = `more than ${(MAX_CHUNKS * CHUNK_BYTES) / 2 ** 20} MiB and no end`;
        throw new CcparkError("invalid-argument", `got ${got}, expected a text`);
      }
    } else if (length === 0 && (chunks.length > 0 || !isFifo)) return Buffer.concat(chunks);
    else Atomics.wait(NEVER, 0, 0, LOOK_AGAIN_MS);
  }
}
