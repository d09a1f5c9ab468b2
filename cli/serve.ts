/** `ccpark serve`: the environment over gRPC on a loopback address, until Ctrl-C or SIGTERM. */
import { type Command, Option } from "commander";
import { printErr, printOut } from "./console.ts";
import { EXIT } from "./exit-codes.ts";
import { collect, parseList, parseWhole, SET_HELP } from "./options.ts";
import { packageVersion } from "./version.ts";

interface ServeOptions {
  readonly scenario: readonly string[];
  readonly set?: readonly string[];
  readonly trace?: string;
  readonly host: string;
  readonly port: number;
  readonly json?: true;
  readonly quiet?: true;
}

async function serve(options: ServeOptions): Promise<void> {
  const { startServer } = await import("../envs/grpc/server.ts");
  const { servedEnvMaker } = await import("./served-env.ts");
  const { parseOverride } = await import("../envs/scenarios/overrides.ts");
  const { resolveScenarios } = await import("../envs/scenarios/scenario-files.ts");
  const overrides = (options.set ?? []).map(parseOverride);
  // a mistake is the operator's now, not a client's later
  resolveScenarios(options.scenario, { tracePath: options.trace, overrides });
  const server = await startServer({
    host: options.host,
    port: options.port,
    makeEnv: servedEnvMaker({ scenarios: options.scenario, tracePath: options.trace, overrides }),
    version: packageVersion(),
  });
  const address = `${server.host}:${server.port}`;
  if (options.json) printOut(`${JSON.stringify({ host: server.host, port: server.port, address })}\n`);
  else if (!options.quiet) printOut(`serving ccpark.v1 on ${address}; Ctrl-C stops\n`);
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    process.removeAllListeners("SIGINT");
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  if (!options.quiet) printErr(`\n${signal}: ending ${server.sessionCount()} sessions\n`);
  await server.close();
  process.exitCode = signal === "SIGINT" ? EXIT.interrupted : EXIT.ok;
}

export function addServe(program: Command): void {
  program
    .command("serve")
    .description("serve the environment over gRPC (ccpark.v1) on a loopback address")
    .option("--host <address>", "loopback address", "127.0.0.1")
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
    .addOption(
      new Option("--port <n>", "port; 0: any free one").argParser(parseWhole(0, 65_535)).default(50_551),
    )
    .option("--json", "print the address as JSON")
    .option("--quiet", "print nothing")
    .action(serve);
}
