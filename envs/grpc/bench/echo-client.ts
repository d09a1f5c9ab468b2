/** Round trips to the echo server, with nothing between grpc-js and the clock. */
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import type { Times } from "./loops.ts";

/** What a round trip carries. */
export interface EchoSize {
  readonly requestBytes: number;
  readonly answerBytes: number;
  /** worker threads told in each */
  readonly handOffs: number;
}

const same = (bytes: Buffer): Buffer => bytes;

function requestOf({ requestBytes, answerBytes, handOffs }: EchoSize): Buffer {
  const request = Buffer.alloc(Math.max(requestBytes, 5));
  request.writeUInt32LE(answerBytes, 0);
  request[4] = handOffs;
  return request;
}

export class EchoClient {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
    });
  }

  unary(size: EchoSize, windowMs: number): Promise<Times> {
    const request = requestOf(size);
    const metadata = new Metadata();
    const times: number[] = [];
    const until = performance.now() + windowMs;
    return new Promise((resolve, reject) => {
      const next = (began: number): void => {
        this.#client.makeUnaryRequest(
          "/ccpark.bench.Echo/Unary",
          same,
          same,
          request,
          metadata,
          {},
          (error) => {
            if (error !== null) {
              reject(error);
              return;
            }
            const now = performance.now();
            times.push((now - began) * 1e3);
            if (now < until) next(now);
            else resolve(times);
          },
        );
      };
      next(performance.now());
    });
  }

  /** @param between is done after each answer, and is in its time */
  stream(size: EchoSize, windowMs: number, between: () => void = () => undefined): Promise<Times> {
    const request = requestOf(size);
    const times: number[] = [];
    const call = this.#client.makeBidiStreamRequest(
      "/ccpark.bench.Echo/Stream",
      same,
      same,
      new Metadata(),
      {},
    );
    return new Promise((resolve, reject) => {
      let began = performance.now();
      const until = began + windowMs;
      call.on("data", () => {
        between();
        const now = performance.now();
        times.push((now - began) * 1e3);
        began = now;
        if (now < until) call.write(request);
        else call.end();
      });
      call.on("error", reject);
      call.on("end", () => resolve(times));
      call.write(request);
    });
  }

  close(): void {
    this.#client.close();
  }
}
