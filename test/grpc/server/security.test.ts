/** Who may call: TLS, client certificates, bearer tokens, and what each of those who may not is told. */
import { randomBytes } from "node:crypto";
import { connect as connectTcp } from "node:net";
import { type ChannelCredentials, credentials, Metadata, makeClientConstructor, status } from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { connectEnv } from "../../../envs/grpc/client.ts";
import { EnvServiceClient } from "../../../envs/grpc/generated/ccpark/v1/environment.ts";
import {
  generateToken,
  hashToken,
  parseTokenFile,
  type ServerSecurity,
} from "../../../envs/grpc/server/security.ts";
import { type RunningServer, startServer } from "../../../envs/grpc/server.ts";
import { expectKind } from "../../contract/env-contract.ts";
import { toyHost } from "../toy-env.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";

let certificates: Certificates;
beforeAll(() => {
  certificates = makeCertificates();
});
afterAll(() => certificates.remove());

const running: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});
async function serve(security: ServerSecurity, host = "127.0.0.1"): Promise<RunningServer> {
  const limits = { shutdownGraceMs: 100 };
  const server = await startServer({ host, port: 0, envHost: toyHost(), security, limits });
  running.push(server);
  return server;
}

/** The code of a call, 0 if it was answered, and what it says. */
function ask(
  port: number,
  channel: ChannelCredentials,
  token?: string,
): Promise<{ code: number; details: string }> {
  const client = new EnvServiceClient(`127.0.0.1:${port}`, channel, { "grpc.use_local_subchannel_pool": 1 });
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("authorization", token);
  return new Promise((resolve) => {
    client.getServerInfo({}, metadata, { deadline: Date.now() + 5_000 }, (error) => {
      client.close();
      resolve(error === null ? { code: 0, details: "" } : { code: error.code, details: error.details });
    });
  });
}

function healthOf(port: number): Promise<string> {
  const Health = makeClientConstructor(healthService as never, "Health");
  const client = new Health(`127.0.0.1:${port}`, credentials.createInsecure());
  return new Promise((resolve, reject) => {
    (client as unknown as { check: Check }).check({ service: "ccpark.v1.EnvService" }, (error, answer) => {
      client.close();
      if (error === null) resolve(answer.status);
      else reject(error);
    });
  });
}
type Check = (
  request: { service: string },
  done: (error: Error | null, answer: { status: string }) => void,
) => void;

const plain = credentials.createInsecure();

describe("bearer tokens", () => {
  it("are wanted of every call but health, and only the right one will do", async () => {
    const [token, other] = [generateToken(), generateToken()];
    const { port } = await serve({ tokenHashes: [hashToken(other), hashToken(token)] });
    expect(await ask(port, plain)).toEqual({
      code: status.UNAUTHENTICATED,
      details: "[grpc] this server wants metadata `authorization: Bearer TOKEN` in every call",
    });
    expect((await ask(port, plain, "Basic abc")).code).toBe(status.UNAUTHENTICATED);
    for (const wrong of [generateToken(), hashToken(token), `${token}x`, token.slice(1)]) {
      expect(await ask(port, plain, `Bearer ${wrong}`)).toEqual({
        code: status.PERMISSION_DENIED,
        details: "[grpc] the bearer token is wrong",
      });
    }
    expect((await ask(port, plain, `Bearer ${token}`)).code).toBe(0);
    expect((await ask(port, plain, `bearer ${other}`)).code).toBe(0);
    expect(await healthOf(port)).toBe("SERVING");
  });

  it("are kept as hashes, one per line", () => {
    const hash = hashToken("secret");
    expect(hash).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(parseTokenFile(`# laptop\n${hash}\n\n`, "tokens")).toEqual([hash]);
    expect(() => parseTokenFile("secret\n", "tokens")).toThrow(/tokens:1: expected a token's hash/);
    expect(() => parseTokenFile("# none\n", "tokens")).toThrow(/holds no token's hash/);
    expect(generateToken()).toMatch(/^[\w-]{43}$/);
  });
});

describe("TLS", () => {
  it("is needed with a token for any address that others reach", async () => {
    const { server } = certificates;
    const tls = { certificate: server.cert, key: server.key };
    const tokenHashes = [hashToken("t")];
    const refused: [ServerSecurity, RegExp][] = [
      [{}, /needs TLS \(--tls-cert, --tls-key\) and a bearer token \(--token-file\)$/],
      [{ tls }, /needs a bearer token \(--token-file\)$/],
      [{ tls, tokenHashes: [] }, /needs a bearer token/],
      [{ tokenHashes }, /needs TLS \(--tls-cert, --tls-key\)$/],
    ];
    for (const host of ["0.0.0.0", "::", "example.org"]) {
      for (const [security, message] of refused) {
        await expectKind(serve(security, host), "invalid-argument", message);
      }
    }
    const { port } = await serve({ tls, tokenHashes }, "0.0.0.0");
    expect((await ask(port, credentials.createSsl(certificates.ca.cert), "Bearer t")).code).toBe(0);
  });

  it("turns away plain text, strangers' certificates and garbage, and goes on serving", async () => {
    const { server, ca, stranger } = certificates;
    const { port } = await serve({ tls: { certificate: server.cert, key: server.key } });
    expect((await ask(port, plain)).code).toBe(status.UNAVAILABLE);
    expect((await ask(port, credentials.createSsl(stranger.cert))).code).toBe(status.UNAVAILABLE);
    for (const bytes of [randomBytes(4096), Buffer.from("GET / HTTP/1.1\r\n\r\n"), Buffer.alloc(1)]) {
      await throwAt(port, bytes);
    }
    expect((await ask(port, credentials.createSsl(ca.cert))).code).toBe(0);
  });

  it("lets our own client in, with its token and, where one is wanted, its certificate", async () => {
    const { server, ca, client } = certificates;
    const token = generateToken();
    const { port } = await serve({
      tls: { certificate: server.cert, key: server.key, clientCa: ca.cert },
      tokenHashes: [hashToken(token)],
    });
    const tls = { ca: ca.cert, cert: client.cert, key: client.key };
    const env = await connectEnv({ address: `127.0.0.1:${port}`, token, tls });
    expect((await env.reset({ seed: 1 })).reward).toBe(0);
    await env.close();
    await expectKind(connectEnv({ address: `127.0.0.1:${port}`, token: "x", tls }), "permission-denied");
  });

  it("asks clients for a certificate of the given authority", async () => {
    const { server, ca, client, stranger } = certificates;
    const { port } = await serve({ tls: { certificate: server.cert, key: server.key, clientCa: ca.cert } });
    expect((await ask(port, credentials.createSsl(ca.cert))).code).toBe(status.UNAVAILABLE);
    expect((await ask(port, credentials.createSsl(ca.cert, stranger.key, stranger.cert))).code).toBe(
      status.UNAVAILABLE,
    );
    expect((await ask(port, credentials.createSsl(ca.cert, client.key, client.cert))).code).toBe(0);
  });

  it("refuses files that do not fit, in one sentence", async () => {
    const { server, client } = certificates;
    await expectKind(
      serve({ tls: { certificate: server.cert, key: client.key } }),
      "invalid-argument",
      /^\[grpc\] TLS: certificate and key do not belong together: /,
    );
    await expectKind(
      serve({ tls: { certificate: Buffer.from("no"), key: server.key } }),
      "invalid-argument",
      /the certificate is unusable: /,
    );
  });
});

/** Bytes that are no HTTP/2. */
function throwAt(port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, "127.0.0.1", () => socket.end(bytes));
    socket.on("error", () => undefined).on("close", () => resolve());
    socket.resume();
  });
}

describe("a plain port", () => {
  it("survives garbage and TLS clients", async () => {
    const { port } = await serve({});
    for (let i = 0; i < 20; i++) await throwAt(port, randomBytes(1 + 997 * i));
    await throwAt(
      port,
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ngarbage after the preface, and more of it"),
    );
    expect((await ask(port, credentials.createSsl(certificates.ca.cert))).code).toBe(status.UNAVAILABLE);
    expect((await ask(port, plain)).code).toBe(0);
  });
});
