// `node compile.mjs RUN_WHOLE`: keeps what V8 compiles of the script of all modules while some commands run: what they do not call
// is compiled when it is called.
import { renameSync, writeFileSync } from "node:fs";

const { COMPILED, readScript, startersOf } = await import(process.argv[2]);

const QUICK = ["--seeds", "1", "--duration", "2", "--workers", "1", "--quiet"];
const COMMANDS = [
  ["explain", "algorithms", "cubic"],
  ["bench", ...QUICK],
  ["bench", "--suite", "pantheon", "--json", ...QUICK],
];

const script = readScript();
const started = startersOf(script);
for (const command of COMMANDS) {
  process.argv.splice(2, Number.POSITIVE_INFINITY, ...command);
  await started["cli/main"]();
  if (process.exitCode) throw new Error(`${command.join(" ")}: exit code ${process.exitCode}`);
}
// a build that is ended leaves no half of it
writeFileSync(`${COMPILED}.new`, script.createCachedData());
renameSync(`${COMPILED}.new`, COMPILED);
