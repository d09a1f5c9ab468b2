/**
 * `npm run bench:transport [-- --json] [--part goodput,pacing,connections] [--sec 5] [--algorithm cubic] [--connections 1000]
 * [--no-offload]`: streams of `ccpark/transport` over loopback UDP between two processes, one for each end. Parts:
 * goodput: one connection as fast as it goes, and what of a processor each end takes; pacing: how late packets leave at
 * `--rate` Mbit/s; connections: so many at once, each of which sends and hears an echo.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { CcparkError } from "../../core/errors.ts";
import { scriptOptions } from "../../envs/grpc/bench/options.ts";
import {
  type Connection,
  connect,
  frame,
  listen,
  OpenStack,
  pace,
  type Surroundings,
  stack,
  udp,
} from "../../transport/index.ts";
import { realSurroundings } from "../../transport/shell/surroundings.ts";
import { UdpSocket } from "../../transport/shell/udp-socket.ts";
import { quantile } from "./console.ts";

const PARTS = ["goodput", "pacing", "connections"];
const CHUNK_BYTES = 1 << 16;
const ECHO_BYTES = 10_000;
const PACKET_BYTES = 1_448;
const SEC_TO_US = 1e6;

const { values } = scriptOptions("bench:transport", {
  json: { type: "boolean", what: "rows in JSON" },
  part: { type: "string", what: "which", among: PARTS, default: PARTS.join(",") },
  sec: {
    type: "number",
    what: "of goodput and pacing",
    low: 0.1,
    high: 3_600,
    isFraction: true,
    default: "5",
  },
  rate: { type: "number", what: "Mbit/s of pacing", low: 0.01, high: 1e5, isFraction: true, default: "50" },
  algorithm: { type: "string", what: "of the connections", default: "cubic" },
  connections: { type: "number", what: "at once", low: 1, high: 100_000, default: "1000" },
  "no-offload": { type: "boolean", what: "by node:dgram, without GSO and GRO" },
  server: { type: "boolean", what: "" },
});

const options = { algorithm: values.algorithm, offload: !values["no-offload"] };

/** The other end: it reads what comes, or sends it back. */
async function serve(): Promise<void> {
  let bytes = 0;
  const listener = await listen(options, (connection) => {
    connection.on("error", () => {});
    connection.once("data", (first: Uint8Array) => {
      const echoes = first[0] === 1;
      bytes += first.length;
      if (echoes) connection.write(first);
      connection.on("data", (more: Uint8Array) => {
        bytes += more.length;
        if (echoes) connection.write(more);
      });
      connection.on("end", () => connection.end());
    });
  });
  let before = { bytes: 0, cpu: process.cpuUsage(), us: performance.now() * 1e3 };
  process.on("message", () => {
    const spanUs = performance.now() * 1e3 - before.us;
    const cpu = process.cpuUsage(before.cpu);
    process.send!({ bytes: bytes - before.bytes, spanUs, cpuUs: cpu.user + cpu.system });
    before = { bytes, cpu: process.cpuUsage(), us: performance.now() * 1e3 };
  });
  // the parent is done or dead: its connections, which would keep this process alive, are of no use
  process.on("disconnect", () => process.exit());
  process.send!({ port: listener.port });
}

interface Span {
  readonly bytes: number;
  readonly spanUs: number;
  readonly cpuUs: number;
}

/** The other process. */
class Server {
  readonly #child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(): Promise<Server> {
    const args = ["--server", "--algorithm", values.algorithm, ...(options.offload ? [] : ["--no-offload"])];
    const child = fork(fileURLToPath(import.meta.url), args, { execArgv: process.execArgv });
    const [{ port }] = (await once(child, "message")) as [{ port: number }];
    return new Server(child, port);
  }

  /** Since it was asked last. */
  async span(): Promise<Span> {
    this.#child.send("span");
    const [span] = (await once(this.#child, "message")) as [Span];
    return span;
  }

  stop(): void {
    this.#child.disconnect();
  }
}

function pump(connection: Connection): () => void {
  const chunk = new Uint8Array(CHUNK_BYTES);
  let goes = true;
  const more = (): void => {
    while (goes && connection.write(chunk));
  };
  connection.on("drain", more);
  more();
  return () => {
    goes = false;
  };
}

const sleep = (sec: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, sec * 1000));

interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

async function goodput(server: Server): Promise<Row[]> {
  const connection = await connect({ ...options, port: server.port });
  const stop = pump(connection);
  await sleep(1);
  await server.span();
  const from = process.cpuUsage();
  await sleep(values.sec);
  const { bytes, spanUs, cpuUs } = await server.span();
  const cpu = process.cpuUsage(from);
  stop();
  connection.destroy();
  const own = cpu.user + cpu.system;
  return [
    { name: "goodput of one connection", value: (bytes * 8) / spanUs, unit: "Mbit/s" },
    { name: "processor of the sender", value: (100 * own) / spanUs, unit: "%" },
    { name: "processor of the receiver", value: (100 * cpuUs) / spanUs, unit: "%" },
    { name: "both ends, each MB", value: ((own + cpuUs) / bytes) * SEC_TO_US * 1e-3, unit: "ms" },
  ];
}

/** How much later than due the packets of a rate leave, without a congestion control that would decide by itself. */
async function pacing(): Promise<Row[]> {
  const lateUs: number[] = [];
  const real = realSurroundings();
  const surroundings: Surroundings = {
    ...real,
    wakeAt: (atUs, call, isExact) =>
      real.wakeAt(
        atUs,
        () => {
          if (isExact) lateUs.push(real.nowUs() - atUs);
          call();
        },
        isExact,
      ),
  };
  const sink = await UdpSocket.open(
    {},
    () => {},
    () => {},
  );
  const source = await UdpSocket.open(
    {},
    () => {},
    () => {},
  );
  const data = new Uint8Array(PACKET_BYTES);
  const rateMbps = values.rate;
  const open = new OpenStack({
    stack: stack(pace({ rateMbps }), frame(), udp()),
    surroundings,
    port: source.port,
    side: "client",
    peer: sink.port.self,
    app: { receive: () => {}, pull: (most) => Array.from({ length: most }, () => ({ data })) },
  });
  open.offer();
  const from = process.cpuUsage();
  await sleep(values.sec);
  const cpu = process.cpuUsage(from);
  open.close();
  sink.close();
  source.close();
  const share = (100 * (cpu.user + cpu.system)) / (values.sec * SEC_TO_US);
  return [
    { name: `pacing error at ${rateMbps} Mbit/s, median`, value: quantile(lateUs, 0.5), unit: "us" },
    { name: "pacing error, 99th percentile", value: quantile(lateUs, 0.99), unit: "us" },
    { name: "processor while pacing", value: share, unit: "%" },
  ];
}

/** All begin at once; each sends, and ends when all of it has come back. */
async function connections(server: Server): Promise<Row[]> {
  const count = values.connections;
  const from = performance.now();
  const doneMs: number[] = [];
  const echo = async (): Promise<void> => {
    const connection = await connect({ ...options, port: server.port });
    connection.end(new Uint8Array(ECHO_BYTES).fill(1));
    let bytes = 0;
    for await (const part of connection) bytes += (part as Uint8Array).length;
    if (bytes !== ECHO_BYTES) throw new CcparkError("internal", `[bench] an echo of ${bytes} bytes`);
    doneMs.push(performance.now() - from);
    connection.destroy();
  };
  const results = await Promise.allSettled(Array.from({ length: count }, echo));
  const failed = results.filter(({ status }) => status === "rejected").length;
  return [
    { name: "connections at once", value: count, unit: "" },
    { name: "of them failed", value: failed, unit: "" },
    { name: `an echo of ${ECHO_BYTES} bytes each, median`, value: quantile(doneMs, 0.5), unit: "ms" },
    { name: "all of them", value: Math.max(...doneMs), unit: "ms" },
  ];
}

async function main(): Promise<void> {
  const parts = values.part.split(",");
  const server = await Server.start();
  const rows: Row[] = [];
  if (parts.includes("goodput")) rows.push(...(await goodput(server)));
  if (parts.includes("pacing")) rows.push(...(await pacing()));
  if (parts.includes("connections")) rows.push(...(await connections(server)));
  server.stop();
  if (values.json) console.log(JSON.stringify(rows));
  else for (const { name, value, unit } of rows) console.log(`${name}: ${value.toPrecision(4)} ${unit}`);
  // ends of connections that go on with their keep-alive
  process.exit(0);
}

if (values.server) await serve();
else await main();
