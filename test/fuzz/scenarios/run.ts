/**
 * Sends scenario objects to a server as a client would, a few at one time: create, reset, step, close. Each must be refused in
 * one sentence, or run its first step within 2 s, or be ended by the server without harm to anybody: another client steps and
 * asks all the while. A wait or a death that comes again with the same object alone is a finding; what a busy machine does
 * once is not.
 */

import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ServiceError, status } from "@grpc/grpc-js";
import { build } from "esbuild";
import type { CreateSessionResponse } from "../../../envs/grpc/generated/ccpark/v1/environment.ts";
import { SERVED_IDS } from "../../../envs/grpc/served-ids.ts";
import { spaceFromWire } from "../../../envs/grpc/wire.ts";
import { startBuiltCli, startCli } from "../../cli/run-cli.ts";
import { RawClient, resetPayload, stepPayload } from "../../grpc/server/raw-client.ts";
import { scenarioObject } from "./objects.ts";
import type { Waits } from "./waiter.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
/** What the server allows a request before it ends its session. */
const STEP_LIMIT_SEC = 2;
/** Nobody else waits longer. */
const MAX_WAIT_MS = 200;
/** Beyond the server's own limit, and the start of a thread on a busy machine. */
const LATE_MS = 30_000;
/** How often an object is tried alone before a wait is its own. */
const TRIES = 3;

export interface FuzzOptions {
  readonly objects: number;
  /** the first one; default 0 */
  readonly from?: number;
  readonly seed: number;
  /** only this one */
  readonly only?: number;
  /** default 3 */
  readonly atOnce?: number;
  /** the built command instead of the sources, where there is one */
  readonly built?: boolean;
  readonly onProgress?: (done: number) => void;
  /** told which are tried alone in the end */
  readonly onSuspects?: (indices: readonly number[]) => void;
}

export interface FuzzOutcome {
  readonly refused: number;
  readonly ran: number;
  /** by the server: it took too long, or broke */
  readonly ended: number;
  readonly longestWaitMs: number;
  readonly asked: number;
  readonly findings: readonly string[];
}

/** Codes of a refusal. */
const REFUSALS = new Set([
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.RESOURCE_EXHAUSTED,
  status.FAILED_PRECONDITION,
]);

type Fate = { readonly is: "refused" | "ran" | "ended" } | { readonly is: "finding"; readonly why: string };

function fateOf(error: ServiceError, when: "create" | "run"): Fate {
  const { code, details = String(error) } = error;
  if (details.includes("\n") || details.length > 2_100) {
    return { is: "finding", why: `no single sentence: ${details.slice(0, 300)}` };
  }
  if (when === "create" && REFUSALS.has(code)) return { is: "refused" };
  if (code === status.DEADLINE_EXCEEDED && /ran beyond/.test(details)) return { is: "ended" };
  if (code === status.RESOURCE_EXHAUSTED) return { is: "ended" };
  return { is: "finding", why: `${when}: ${status[code]} ${details}` };
}

async function tryObject(client: RawClient, scenario: unknown, index: number): Promise<Fate> {
  const envId = index % 5 === 0 ? SERVED_IDS.multiFlow : SERVED_IDS.singleFlow;
  let session: CreateSessionResponse;
  try {
    session = await client.create({ envId, kwargs: { scenario } as never });
  } catch (error) {
    return fateOf(error as ServiceError, "create");
  }
  const { sessionId, sessionToken } = session;
  const keys = { sessionId, sessionToken };
  const width = spaceFromWire(session.singleActionSpace, "actions").shape[0];
  const actions = new Array<number>(session.numEnvs * session.slotsPerEnv * width).fill(0);
  let fate: Fate = { is: "ran" };
  try {
    await client.unary((done) => client.stub.reset({ ...resetPayload(1).value, ...keys }, done));
    await client.unary((done) => client.stub.step({ ...stepPayload(2, actions).value, ...keys }, done));
  } catch (error) {
    fate = fateOf(error as ServiceError, "run");
  }
  await client.unary((done) => client.stub.closeSession(keys, done)).catch(() => undefined);
  return fate;
}

async function bundleWaiter(): Promise<string> {
  const outfile = join(ROOT, ".cache/fuzz/waiter.mjs");
  const entryPoints = [join(ROOT, "test/fuzz/scenarios/waiter.ts")];
  await build({ entryPoints, outfile, bundle: true, platform: "node", format: "esm", packages: "external" });
  return outfile;
}

/** A server, and a client beside it that waits. */
class Bench {
  readonly client: RawClient;
  longestWaitMs = 0;
  asked = 0;
  /** since it was last set to 0 */
  recentWaitMs = 0;
  readonly #server: ChildProcess;
  readonly #waiter: ChildProcess;
  isGone = false;

  constructor(server: ChildProcess, port: number, waiterFile: string) {
    this.#server = server;
    server.on("exit", () => {
      this.isGone = true;
    });
    this.client = new RawClient(port);
    this.#waiter = fork(waiterFile, [String(port)], { execArgv: [], stdio: "ignore" });
    this.#waiter.on("message", ({ longestMs, asked }: Waits) => {
      this.longestWaitMs = Math.max(this.longestWaitMs, longestMs);
      this.recentWaitMs = Math.max(this.recentWaitMs, longestMs);
      this.asked += asked;
    });
  }

  end(): void {
    this.client.close();
    this.#waiter.kill("SIGKILL");
    this.#server.kill("SIGKILL");
  }
}

async function startBench(built: boolean): Promise<Bench> {
  const waiterFile = await bundleWaiter();
  const args = ["serve", "--port", "0", "--json", "--exit-with-stdin", "--workers", "1"];
  args.push("--step-limit-sec", String(STEP_LIMIT_SEC), "--log-level", "silent");
  const server = built ? startBuiltCli(args) : startCli(args);
  const line = await new Promise<string>((resolve) => {
    server.stdout!.once("data", (data) => resolve(String(data)));
  });
  server.stderr!.resume();
  return new Bench(server, (JSON.parse(line) as { port: number }).port, waiterFile);
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function fuzzScenarios(options: FuzzOptions): Promise<FuzzOutcome> {
  const { objects, from = 0, seed, only, atOnce = 3, built = true, onProgress, onSuspects } = options;
  const counts = { refused: 0, ran: 0, ended: 0 };
  const findings: string[] = [];
  const suspects = new Set<number>();
  let bench = await startBench(built);
  const under = new Set<number>();
  let next = only ?? from;
  const end = only === undefined ? from + objects : only + 1;
  let done = 0;
  let [longestWaitMs, asked] = [0, 0];

  const attempt = async (index: number): Promise<Fate> => {
    const scenario = scenarioObject(seed, index);
    const late = sleep(LATE_MS).then((): Fate => ({ is: "finding", why: `no answer within ${LATE_MS} ms` }));
    return await Promise.race([tryObject(bench.client, scenario, index), late]);
  };
  const watch = setInterval(() => {
    if (bench.recentWaitMs <= MAX_WAIT_MS && !bench.isGone) return;
    bench.recentWaitMs = 0;
    for (const index of under) suspects.add(index);
  }, 50);
  const client = async (): Promise<void> => {
    while (next < end && !bench.isGone) {
      const index = next++;
      under.add(index);
      const fate = await attempt(index);
      // what the waiter saw of this one arrives a moment later
      setTimeout(() => under.delete(index), 300);
      if (fate.is === "finding") suspects.add(index);
      else counts[fate.is] += 1;
      onProgress?.(++done);
    }
  };
  try {
    while (next < end) {
      if (bench.isGone) {
        bench.end();
        bench = await startBench(built);
      }
      await Promise.all(Array.from({ length: atOnce }, client));
    }
    await sleep(400);
    longestWaitMs = bench.longestWaitMs;
    asked = bench.asked;
    clearInterval(watch);
    onSuspects?.([...suspects]);
    for (const index of suspects) {
      const why = await tryAlone(index);
      if (why !== undefined)
        findings.push(
          `object ${index}: ${why}: ${JSON.stringify(scenarioObject(seed, index)).slice(0, 1_500)}`,
        );
    }
  } finally {
    clearInterval(watch);
    bench.end();
  }
  return { ...counts, longestWaitMs, asked, findings };

  /** @returns what it does every time */
  async function tryAlone(index: number): Promise<string | undefined> {
    let why: string | undefined;
    for (let i = 0; i < TRIES; i++) {
      if (bench.isGone) bench = await startBench(built);
      await sleep(300);
      bench.recentWaitMs = 0;
      const fate = await attempt(index);
      await sleep(300);
      if (bench.isGone) why = "the server died";
      else if (fate.is === "finding") why = fate.why;
      else if (bench.recentWaitMs > MAX_WAIT_MS) why = `others waited ${bench.recentWaitMs.toFixed(0)} ms`;
      else return undefined;
    }
    return why;
  }
}
