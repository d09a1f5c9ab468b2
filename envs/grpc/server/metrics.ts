/** Prometheus metrics of a server, on a port of their own that only this machine reaches. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { status } from "@grpc/grpc-js";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { CcparkError } from "../../../core/errors.ts";
import type { ServerContext, ServerCounts } from "./server-context.ts";

/** From a step of one small environment to the time limit of steps. */
const STEP_SECONDS = [
  2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.3, 1, 3, 10, 30,
];

export interface ServedMetrics {
  readonly port: number;
  close(): Promise<void>;
}

/** Counts only; for a server without metrics. */
export function plainCounts(): ServerCounts {
  return { waiting: 0, step: () => undefined, error: () => undefined };
}

export interface PrometheusCounts extends ServerCounts {
  readonly registry: Registry;
}

export function prometheusCounts(): PrometheusCounts {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const steps = new Counter({
    name: "ccpark_env_steps_total",
    help: "environment steps answered, over all sessions",
    registers,
  });
  const seconds = new Histogram({
    name: "ccpark_step_seconds",
    help: "time from a step request to its answer, all environments of the session together",
    buckets: STEP_SECONDS,
    registers,
  });
  const errors = new Counter({
    name: "ccpark_errors_total",
    help: "errors answered, in streams and as status, by code",
    labelNames: ["code"],
    registers,
  });
  return {
    registry,
    waiting: 0,
    step(environments, tookSeconds) {
      steps.inc(environments);
      seconds.observe(tookSeconds);
    },
    error(code) {
      errors.inc({ code: status[code] ?? String(code) });
    },
  };
}

/** @throws CcparkError (unavailable) if the port is in use */
export async function serveMetrics(
  { registry }: PrometheusCounts,
  { sessions, streams, counts }: ServerContext,
  port: number,
): Promise<ServedMetrics> {
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
  gauge("ccpark_sessions", "sessions alive, worlds of dm_env_rpc included", () => sessions.size);
  gauge("ccpark_environments", "environments of all sessions", () => {
    let environments = 0;
    for (const { session } of sessions.entries()) environments += session.config.numEnvs;
    return environments;
  });
  gauge("ccpark_streams", "streams open", () => streams.size);
  gauge("ccpark_requests_waiting", "requests received and not answered yet", () => counts.waiting);
  const server = createServer((request, response) => {
    response.setHeader("connection", "close"); // a scraper that comes back seconds later would meet a closing one
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      const inUse = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
      const why = inUse ? "the port is in use" : error.message;
      const message = `[grpc] cannot serve metrics on 127.0.0.1:${port}: ${why}`;
      reject(new CcparkError("unavailable", message, { cause: error }));
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
