/**
 * `npm run fuzz:ccp [-- --programs N --seed S --case NAME]`: mutated programs, messages and dialogues against compiler,
 * datapath and agent, and random programs run by interpreter and WebAssembly. Exits with 1 on a finding, with the command
 * that replays it.
 *
 * The cases run in a child process with bounded memory; this one watches that it goes on.
 */
import { spawn } from "node:child_process";
import { writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { scriptOptions } from "../../envs/grpc/bench/options.ts";
import { type FuzzPlan, runFuzz } from "./run.ts";
import type { Tally } from "./tally.ts";

const HANG_SEC = 60;
const MAX_HEAP_MIB = 512;
const MAX_RSS_MIB = 1500;
/** Pipe to the watching process. */
const HEARTBEAT_FD = 3;
const HEARTBEAT_MS = 500;
const PROGRESS_MS = 15_000;

const { values } = scriptOptions("fuzz:ccp", {
  programs: { type: "number", what: "and as many messages", default: "1000000" },
  seed: { type: "number", what: "of all cases", default: "1" },
  case: { type: "string", what: "this one alone" },
  watched: { type: "boolean", what: "" },
});
const { programs, seed } = values;

const plan: FuzzPlan = {
  seed,
  programs,
  messages: programs,
  dialogues: Math.ceil(programs / 10),
  agreements: Math.ceil(programs / 10),
  ...(values.case === undefined ? {} : { only: values.case }),
};

const rssMib = () => Math.round(process.memoryUsage.rss() / 2 ** 20);
const count = (value: number) => value.toLocaleString("en-US");

function printTable(title: string, rows: readonly [string, number][]): void {
  console.log(`\n${title}`);
  for (const [what, number] of rows) console.log(`  ${count(number).padStart(12)}  ${what}`);
}

function printSummary(tally: Tally, seconds: number, peakMib: number): void {
  printTable("programs", tally.rows("programs: "));
  printTable("why programs were refused", tally.rows("refused: "));
  printTable("ACKs run, by outcome", tally.rows("run: "));
  printTable("messages to datapaths, by answer", tally.rows("receive: "));
  printTable("messages to agents", [["messages", tally.get("messages")], ...tally.rows("agent: ")]);
  printTable("dialogues", [["dialogues", tally.get("dialogues")], ...tally.rows("dialogues: ")]);
  printTable("interpreter against WebAssembly", tally.rows("agreement: "));
  const compiled = tally.get("programs: compiled and run");
  const share = (100 * compiled) / Math.max(1, compiled + tally.get("programs: refused"));
  console.log(`\n${share.toFixed(1)} % of the programs compiled and ran 100 ACKs each`);
  console.log(`${seconds.toFixed(0)} s, at most ${peakMib} MiB of memory, seed ${plan.seed}`);
}

async function runCases(): Promise<void> {
  const began = performance.now();
  let heartbeat = began;
  let progress = began;
  let peakMib = 0;
  const { tally, findings } = await runFuzz(plan, (name, done, total) => {
    const now = performance.now();
    if (now - heartbeat < HEARTBEAT_MS && done > 0) return;
    heartbeat = now;
    if (values.watched) writeSync(HEARTBEAT_FD, `${name}\n`);
    const mib = rssMib();
    peakMib = Math.max(peakMib, mib);
    if (mib > MAX_RSS_MIB) {
      console.error(`FINDING: ${mib} MiB of memory at case ${name}, seed ${plan.seed}`);
      process.exit(1);
    }
    if (now - progress < PROGRESS_MS) return;
    progress = now;
    const percent = ((100 * done) / total).toFixed(0);
    console.log(`${((now - began) / 1000).toFixed(0)} s: ${percent} %, at ${name}, ${mib} MiB`);
  });
  printSummary(tally, (performance.now() - began) / 1000, peakMib);
  for (const { name, error } of findings) {
    console.error(`\nFINDING in ${name}: ${error.message}\n${error.stack}`);
    console.error(`replay: npm run fuzz:ccp -- --seed ${plan.seed} --case ${name}`);
  }
  console.log(findings.length === 0 ? "no findings" : `${findings.length} findings`);
  if (findings.length > 0) process.exitCode = 1;
}

/** Runs the cases in a child and ends it if it makes no progress. */
function watch(): void {
  const script = fileURLToPath(import.meta.url);
  const flags = [`--max-old-space-size=${MAX_HEAP_MIB}`, ...process.execArgv];
  const child = spawn(process.execPath, [...flags, script, ...process.argv.slice(2), "--watched"], {
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  let last = "the start";
  let timer: NodeJS.Timeout;
  const rearm = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      console.error(`FINDING: no progress for ${HANG_SEC} s in or after case ${last}, seed ${plan.seed}`);
      child.kill("SIGKILL");
    }, HANG_SEC * 1000);
  };
  rearm();
  child.stdio[HEARTBEAT_FD]?.on("data", (chunk: Buffer) => {
    last = chunk.toString().trim().split("\n").at(-1) ?? last;
    rearm();
  });
  child.on("exit", (code, signal) => {
    clearTimeout(timer);
    if (signal !== null) console.error(`the fuzzer ended by ${signal} in or after case ${last}`);
    process.exitCode = code ?? 1;
  });
}

if (values.watched) await runCases();
else watch();
