/**
 * Who may call: TLS, client certificates and bearer tokens. Of a token only its SHA-256 is kept; that is enough because
 * a token is 256 random bits and not a word to guess.
 */

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { EventEmitter } from "node:events";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import {
  type Metadata,
  ResponderBuilder,
  type Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from "@grpc/grpc-js";
import { CcparkError } from "../../../core/errors.ts";
import { isLoopback } from "../loopback.ts";

export interface TlsFiles {
  /** PEM: the server's certificate, its chain after it */
  readonly certificate: Buffer;
  /** PEM: the private key */
  readonly key: Buffer;
  /** PEM: authorities of client certificates, which every client must show then */
  readonly clientCa?: Buffer;
}

export interface ServerSecurity {
  readonly tls?: TlsFiles;
  /** lines of a token file, see `hashToken`; every call but health wants one of these tokens */
  readonly tokenHashes?: readonly string[];
}

const HASH = /^sha256:[0-9a-f]{64}$/;

/** What is kept of a token: `sha256:` and 64 hexadecimal digits. */
export function hashToken(token: string): string {
  return `sha256:${createHash("sha256").update(token).digest("hex")}`;
}

/** 256 random bits, fit for a header. */
export function generateToken(): string {
  return randomBytes(32).toString("base64url");
}

/**
 * The hashes in a token file: one per line, empty lines and `#` comments aside.
 * @throws CcparkError (invalid-argument) for another line or none
 */
export function parseTokenFile(text: string, path: string): string[] {
  const lines = text.split("\n").map((line) => line.trim());
  const hashes = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const wrong = lines.findIndex((line) => line !== "" && !line.startsWith("#") && !HASH.test(line));
  if (wrong >= 0) {
    throw new CcparkError(
      "invalid-argument",
      `[grpc] ${path}:${wrong + 1}: expected a token's hash, sha256: and 64 hexadecimal digits`,
    );
  }
  if (hashes.length === 0) throw new CcparkError("invalid-argument", `[grpc] ${path}: holds no token's hash`);
  return hashes;
}

/** @throws CcparkError (invalid-argument) if others could reach the server unseen or uninvited */
export function checkExposure(host: string, security: ServerSecurity): void {
  if (isLoopback(host)) return;
  const missing = [
    ...(security.tls === undefined ? ["TLS (--tls-cert, --tls-key)"] : []),
    ...((security.tokenHashes ?? []).length === 0 ? ["a bearer token (--token-file)"] : []),
  ];
  if (missing.length === 0) return;
  throw new CcparkError(
    "invalid-argument",
    `[grpc] host: got ${host}, expected a loopback address; another one needs ${missing.join(" and ")}`,
  );
}

/** @throws CcparkError (invalid-argument) if certificate, key and authorities do not fit together */
export function serverCredentials(tls: TlsFiles | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const { certificate, key, clientCa } = tls;
  const check = (what: string, files: SecureContextOptions): void => {
    try {
      createSecureContext(files);
    } catch (error) {
      const message = `[grpc] TLS: ${what}: ${(error as Error).message}`;
      throw new CcparkError("invalid-argument", message, { cause: error });
    }
  };
  check("the certificate is unusable", { cert: certificate });
  check("the key is unusable", { key });
  check("certificate and key do not belong together", { cert: certificate, key });
  check("the authorities of clients are unusable", { ca: clientCa });
  return ServerCredentials.createSsl(
    clientCa ?? null,
    [{ private_key: key, cert_chain: certificate }],
    clientCa !== undefined,
  );
}

/** A probe of an orchestrator has no token. */
const OPEN_TO_ALL = "/grpc.health.v1.Health/";

/** Turns calls away before anything of them is read. @param onRefused told the code */
export function tokenInterceptor(
  hashes: readonly string[],
  onRefused: (code: status, path: string, peer: string) => void,
): ServerInterceptor {
  const known = hashes.map((hash) => Buffer.from(hash));
  const refusal = (metadata: Metadata): { code: status; details: string } | undefined => {
    const [given, second] = metadata.get("authorization");
    // of two, a proxy in front may have looked at the other one
    if (second !== undefined || (typeof given === "string" && given.includes(","))) {
      const details = "[grpc] got several values of `authorization`, expected one";
      return { code: status.UNAUTHENTICATED, details };
    }
    const token = typeof given === "string" ? /^Bearer +(\S+)$/i.exec(given)?.[1] : undefined;
    if (token === undefined) {
      const details = "[grpc] this server wants metadata `authorization: Bearer TOKEN` in every call";
      return { code: status.UNAUTHENTICATED, details };
    }
    const hash = Buffer.from(hashToken(token));
    // every hash is compared, so that the time tells nothing
    let found = false;
    for (const one of known) found = timingSafeEqual(one, hash) || found;
    if (found) return undefined;
    return { code: status.PERMISSION_DENIED, details: "[grpc] the bearer token is wrong" };
  };
  return (method, call) => {
    if (method.path.startsWith(OPEN_TO_ALL)) return new ServerInterceptingCall(call);
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        const refused = refusal(metadata);
        if (refused === undefined) next(metadata);
        else {
          onRefused(refused.code, method.path, call.getPeer());
          call.sendStatus(refused);
        }
      })
      .build();
    const responder = new ResponderBuilder().withStart((next) => next(listener)).build();
    return new ServerInterceptingCall(call, responder);
  };
}

/** What grpc-js keeps to itself: the servers of HTTP/2 below it. */
interface WithHttp2Servers {
  readonly http2Servers?: ReadonlyMap<EventEmitter, unknown>;
}

/**
 * Node keeps the first of several values of `authorization` and says nothing of the others: here all become one value, as
 * Node does with other names, so that the interceptor sees them. Call it when the server is bound.
 */
export function joinDoubles(server: Server): void {
  const { http2Servers = new Map<EventEmitter, unknown>() } = server as unknown as WithHttp2Servers;
  for (const http2 of http2Servers.keys()) {
    http2.prependListener(
      "stream",
      (_stream: unknown, headers: Record<string, unknown>, _flags: number, raw: readonly string[]) => {
        const values = raw.filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === "authorization");
        if (values.length > 1) headers["authorization"] = values.join(", ");
      },
    );
  }
}
