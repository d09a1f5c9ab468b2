/** `ccpark algorithm new`: a documented algorithm with its test in the user's folder, run once. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { printErr, printOut } from "../../console.ts";
import { EXIT } from "../../exit/exit-codes.ts";
import { ownPath } from "../../own-package.ts";

interface NewOptions {
  readonly dir: string;
  readonly run: boolean;
}

const NAME = /^[a-z][a-z0-9-]{0,40}$/;
/** What these mean before another name. */
const PREFIXES: readonly string[] = ["native-", "kernel-", "agent-", "zoo-"];

async function checkName(name: string): Promise<void> {
  const { CcparkError } = await import("../../../core/errors.ts");
  const { ALGORITHMS } = await import("../../../algorithms/registry.ts");
  const refuse = (expected: string): never => {
    throw new CcparkError("invalid-argument", `[algorithm] name: got \`${name}\`, expected ${expected}`);
  };
  if (!NAME.test(name)) refuse("lower case letters, digits and hyphens, at most 41, such as `mine`");
  const prefix = PREFIXES.find((each) => name.startsWith(each));
  if (prefix !== undefined) refuse(`a name that does not begin with \`${prefix}\`, which means another form`);
  if (ALGORITHMS.has(name)) refuse("a name that no algorithm of ccpark has");
}

/** The same process as this one, with other arguments. @returns its exit code */
function runNode(args: readonly string[], cwd: string): Promise<number> {
  return new Promise((settle, reject) => {
    const child = spawn(process.execPath, [...process.execArgv, ...args], {
      cwd,
      stdio: ["ignore", "inherit", "inherit"],
    });
    child.on("error", reject);
    child.on("close", (code) => settle(code ?? EXIT.failure));
  });
}

/** Whether `import "ccpark"` of a module in the folder finds a package. */
function findsPackage(folder: string): boolean {
  try {
    createRequire(join(folder, "x.js")).resolve("ccpark");
    return true;
  } catch {
    return false;
  }
}

/** For a folder in which ccpark is not installed: the name stands for the one that runs. */
function ownPackageHook(): string[] {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const index = new URL(`../../../index.${extension}`, import.meta.url).href;
  const hook = `export const resolve=(name,context,next)=>next(name==="ccpark"?${JSON.stringify(index)}:name,context)`;
  const source = `import{register}from"node:module";register(${JSON.stringify(dataUrl(hook))})`;
  return ["--import", dataUrl(source)];
}

const dataUrl = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;

async function makeNew(name: string, { dir, run }: NewOptions): Promise<void> {
  await checkName(name);
  const { CcparkError } = await import("../../../core/errors.ts");
  const { claimFolder, writeFilesWhole } = await import("../../../core/whole-files.ts");
  const { algorithmSkeleton, testSkeleton } = await import("./skeleton.ts");
  const folder = resolve(dir);
  const files = {
    [join(folder, `${name}.mjs`)]: algorithmSkeleton(name),
    [join(folder, `${name}.test.mjs`)]: testSkeleton(name),
  };
  const shown = (file: string): string => relative(process.cwd(), file) || file;
  for (const file of Object.keys(files)) {
    if (!existsSync(file)) continue;
    const message = `[algorithm] \`${shown(file)}\`: got a file that is there, expected another name or --dir`;
    throw new CcparkError("already-exists", message);
  }
  claimFolder(folder);
  writeFilesWhole(files);
  for (const file of Object.keys(files)) printErr(`written: ${shown(file)}\n`);
  const isInstalled = findsPackage(folder);
  if (run) {
    const main = fileURLToPath(
      new URL(import.meta.url.endsWith(".ts") ? "../../main.ts" : "../../main.js", import.meta.url),
    );
    const bench = [
      "bench",
      "--algorithms",
      `./${name}.mjs,cubic`,
      "--seeds",
      "1",
      "--duration",
      "10",
      "--quiet",
    ];
    printErr(`\nccpark ${bench.join(" ")}\n`);
    const code = await runNode([main, ...bench], folder);
    const hook = isInstalled ? [] : ownPackageHook();
    printErr(`\nnode --test ${name}.test.mjs\n`);
    const tested =
      code === EXIT.ok
        ? await runNode([...hook, "--test", "--test-reporter", "spec", `${name}.test.mjs`], folder)
        : code;
    if (tested !== EXIT.ok) {
      throw new CcparkError("internal", `[algorithm] the skeleton does not run here: exit code ${tested}`);
    }
  }
  const inFolder = folder === process.cwd() ? "" : ` in ${shown(folder)}`;
  const needs = isInstalled ? "" : `; its test needs \`npm install ${resolve(ownPath())}\` there`;
  printOut(
    `Next: change ${name}.mjs${inFolder}, run it by its path (./${name}.mjs) wherever an algorithm is named${needs}.\n`,
  );
}

export function addAlgorithm(program: Command): void {
  const algorithm = program.command("algorithm").description("algorithms of your own");
  algorithm
    .command("new")
    .description("write a documented algorithm and its test into your folder, and run both")
    .argument("<name>", "lower case letters, digits and hyphens: NAME.mjs and NAME.test.mjs")
    .option("--dir <folder>", "where to write it", ".")
    .option("--no-run", "only write")
    .action(makeNew);
}
