/** `ccpark ui`: a local page over run folders. */
import { type Command, Option } from "commander";
import { printOut } from "../../console.ts";
import { parseWhole } from "../../options.ts";

interface UiOptions {
  readonly port: number;
}

const DEFAULT_PORT = 7400;
const MAX_PORT = 65_535;

async function ui(folders: readonly string[], { port }: UiOptions): Promise<void> {
  const { statSync } = await import("node:fs");
  const { CcparkError } = await import("../../../core/errors.ts");
  const { serveUi } = await import("../../../eval/ui/server.ts");
  const roots = folders.length === 0 ? ["."] : folders;
  const missing = roots.find((root) => !statSync(root, { throwIfNoEntry: false })?.isDirectory());
  if (missing !== undefined) {
    throw new CcparkError("not-found", `[ui] no folder \`${missing}\`, expected one with run folders in it`);
  }
  const { url } = await serveUi(roots, port);
  printOut(`${url}\n`);
}

export function addUi(program: Command): void {
  program
    .command("ui")
    .description("a local page over run folders: league, runs, training curves, comparison, downloads")
    .argument("[folders...]", "folders in which to look for runs (default: the current one)")
    .addOption(
      new Option("--port <n>", "on 127.0.0.1; 0: any that is free")
        .argParser(parseWhole(0, MAX_PORT))
        .default(DEFAULT_PORT),
    )
    .action(ui);
}
