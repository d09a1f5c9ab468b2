/** What one client cannot take from another: its sessions, its place on the server, and the meaning of a field. */
import { connect } from "node:net";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import {
  CreateSessionRequest,
  type CreateSessionResponse,
} from "../../../envs/grpc/generated/ccpark/v1/environment.ts";
import type { ServerLimits } from "../../../envs/grpc/server/limits.ts";
import { generateToken, hashToken } from "../../../envs/grpc/server/security.ts";
import { type ServerLog, SILENT } from "../../../envs/grpc/server/server-log.ts";
import { type RunningServer, startServer } from "../../../envs/grpc/server.ts";
import { toyHost } from "../toy-env.ts";
import { RawClient } from "./raw-client.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Codes of the calls that were turned away. */
const turnedAway: number[] = [];
const LOG: ServerLog = {
  ...SILENT,
  warn: (facts) => {
    turnedAway.push((facts as { code: number }).code);
  },
};

async function serve(tokens: readonly string[], limits: Partial<ServerLimits> = {}): Promise<RunningServer> {
  const server = await startServer({
    port: 0,
    envHost: toyHost(),
    limits: { shutdownGraceMs: 100, ...limits },
    security: { tokenHashes: tokens.map(hashToken) },
    log: LOG,
  });
  closing.push(() => server.close());
  return server;
}

function clientOf({ port }: RunningServer): RawClient {
  const client = new RawClient(port);
  closing.push(() => client.close());
  return client;
}

function create(
  client: RawClient,
  fields: Partial<CreateSessionRequest>,
  token?: string,
): Promise<CreateSessionResponse> {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  const request = CreateSessionRequest.fromPartial({
    envId: "ccpark/CongestionControl-v0",
    numEnvs: 1,
    ...fields,
  } as CreateSessionRequest);
  return client.unary((done) => client.stub.createSession(request, metadata, done));
}

const failureOf = (call: Promise<unknown>): Promise<ServiceError> =>
  call.then(
    () => expect.unreachable("the call was answered"),
    (error) => error,
  );

describe("a request_id", () => {
  it("fetches what it made for its own token, and nothing of another's", async () => {
    const [mine, other] = [generateToken(), generateToken()];
    const client = clientOf(await serve([mine, other]));
    const made = await create(client, { requestId: "run-1" }, mine);
    expect((await create(client, { requestId: "run-1" }, mine)).sessionToken).toBe(made.sessionToken);
    const guessed = await create(client, { requestId: "run-1" }, other);
    expect(guessed.sessionId).not.toBe(made.sessionId);
    const different = await failureOf(create(client, { requestId: "run-1", numEnvs: 2 }, mine));
    expect(different.code).toBe(status.ALREADY_EXISTS);
  });
});

describe("sessions of one client", () => {
  it("are limited by token, and given back when they end", async () => {
    const [mine, other] = [generateToken(), generateToken()];
    const server = await serve([mine, other], { maxSessionsPerClient: 2 });
    const [client, second] = [clientOf(server), clientOf(server)];
    const first = await create(client, {}, mine);
    await create(second, {}, mine);
    const refused = await failureOf(create(client, {}, mine));
    expect(refused).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: "[grpc] this client has 2 sessions open, this server allows 2 to each",
    });
    await create(client, {}, other);
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${mine}`);
    await client.unary((done) => client.stub.closeSession(first, metadata, done));
    await create(client, {}, mine);
    // one that cannot be made leaves nothing behind
    await create(client, {}, other);
    for (let i = 0; i < 3; i++) {
      expect((await failureOf(create(client, { envId: "no" }, other))).code).toBe(status.RESOURCE_EXHAUSTED);
    }
  });

  it("are limited by connection where nobody shows who he is", async () => {
    const server = await serve([], { maxSessionsPerClient: 1 });
    const [one, two] = [clientOf(server), clientOf(server)];
    await create(one, {});
    expect((await failureOf(create(one, {}))).code).toBe(status.RESOURCE_EXHAUSTED);
    await create(two, {});
  });
});

describe("an enum", () => {
  it.each([
    ["autoreset_mode", { autoresetMode: 9 }],
    ["action_policy", { actionPolicy: 77 }],
    ["number_encoding", { numberEncoding: -1 }],
  ])("with an unknown number is refused: %s", async (field, fields) => {
    const client = clientOf(await serve([]));
    const error = await failureOf(create(client, fields as never));
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(error.details).toMatch(new RegExp(`^\\[grpc\\] ${field}: got -?\\d+, expected one of 0 \\(`));
  });
});

/** A frame of HTTP/2. */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** HPACK: a literal without indexing, nothing compressed. */
function literal(name: string, value: string): Buffer {
  const [n, v] = [Buffer.from(name), Buffer.from(value)];
  return Buffer.concat([Buffer.of(0, n.length), n, Buffer.of(v.length), v]);
}

/** Calls GetServerInfo with these values of `authorization`, as no client library would. @returns what came back, as text */
function callWith(port: number, values: readonly string[]): Promise<string> {
  const headers = [
    literal(":method", "POST"),
    literal(":scheme", "http"),
    literal(":path", "/ccpark.v1.EnvService/GetServerInfo"),
    literal(":authority", "localhost"),
    literal("te", "trailers"),
    literal("content-type", "application/grpc"),
    ...values.map((value) => literal("authorization", value)),
  ];
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.on("error", reject);
    socket.on("data", (data) => {
      answer += data.toString("latin1");
      // the last frame of the answer ends its stream
      setTimeout(() => {
        socket.destroy();
        resolve(answer);
      }, 300);
    });
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write(frame(4, 0, 0, Buffer.alloc(0)));
    socket.write(frame(1, 4, 1, Buffer.concat(headers)));
    socket.write(frame(0, 1, 1, Buffer.alloc(5)));
  });
}

describe("two values of authorization", () => {
  it("are refused, whichever of them is right", async () => {
    const token = generateToken();
    const { port } = await serve([token]);
    const right = `Bearer ${token}`;
    turnedAway.length = 0;
    await callWith(port, [right]);
    expect(turnedAway).toEqual([]);
    for (const values of [
      [right, "Bearer x"],
      ["Bearer x", right],
      [right, right],
    ]) {
      await callWith(port, values);
      expect(turnedAway.splice(0)).toEqual([status.UNAUTHENTICATED]);
    }
  });
});
