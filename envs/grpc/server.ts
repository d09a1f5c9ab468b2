/**
 * The server of proto/ccpark/v1/environment.proto and of dm_env_rpc.v1 on one port, with health and reflection: puts its
 * parts together, starts and stops. Sessions: session-registry.ts; calls: session-stream.ts and unary-calls.ts; what a
 * request means is the session's business (env-host.ts).
 */
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Server, type ServerDuplexStream, status } from "@grpc/grpc-js";
import { CcparkError } from "../../core/errors.ts";
import { DmEnvRpcStream, Worlds } from "./dm-env-rpc/dm-env-rpc.ts";
import { ServedFlows } from "./flows/served-flows.ts";
import {
  type ConnectRequest,
  type ConnectResponse,
  type EnvServiceServer,
  EnvServiceService,
} from "./generated/ccpark/v1/environment.ts";
import {
  type EnvironmentRequest,
  type EnvironmentResponse,
  EnvironmentService,
} from "./generated/dm_env_rpc/v1/dm_env_rpc.ts";
import { DEFAULT_LIMITS, type ServerLimits } from "./server/limits.ts";
import { plainCounts, prometheusCounts, type ServedMetrics, serveMetrics } from "./server/metrics.ts";
import { withDmEnvRpcLimits, withExtentLimits } from "./server/request-extent.ts";
import {
  checkExposure,
  joinDoubles,
  type ServerSecurity,
  serverCredentials,
  tokenInterceptor,
} from "./server/security.ts";
import type { ServerContext } from "./server/server-context.ts";
import { type ServerLog, SILENT } from "./server/server-log.ts";
import { SessionRegistry } from "./server/session-registry.ts";
import { ConnectStream } from "./server/session-stream.ts";
import { addHealth, addReflection, findProtoFolder } from "./server/standard-services.ts";
import { unaryCalls } from "./server/unary-calls.ts";
import type { EnvHost } from "./session/env-host.ts";
import { fatal } from "./status-codes.ts";
import { withStepCodec } from "./step-codec.ts";

export interface ServerOptions {
  /** default 127.0.0.1; an address that is not loopback needs TLS and a token */
  readonly host?: string;
  /** 0: any free port */
  readonly port: number;
  /** closed with the server */
  readonly envHost: EnvHost;
  readonly limits?: Partial<ServerLimits>;
  readonly security?: ServerSecurity;
  /** of Prometheus, on 127.0.0.1; 0: any free port; undefined: none */
  readonly metricsPort?: number;
  readonly log?: ServerLog;
  /** of ccpark, for GetServerInfo */
  readonly version?: string;
  /** folder of the .proto files for reflection; default: that of the package */
  readonly protoFolder?: string;
}

export interface RunningServer {
  readonly host: string;
  readonly port: number;
  readonly metricsPort: number | undefined;
  /** sessions alive now */
  sessionCount(): number;
  /**
   * Refuses new sessions, lets requests that run finish, ends all streams with UNAVAILABLE and frees all sessions; may be
   * called twice.
   */
  close(): Promise<void>;
}

const OWN_SERVICES = ["ccpark.v1.EnvService", "dm_env_rpc.v1.Environment"];

/** Beyond creating, resetting and stepping. */
const FEATURES = [
  "masked_reset",
  "replay",
  "take_over",
  "state",
  "render",
  "watch_episodes",
  "flows",
  "health",
  "dm_env_rpc.v1",
];

/**
 * Binds the address once before grpc-js does, which tells no reason and logs its own line.
 * @throws CcparkError (unavailable)
 */
function checkFree(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "the port is in use" : error.message;
      const message = `[grpc] cannot listen on ${host}:${port}: ${why}`;
      reject(new CcparkError("unavailable", message, { cause: error }));
    });
    probe.listen({ host: host.replace(/[[\]]/g, ""), port, exclusive: true }, () =>
      probe.close(() => resolve()),
    );
  });
}

/** How grpc-js wants it: IPv6 in brackets; `localhost` as the one address that every client tries. */
function bindAddress(host: string): string {
  if (host === "localhost") return "127.0.0.1";
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

/**
 * Serves environments until `close`.
 * @throws CcparkError: invalid-argument for an exposed host without TLS and token or for an unusable certificate,
 *   unavailable if a port is in use
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const limits: ServerLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const { envHost, security = {}, log = SILENT } = options;
  const asked = options.host ?? "127.0.0.1";
  checkExposure(asked, security);
  const host = bindAddress(asked);
  const credentials = serverCredentials(security.tls);
  const prometheus = options.metricsPort === undefined ? undefined : prometheusCounts();
  const counts = prometheus ?? plainCounts();
  const flows = new ServedFlows(limits);
  const sessions = new SessionRegistry(envHost, limits, log, flows);
  const context: ServerContext = { host: envHost, sessions, flows, limits, log, streams: new Set(), counts };
  const hashes = security.tokenHashes ?? [];
  const server = new Server({
    "grpc.max_receive_message_length": limits.maxMessageBytes,
    "grpc.max_send_message_length": limits.maxMessageBytes,
    "grpc.keepalive_time_ms": 20_000, // finds a peer that vanished without closing its socket
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.max_concurrent_streams": 1_000, // of one connection
    "grpc.enable_channelz": 0, // nobody can ask for it here
    interceptors:
      hashes.length === 0
        ? []
        : [
            tokenInterceptor(hashes, (code, path, peer) => {
              counts.error(code);
              log.warn({ path, peer, code }, "call without a valid bearer token");
            }),
          ],
  });
  const protoFolder = options.protoFolder ?? findProtoFolder();
  const services = [...OWN_SERVICES, "grpc.health.v1.Health"];
  const reflected = await addReflection(server, { protoFolder, services }, log);
  const health = await addHealth(server, OWN_SERVICES);
  const identity = {
    version: options.version ?? "unknown",
    features: reflected ? [...FEATURES, "reflection"] : FEATURES,
  };
  server.addService(withExtentLimits(withStepCodec(EnvServiceService), limits.maxEnvsPerSession), {
    ...unaryCalls(context, identity),
    connect(call: ServerDuplexStream<ConnectRequest, ConnectResponse>) {
      new ConnectStream(call, context);
    },
  } as unknown as EnvServiceServer);
  const worlds = new Worlds(context);
  server.addService(withDmEnvRpcLimits(EnvironmentService), {
    process(call: ServerDuplexStream<EnvironmentRequest, EnvironmentResponse>) {
      new DmEnvRpcStream(call, context, worlds);
    },
  });
  await checkFree(host, options.port);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${options.port}`, credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else {
        const message = `[grpc] cannot listen on ${host}:${options.port}: ${error.message}`;
        reject(new CcparkError("unavailable", message, { cause: error }));
      }
    });
  });
  if (hashes.length > 0) joinDoubles(server);
  let metrics: ServedMetrics | undefined;
  if (prometheus !== undefined) {
    try {
      metrics = await serveMetrics(prometheus, context, options.metricsPort ?? 0);
    } catch (error) {
      server.forceShutdown();
      throw error;
    }
  }
  log.info({ host, port, tls: security.tls !== undefined, tokens: hashes.length }, "serving");

  let closing: Promise<void> | undefined;
  const shutDown = async (): Promise<void> => {
    const reason = fatal(status.UNAVAILABLE, "the server shuts down");
    log.info({ sessions: sessions.size, streams: context.streams.size }, "shutting down");
    health.drain();
    sessions.draining = true;
    for (const stream of [...context.streams]) stream.drain(reason);
    const untilMs = performance.now() + limits.drainGraceMs;
    while (counts.waiting > 0 && performance.now() < untilMs) await sleep(5);
    sessions.closeAll(reason);
    for (const stream of [...context.streams]) stream.fail(reason);
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => server.forceShutdown(), limits.shutdownGraceMs);
      server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
    });
    await Promise.all([envHost.close(), metrics?.close()]);
  };
  return {
    host,
    port,
    metricsPort: metrics?.port,
    sessionCount: () => sessions.size,
    close: () => (closing ??= shutDown()),
  };
}
