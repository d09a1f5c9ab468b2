/** A server process under clients that connect, step and die at random, some with their whole process. */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Rng } from "../../core/random.ts";
import { outcomeOf, startBuiltCli } from "../cli/run-cli.ts";
import type { SoakNews } from "./grpc-clients.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PROCESSES = 5;
/** Between two deaths of a client process. */
const KILL_EVERY_MS = 4_000;
const SAMPLE_EVERY_MS = 1_000;
/** Codes that the clients ask for; any other is a problem. */
const ASKED = new Set([
  "INVALID_ARGUMENT",
  "PERMISSION_DENIED",
  "ABORTED",
  "CANCELLED",
  // of the hostile ones
  "NOT_FOUND",
  "RESOURCE_EXHAUSTED",
  "DEADLINE_EXCEEDED",
]);
/** Of the resident memory, between the second and the last quarter of the run. */
const MAX_GROWTH = { factor: 1.1, mb: 25 };
/** Before that the heap still finds its size: only the limit below holds. */
const FLAT_FROM_MINUTES = 5;
/**
 * Measured of the built server over ten minutes: 850 MB in the median and flat, 1,308 at most. It is threads that take it: 640 MB
 * with 18 of them, and 70 for each of up to eight more that sessions of hostile clients have of their own, until their lease
 * ends. This leaves room for five more.
 */
const MAX_RSS_MB = 1_650;
/** Longer than the lease of the last session. */
const LEFT_SEC = 40;

export interface SoakOptions {
  readonly minutes: number;
  /** default 50 */
  readonly clients?: number;
  readonly seed: number;
  readonly onMinute?: (text: string) => void;
}

export interface SoakOutcome {
  readonly problems: readonly string[];
  readonly steps: number;
  readonly lives: number;
  /** by hostile clients, each repelled or borne */
  readonly attacks: number;
  readonly kills: number;
  readonly peakSessions: number;
  /** of any client for an answer that takes no computing, its own process's delays included, ms */
  readonly longestWaitMs: number;
  /** medians of the second and the last quarter, MB */
  readonly rssMb: readonly [number, number];
  readonly peakMb: number;
}

/** The clients as one file, so that a new process is there at once. */
async function bundleClients(): Promise<string> {
  const outfile = join(ROOT, ".cache/soak/grpc-clients.mjs");
  const entryPoints = [join(ROOT, "test/soak/grpc-clients.ts")];
  await build({ entryPoints, outfile, bundle: true, platform: "node", format: "esm", packages: "external" });
  return outfile;
}

/** Samples of Prometheus text, by name with labels. */
async function readMetrics(port: number): Promise<Map<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

export async function soak({ minutes, clients = 50, seed, onMinute }: SoakOptions): Promise<SoakOutcome> {
  const rng = Rng.fromSeed(seed);
  const clientsFile = await bundleClients();
  const flags = [
    "--port",
    "0",
    "--metrics-port",
    "0",
    "--json",
    "--max-sessions",
    "1000",
    "--step-limit-sec",
    "5",
    "--log-level",
    "error",
  ];
  const server = startBuiltCli(["serve", ...flags, "--exit-with-stdin"]);
  const outcome = outcomeOf(server);
  const line = await new Promise<string>((resolve) =>
    server.stdout!.once("data", (data) => resolve(String(data))),
  );
  const { port, metricsPort } = JSON.parse(line) as { port: number; metricsPort: number };

  const problems: string[] = [];
  let gone = false;
  const noteEnd = (): void => {
    gone = true;
  };
  outcome.then(noteEnd, noteEnd);
  const totals = { steps: 0, lives: 0, attacks: 0, kills: 0, peakSessions: 0, longestWaitMs: 0 };
  const processes: ChildProcess[] = [];
  /** have something to lose */
  const stepping = new Set<ChildProcess>();
  let born = 0;
  const bear = (): ChildProcess => {
    const args = [port, clients / PROCESSES, seed + ++born].map(String);
    const child = fork(clientsFile, args, { execArgv: [] });
    child.on("message", ({ steps, lives, attacks, longestWaitMs, unasked }: SoakNews) => {
      if (steps > 0) stepping.add(child);
      totals.steps += steps;
      totals.lives += lives;
      totals.attacks += attacks;
      totals.longestWaitMs = Math.max(totals.longestWaitMs, longestWaitMs);
      problems.push(...unasked);
    });
    return child;
  };
  for (let i = 0; i < PROCESSES; i++) processes.push(bear());

  const metricsNow = async (): Promise<Map<string, number>> => {
    try {
      return await readMetrics(metricsPort);
    } catch (error) {
      for (const child of processes) child.kill("SIGKILL");
      if (!gone) server.kill("SIGKILL");
      const { code, stderr } = await outcome;
      throw new Error(`the server is gone (exit code ${code}): ${stderr.slice(-2_000)}`, { cause: error });
    }
  };
  const rss: number[] = [];
  let peakMb = 0;
  const untilMs = performance.now() + minutes * 60_000;
  let killAtMs = performance.now() + 2 * KILL_EVERY_MS;
  for (let minute = 1; performance.now() < untilMs; ) {
    await sleep(SAMPLE_EVERY_MS);
    const metrics = await metricsNow();
    rss.push(metrics.get("process_resident_memory_bytes")! / 2 ** 20);
    peakMb = Math.max(peakMb, rss.at(-1)!);
    totals.peakSessions = Math.max(totals.peakSessions, metrics.get("ccpark_sessions")!);
    const at = rng.integer(PROCESSES);
    if (performance.now() > killAtMs && stepping.delete(processes[at]!)) {
      killAtMs = performance.now() + KILL_EVERY_MS;
      processes[at]!.kill("SIGKILL");
      processes[at] = bear();
      totals.kills += 1;
    }
    if (performance.now() > untilMs - (minutes - minute) * 60_000) {
      onMinute?.(
        `minute ${minute++}: ${totals.lives} lives, ${totals.attacks} attacks, ${totals.steps} steps, ${metrics.get("ccpark_sessions")} sessions, ${rss.at(-1)!.toFixed(0)} MB, ${peakMb.toFixed(0)} MB at most`,
      );
    }
  }
  for (const child of processes) child.kill("SIGKILL");

  let left = await metricsNow();
  for (let i = 0; i < LEFT_SEC && left.get("ccpark_sessions") !== 0; i++) {
    await sleep(1_000);
    left = await metricsNow();
  }
  for (const name of ["sessions", "environments", "streams", "requests_waiting"]) {
    const value = left.get(`ccpark_${name}`);
    if (value !== 0) problems.push(`${value} ${name} are left`);
  }
  for (const [name, count] of left) {
    const code = /^ccpark_errors_total\{code="(\w+)"\}$/.exec(name)?.[1];
    if (code !== undefined && !ASKED.has(code)) problems.push(`the server answered ${count} times ${code}`);
  }
  const quarter = Math.floor(rss.length / 4);
  const rssMb = [median(rss.slice(quarter, 2 * quarter)), median(rss.slice(-quarter))] as const;
  if (peakMb > MAX_RSS_MB) problems.push(`the server took ${peakMb.toFixed(0)} MB`);
  if (minutes >= FLAT_FROM_MINUTES && rssMb[1] > rssMb[0] * MAX_GROWTH.factor + MAX_GROWTH.mb) {
    problems.push(`memory grew from ${rssMb[0].toFixed(0)} to ${rssMb[1].toFixed(0)} MB`);
  }
  server.stdin!.end();
  const { code, stderr } = await outcome;
  if (code !== 0) problems.push(`the server ended with ${code}`);
  const logged = stderr.split("\n").filter((text) => text !== "" && !text.startsWith("end of stdin:"));
  problems.push(...logged.slice(0, 10).map((text) => `the server said ${text.slice(0, 300)}`));
  return { problems, ...totals, rssMb, peakMb };
}
