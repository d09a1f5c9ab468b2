/**
 * A file over an encrypted connection by UDP, whose stack changes on the way: `npx tsx examples/transport/file-transfer.ts FILE`.
 * Both ends in one process, and what came is removed again but for `--into FOLDER`; on two hosts: `--listen PORT --into FOLDER` on one, `--to HOST:PORT FILE` on the other, the same `--secret`.
 * In a project of your own the import is "ccpark/transport".
 */
import { createHash } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Connection, connect, type Listener, listen } from "../../transport/index.ts";
import { stop, typed, whole } from "./typed.ts";

/** In front of the file: a line of JSON. */
interface Head {
  readonly name: string;
  readonly bytes: number;
}

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** Answers with the hash of what has come. */
async function receive(connection: Connection, folder: string): Promise<void> {
  let line = "";
  for (;;) {
    const byte: Buffer | null = connection.read(1);
    if (byte === null) await new Promise((resolve) => connection.once("readable", resolve));
    else if (byte[0] === 10) break;
    else line += String(byte);
  }
  const { name, bytes } = JSON.parse(line) as Head;
  const path = join(folder, basename(name));
  await pipeline(connection.iterator({ destroyOnReturn: false }), createWriteStream(path));
  if (statSync(path).size !== bytes) throw new Error(`${name}: got ${statSync(path).size} bytes of ${bytes}`);
  console.log(`received ${path}, ${bytes} bytes`);
  connection.end(sha256(path));
}

async function send(path: string, host: string, port: number, secret: string): Promise<void> {
  const connection = await connect({ host, port, secret, priority: 0 });
  // as of any socket: nobody listens there, or the peer is gone
  connection.once("error", stop);
  const { size } = statSync(path);
  const startMs = performance.now();
  connection.write(`${JSON.stringify({ name: basename(path), bytes: size } satisfies Head)}\n`);
  await new Promise((resolve) => connection.once("connect", resolve));
  // yields to everybody at first; then it is urgent, and then another algorithm has its turn: nothing is lost
  let changed: Promise<void> | undefined;
  let sent = 0;
  for await (const part of createReadStream(path)) {
    if (!connection.write(part)) await new Promise((resolve) => connection.once("drain", resolve));
    sent += part.length;
    if (sent > size / 2) changed ??= connection.upgrade({ algorithm: "cubic" });
    else if (sent > size / 4) connection.setPriority(2);
  }
  await changed;
  connection.end();
  let answer = "";
  for await (const part of connection) answer += String(part);
  const sec = (performance.now() - startMs) / 1_000;
  if (answer !== sha256(path)) throw new Error(`${path}: what came is not what was sent`);
  console.log(
    `sent ${size} bytes in ${sec.toFixed(2)} s, ${connection.epoch} stacks exchanged, same SHA-256`,
  );
}

const { values, positionals } = typed({
  allowPositionals: true,
  options: {
    listen: { type: "string" },
    into: { type: "string" },
    to: { type: "string" },
    secret: { type: "string", default: "only we two know" },
  },
});
const { secret } = values;
const [path] = positionals;
if (path !== undefined && statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
  stop(`${path}: expected a file`);

function serve(port: number | undefined, folder: string, done: () => void): Promise<Listener> {
  mkdirSync(folder, { recursive: true });
  return listen({ port, secret, host: port === undefined ? "127.0.0.1" : "0.0.0.0" }, (connection) => {
    receive(connection, folder).then(done, (error: unknown) => {
      console.error(String(error));
      process.exitCode = 1;
      done();
    });
  });
}

if (values.listen !== undefined) {
  const port = whole("--listen", values.listen, 65_535);
  const { address } = await serve(port, values.into ?? ".", () => {}).catch(stop);
  console.log(`listening on ${address}`);
} else if (path === undefined) {
  stop("expected a file, or --listen PORT");
} else if (values.to !== undefined) {
  const at = values.to.lastIndexOf(":");
  if (at < 1) stop(`--to: got ${values.to}, expected HOST:PORT`);
  const port = whole("--to", values.to.slice(at + 1), 65_535);
  await send(path, values.to.slice(0, at), port, secret).catch(stop);
} else {
  const folder = values.into ?? mkdtempSync(join(tmpdir(), "ccpark-file-"));
  const listener = await serve(undefined, folder, () => listener.close());
  await send(path, "127.0.0.1", listener.port, secret);
  // without `--into` it was for show
  if (values.into === undefined) rmSync(folder, { recursive: true });
}
