/**
 * The yardstick of `bench:grpc`: answers of a wanted size through grpc-js alone, no messages, no environments. Requests say
 * how: their first four bytes (little-endian) are the size of the answer, the fifth is how many worker threads must have
 * been told and have replied before. Prints its port; ends with its stdin.
 */
import { parentPort, Worker } from "node:worker_threads";
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
} from "@grpc/grpc-js";

const same = (bytes: Buffer): Buffer => bytes;
const codec = {
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
} as const;
const ECHO = {
  unary: { path: "/ccpark.bench.Echo/Unary", requestStream: false, responseStream: false, ...codec },
  stream: { path: "/ccpark.bench.Echo/Stream", requestStream: true, responseStream: true, ...codec },
} as const satisfies ServiceDefinition;

/** A thread that replies to each message, as one that steps environments does. */
class Told {
  readonly #worker = new Worker(new URL(import.meta.url), { workerData: "reply" });
  readonly #waiting: (() => void)[] = [];

  constructor() {
    this.#worker.unref();
    this.#worker.on("message", () => this.#waiting.shift()?.());
  }

  tell(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#worker.postMessage({ do: "step", block: 1 });
    });
  }
}

async function serve(): Promise<void> {
  const told: Told[] = [];
  const answers = new Map<number, Buffer>();
  const answerTo = (request: Buffer): Buffer | Promise<Buffer> => {
    const size = request.readUInt32LE(0);
    let answer = answers.get(size);
    if (answer === undefined) {
      answer = Buffer.alloc(size, 1);
      answers.set(size, answer);
    }
    const handOffs = request[4]!;
    if (handOffs === 0) return answer;
    const sure = answer;
    while (told.length < handOffs) told.push(new Told());
    return Promise.all(told.slice(0, handOffs).map((each) => each.tell())).then(() => sure);
  };
  const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  server.addService(ECHO, {
    unary(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
      const answer = answerTo(call.request);
      if (answer instanceof Promise) void answer.then((late) => done(null, late));
      else done(null, answer);
    },
    stream(call: ServerDuplexStream<Buffer, Buffer>) {
      call.on("data", (request: Buffer) => {
        const answer = answerTo(request);
        if (answer instanceof Promise) void answer.then((late) => call.write(late));
        else call.write(answer);
      });
      call.on("end", () => call.end());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  console.log(JSON.stringify({ address: `127.0.0.1:${port}` }));
  process.stdin.on("end", () => process.exit(0)).resume();
}

if (parentPort === null) await serve();
else parentPort.on("message", () => parentPort!.postMessage(undefined));
