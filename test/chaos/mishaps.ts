/**
 * What else goes wrong between a datapath and an agent, once each: the flow goes on, the agent lives, and there is one
 * clear message. Each mishap returns what was said; a deviation throws.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { AgentEvent } from "../../ccp-bridge/ipc/agent-link.ts";
import { openUnixDatagram } from "../../ccp-bridge/ipc/unix-datagram.ts";
import { assert } from "../../core/errors.ts";
import { type ExternalRunResult, runExternalAgent } from "../../envs/foreign-agent/external-agent.ts";
import type { Pace } from "../../envs/foreign-agent/pace.ts";
import { resolveScenario } from "../../scenarios/scenario-files.ts";
import { type AgentCommand, ourAgent, rustAgent, startAgent } from "../envs/foreign-agent/agent-child.ts";

export interface Mishap {
  readonly name: string;
  /** @returns the one message */
  run(folder: string): Promise<string>;
}

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
const TSX = import.meta.resolve("tsx");
const NOBODY = 65_534;
const WAIT_MS = 15_000;

function simulate(
  agent: string,
  durationSec: number,
  pace: Pace = "lock-step",
  onEvent?: (event: AgentEvent) => void,
): Promise<ExternalRunResult> {
  const scenario = resolveScenario("park-paper", { durationSec });
  return runExternalAgent({ scenario, seed: 1, rewardName: "score", agent, pace, onEvent });
}

async function served(agent: string): Promise<void> {
  const { counters, metrics } = await simulate(agent, 2);
  const text = JSON.stringify(counters);
  assert(counters.reports > 10 && counters.fallbackEvents === 0, `the agent does not serve: ${text}`);
  assert(metrics.goodputMbps > 10, `the agent's flow has a goodput of ${metrics.goodputMbps} Mbit/s`);
}

async function until(what: string, done: () => boolean): Promise<void> {
  const giveUpMs = performance.now() + WAIT_MS;
  while (!done()) {
    assert(performance.now() < giveUpMs, `waited ${WAIT_MS} ms for ${what}`);
    await sleep(20);
  }
}

/** What the one event of a kind said. */
function onlyMessage(events: readonly AgentEvent[], kind: AgentEvent["kind"]): string {
  const of = events.filter((event) => event.kind === kind);
  assert(of.length === 1, `expected one event ${kind}, got ${events.map((event) => event.kind).join(", ")}`);
  return of[0]!.message;
}

/** The only line of an error. */
function onlyLine(text: string): string {
  const lines = text.trim().split("\n");
  assert(lines.length === 1 && lines[0] !== "", `expected one line, got ${JSON.stringify(text)}`);
  return lines[0]!;
}

/** The message of what must fail. */
async function refusal(what: () => Promise<unknown>): Promise<string> {
  let message: string | undefined;
  try {
    await what();
  } catch (error) {
    message = (error as Error).message;
  }
  assert(message !== undefined, "expected an error");
  return onlyLine(message);
}

/** Exit code and stderr of a process that ends by itself, or is ended in the end. */
async function endOf(child: ChildProcess): Promise<{ code: number | null; stderr: string }> {
  let stderr = "";
  child.stderr?.on("data", (chunk) => (stderr += chunk));
  const timer = setTimeout(() => child.kill("SIGKILL"), WAIT_MS);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  return { code, stderr };
}

/** As a user who may not write everywhere: root may. */
async function asNobody<T>(action: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return await action();
  process.seteuid!(NOBODY);
  try {
    return await action();
  } finally {
    process.seteuid!(0);
  }
}

function readOnlyFolder(): { folder: string; remove: () => void } {
  const parent = mkdtempSync(join(tmpdir(), "ccpark-read-only-"));
  chmodSync(parent, 0o755);
  const folder = join(parent, "sockets");
  mkdirSync(folder);
  chmodSync(folder, 0o555);
  return { folder, remove: () => rmSync(parent, { recursive: true, force: true }) };
}

const datapathKilled: Mishap = {
  name: "a datapath killed mid-report",
  async run(folder) {
    const path = join(folder, "killed-datapath");
    const agent = await startAgent(ourAgent(path));
    const args = ["--import", TSX, MAIN, "sim", "--agent", path, "--mode", "real-time", "--duration", "60"];
    for (let i = 0; i < 3; i++) {
      const env = { ...process.env, TMPDIR: folder };
      const datapath = spawn(process.execPath, args, { stdio: "ignore", env });
      const exited = new Promise((resolve) => datapath.once("exit", resolve));
      try {
        await until("the flow of the datapath", () => agent.output.split(" opened: ").length > i + 1);
        await sleep(300 + 37 * i);
        assert(datapath.exitCode === null, "the datapath ended by itself");
      } finally {
        datapath.kill("SIGKILL");
        await exited;
      }
    }
    await served(path);
    // Noticed at the next answer, or when silent datapaths are looked after.
    const lost = (): string[] =>
      agent.output.split("\n").filter((line) => line.includes("1 flows forgotten"));
    await until("one message per datapath", () => lost().length >= 3);
    await agent.kill();
    assert(lost().length === 3, `expected one message per datapath, got ${JSON.stringify(lost())}`);
    return lost()[0]!;
  },
};

const fullQueue: Mishap = {
  name: "an agent that hangs: its queue is full",
  async run(folder) {
    const path = join(folder, "hung");
    const agent = await startAgent(ourAgent(path));
    const events: AgentEvent[] = [];
    const running = simulate(path, 6, "real-time", (event) => events.push(event));
    await sleep(1500);
    agent.process.kill("SIGSTOP");
    try {
      await until("the fallback", () => events.some((event) => event.kind === "fallback"));
    } finally {
      agent.process.kill("SIGCONT");
    }
    const result = await running;
    await agent.kill();
    onlyMessage(events, "fallback");
    onlyMessage(events, "adopted");
    assert(result.metrics.utilisation > 0.7, `utilisation ${result.metrics.utilisation}`);
    return onlyMessage(events, "queue-full");
  },
};

const agentInReadOnlyFolder: Mishap = {
  name: "an agent's socket in a read-only folder",
  async run() {
    const { folder, remove } = readOnlyFolder();
    try {
      return await refusal(() =>
        asNobody(() => openUnixDatagram({ path: join(folder, "agent"), onMessage() {} })),
      );
    } finally {
      remove();
    }
  },
};

const datapathInReadOnlyFolder: Mishap = {
  name: "a datapath's socket in a read-only folder",
  async run() {
    const { folder, remove } = readOnlyFolder();
    try {
      const { code, stderr } = await endOf(
        spawn(process.execPath, ["--import", TSX, MAIN, "sim", "--agent", "/nowhere/agent", "--quiet"], {
          stdio: ["ignore", "ignore", "pipe"],
          // tsx would like to keep its cache there as well
          env: { ...process.env, TMPDIR: folder, TSX_DISABLE_CACHE: "1" },
          ...(process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}),
        }),
      );
      assert(code === 2, `expected exit code 2, got ${code}: ${stderr}`);
      return onlyLine(stderr);
    } finally {
      remove();
    }
  },
};

const secondAgent: Mishap = {
  name: "a second agent on one path: it is refused, the first one serves",
  async run(folder) {
    const path = join(folder, "two");
    const agent = await startAgent(ourAgent(path));
    const { command, args } = ourAgent(path);
    const second = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
    const { code, stderr } = await endOf(second);
    assert(code !== 0, "the second agent ended with exit code 0");
    await served(path);
    await agent.kill();
    return onlyLine(stderr);
  },
};

function takenOver(rust: (path: string) => AgentCommand): Mishap {
  return {
    name: "a second agent that takes the path over, as Portus does: it gets the flows",
    async run(folder) {
      const path = join(folder, "taken");
      const first = await startAgent(ourAgent(path));
      const events: AgentEvent[] = [];
      const running = simulate(path, 4, "real-time", (event) => events.push(event));
      await sleep(2000);
      const second = await startAgent(rust(path));
      const result = await running;
      await first.kill();
      await second.kill();
      onlyMessage(events, "agent-back");
      assert(result.counters.fallbackEvents === 0, "the flow fell back");
      return onlyMessage(events, "agent-replaced");
    },
  };
}

export function mishaps(): Mishap[] {
  const list = [datapathKilled, fullQueue, agentInReadOnlyFolder, datapathInReadOnlyFolder, secondAgent];
  const probe = rustAgent("/nowhere");
  if (probe !== undefined && existsSync(probe.command)) list.push(takenOver((path) => rustAgent(path)!));
  return list;
}
