/** `ccpark serve`: the environments over gRPC until Ctrl-C, SIGTERM or, if asked to, the end of stdin. */
import { availableParallelism } from "node:os";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CcparkError } from "../../core/errors.ts";
import { isModuleFile } from "../../core/module-path.ts";
import type { ServerSecurity, TlsFiles } from "../../envs/grpc/server/security.ts";
import { exitOnInterrupt, interruptible, printErr, printOut } from "../console.ts";
import { EXIT } from "../exit/exit-codes.ts";
import { collect, parseList, parsePositive, parseWhole, SET_HELP } from "../options.ts";
import { packageVersion } from "../own-package.ts";
import { readOption } from "../text-input.ts";

const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"];

interface ServeOptions {
  readonly scenario: readonly string[];
  readonly set?: readonly string[];
  readonly trace?: string;
  readonly observation?: readonly string[];
  readonly action?: readonly string[];
  readonly reward?: readonly string[];
  readonly algorithm?: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly workers?: number;
  readonly stepLimitSec: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly mtlsCa?: string;
  readonly tokenFile?: string;
  readonly generateToken?: string;
  readonly maxSessions: number;
  readonly maxSessionsPerClient: number;
  readonly maxMemoryGib: number;
  readonly maxEnvs: number;
  readonly maxFlows: number;
  readonly maxFlowsPerClient: number;
  readonly maxMessageMb: number;
  readonly maxStepsPerSec?: number;
  readonly leaseSec: number;
  readonly graceSec: number;
  readonly metricsPort?: number;
  readonly logLevel: string;
  readonly protoDir?: string;
  readonly exitWithStdin?: true;
  readonly json?: true;
  readonly quiet?: true;
}

/** Its hash goes to the file, the token itself to nobody but the one who asked. */
async function addToken(path: string): Promise<void> {
  const { appendToFile } = await import("../../core/whole-files.ts");
  const { generateToken, hashToken } = await import("../../envs/grpc/server/security.ts");
  const token = generateToken();
  appendToFile(path, `${hashToken(token)}\n`, 0o600);
  printOut(`${token}\n`);
  printErr(`${path} holds its hash; the token is not shown again\n`);
}

function tlsOf({ tlsCert, tlsKey, mtlsCa }: ServeOptions): TlsFiles | undefined {
  if (tlsCert === undefined && tlsKey === undefined && mtlsCa === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new CcparkError("invalid-argument", "[serve] TLS needs both --tls-cert and --tls-key");
  }
  return {
    certificate: readOption("serve", "--tls-cert", tlsCert),
    key: readOption("serve", "--tls-key", tlsKey),
    clientCa: mtlsCa === undefined ? undefined : readOption("serve", "--mtls-ca", mtlsCa),
  };
}

async function securityOf(options: ServeOptions): Promise<ServerSecurity> {
  const { parseTokenFile } = await import("../../envs/grpc/server/security.ts");
  const { tokenFile } = options;
  return {
    tls: tlsOf(options),
    tokenHashes:
      tokenFile === undefined
        ? undefined
        : parseTokenFile(readOption("serve", "--token-file", tokenFile).toString("utf8"), tokenFile),
  };
}

type Stop = NodeJS.Signals | "end of stdin";

/** What ends the server; a second Ctrl-C does not wait. */
function untilStopped(withStdin: boolean): Promise<Stop> {
  return new Promise((resolve) => {
    process.removeAllListeners("SIGINT");
    process.once("SIGINT", (signal) => {
      exitOnInterrupt();
      resolve(signal);
    });
    process.once("SIGTERM", resolve);
    if (!withStdin) return;
    const ended = (): void => resolve("end of stdin");
    process.stdin.once("end", ended).once("error", ended).resume();
  });
}

/** Modules alone: what comes with ccpark needs no permission, and a name that nobody knows would be told to no one. */
function parseModules(text: string): string[] {
  const paths = parseList(text);
  if (paths.every(isModuleFile)) return paths;
  throw new InvalidArgumentError(
    "expected modules such as ./FILE.js: clients name all that comes with ccpark without it.",
  );
}

async function serve(options: ServeOptions): Promise<void> {
  if (options.generateToken !== undefined) {
    await addToken(options.generateToken);
    return;
  }
  const { raiseInliningBudget } = await import("../../core/v8-inlining.ts");
  raiseInliningBudget();
  const { startServer } = await import("../../envs/grpc/server.ts");
  const { noteSlowAcks } = await import("../ack-path-note.ts");
  const { servedHost } = await import("../served-env.ts");
  const { checkCrossTraffic, crossTrafficModules } = await import("../../algorithms/cross-traffic.ts");
  const { parseOverride } = await import("../../scenarios/overrides.ts");
  const { resolveScenarios } = await import("../../scenarios/scenario-files.ts");
  const { loadSignals } = await import("../../envs/signals/signal-files.ts");
  const { destination, pino } = await import("pino");
  const overrides = (options.set ?? []).map(parseOverride);
  // a mistake is the operator's now, not a client's later
  const entries = interruptible(() =>
    resolveScenarios(options.scenario, { tracePath: options.trace, overrides }),
  );
  const signals = {
    observations: options.observation ?? [],
    actions: options.action ?? [],
    rewards: options.reward ?? [],
    algorithms: [
      ...(options.algorithm ?? []),
      ...entries.flatMap((entry) => crossTrafficModules(entry.of(0))),
    ],
  };
  await loadSignals(signals);
  for (const entry of entries) checkCrossTraffic(entry.of(0));
  if (options.quiet !== true) {
    const given = { names: options.scenario, overrides: options.set, trace: options.trace };
    await noteSlowAcks(entries, given, 0);
  }
  const security = await securityOf(options);
  const log = pino({ name: "ccpark", level: options.logLevel }, destination({ dest: 2, sync: true }));
  const server = await startServer({
    host: options.host,
    port: options.port,
    envHost: servedHost({
      defaults: { scenarios: options.scenario, tracePath: options.trace, overrides, signals },
      workers: options.workers ?? availableParallelism(),
      timeLimitMs: options.stepLimitSec * 1e3,
      memoryLimitBytes: options.maxMemoryGib * 2 ** 30,
    }),
    limits: {
      maxSessions: options.maxSessions,
      maxSessionsPerClient: options.maxSessionsPerClient,
      maxEnvsPerSession: options.maxEnvs,
      maxFlows: options.maxFlows,
      maxFlowsPerClient: options.maxFlowsPerClient,
      maxMessageBytes: Math.round(options.maxMessageMb * 1024 * 1024),
      maxStepsPerSec: options.maxStepsPerSec ?? 0,
      leaseMs: options.leaseSec * 1e3,
      maxLeaseMs: Math.max(options.leaseSec, 600) * 1e3,
      drainGraceMs: options.graceSec * 1e3,
    },
    security,
    metricsPort: options.metricsPort,
    log,
    version: packageVersion(),
    protoFolder: options.protoDir,
  });
  const stopped = untilStopped(options.exitWithStdin === true);
  const { host, port, metricsPort } = server;
  const address = `${host}:${port}`;
  const tls = security.tls !== undefined;
  if (options.json) {
    const ready = { host, port, address, pid: process.pid, tls, metricsPort: metricsPort ?? null };
    printOut(`${JSON.stringify(ready)}\n`);
  } else if (!options.quiet) {
    const where = metricsPort === undefined ? "" : `, metrics on http://127.0.0.1:${metricsPort}/metrics`;
    printOut(`serving ccpark.v1 on ${address}${tls ? " (TLS)" : ""}${where}; Ctrl-C stops\n`);
  }
  const why = await stopped;
  const count = server.sessionCount();
  if (!options.quiet) printErr(`\n${why}: ending ${count} session${count === 1 ? "" : "s"}\n`);
  await server.close();
  process.exitCode = why === "SIGINT" ? EXIT.interrupted : EXIT.ok;
  process.stdin.destroy();
}

const EXAMPLES = `
A client that dies leaves its session for --lease-sec; then it is freed.

Another address than loopback needs TLS and a token:
  ccpark serve --generate-token tokens.txt
  ccpark serve --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem --token-file tokens.txt

For scripts: --port 0 --json prints one line with the address once the server is ready; --exit-with-stdin ends it with
the program that started it.`;

export function addServe(program: Command): void {
  program
    .command("serve")
    .description(
      "serve the environments over gRPC: ccpark.v1, dm_env_rpc.v1, health and reflection on one port",
    )
    .optionsGroup("What is served:")
    .addOption(
      new Option(
        "--scenario <names>",
        "presets, grids or files for clients that name none; an episode draws one",
      )
        .argParser(parseList)
        .default(["park-paper"], "park-paper"),
    )
    .option("--set <path=value>", SET_HELP, collect)
    .option("--trace <file>", "a trace file or shipped name, for scenarios that take one")
    .option("--observation <files>", "modules of observations that clients may name", parseModules)
    .option("--action <files>", "modules of actions that clients may name", parseModules)
    .option(
      "--reward <files>",
      "modules of rewards that clients may name (a formula needs no permission)",
      parseModules,
    )
    .option(
      "--algorithm <files>",
      "modules of algorithms that clients may name for cross traffic",
      parseModules,
    )
    .optionsGroup("Address and access:")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .addOption(
      new Option("--port <n>", "port; 0: any free one").argParser(parseWhole(0, 65_535)).default(50_551),
    )
    .option("--tls-cert <file>", "certificate of the server, PEM, its chain after it")
    .option("--tls-key <file>", "private key of the certificate, PEM")
    .option("--mtls-ca <file>", "authorities of client certificates, PEM; clients must show one then")
    .option("--token-file <file>", "hashes of bearer tokens; every call but health wants a token then")
    .option("--generate-token <file>", "add a token's hash to the file, print the token once, and end")
    .optionsGroup("Limits:")
    .addOption(
      new Option("--max-sessions <n>", "sessions at one time").argParser(parseWhole(1, 1e6)).default(64),
    )
    .addOption(
      new Option("--max-sessions-per-client <n>", "of these, by one token, certificate or connection")
        .argParser(parseWhole(1, 1e6))
        .default(48),
    )
    .addOption(
      new Option("--max-envs <n>", "environments in a session").argParser(parseWhole(1, 1e6)).default(1024),
    )
    .addOption(
      new Option("--max-flows <n>", "flows of all sessions at one time")
        .argParser(parseWhole(1, 1e7))
        .default(65_536),
    )
    .addOption(
      new Option("--max-flows-per-client <n>", "of these, by one token, certificate or connection")
        .argParser(parseWhole(1, 1e7))
        .default(32_768),
    )
    .addOption(
      new Option("--max-memory-gib <n>", "of all sessions together, as estimated, GiB")
        .argParser(parsePositive)
        .default(8),
    )
    .addOption(
      new Option("--max-message-mb <n>", "one request or answer, MiB").argParser(parsePositive).default(16),
    )
    .addOption(
      new Option("--max-steps-per-sec <n>", "environment steps of a session; more waits").argParser(
        parsePositive,
      ),
    )
    .addOption(
      new Option("--lease-sec <s>", "life of a session that nobody uses")
        .argParser(parsePositive)
        .default(60),
    )
    .addOption(
      new Option("--step-limit-sec <s>", "a step in a worker thread that takes longer ends its session")
        .argParser(parsePositive)
        .default(30),
    )
    .addOption(
      new Option("--grace-sec <s>", "at the end, time for steps that run")
        .argParser(parsePositive)
        .default(10),
    )
    .optionsGroup("Operation:")
    .addOption(
      new Option(
        "--workers <n>",
        "threads for sessions that are not small; 0: all on the main thread (default: one per core)",
      ).argParser(parseWhole(0, 256)),
    )
    .addOption(
      new Option("--metrics-port <n>", "Prometheus metrics on this port of 127.0.0.1; 0: any").argParser(
        parseWhole(0, 65_535),
      ),
    )
    .addOption(new Option("--log-level <level>", "JSON lines on stderr").choices(LOG_LEVELS).default("warn"))
    .option("--proto-dir <folder>", "the .proto files, for reflection of a bundled server")
    .option("--exit-with-stdin", "end when stdin does")
    .option("--json", "print address, pid and ports as one line of JSON")
    .option("--quiet", "print nothing")
    .addHelpText("after", EXAMPLES)
    .action(serve);
}
