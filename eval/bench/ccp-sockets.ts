/**
 * What an agent adds to a unix datagram socket: reports per second against the bare socket, and the time from a report to
 * its answer against an echo. The datapath is another process (`ccp-socket-peer.ts`); the socket library is the same.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import { compileAlgorithms } from "../../ccp-bridge/agent/program-set.ts";
import { AgentHost } from "../../ccp-bridge/ipc/agent-host.ts";
import type { DatagramTransport } from "../../ccp-bridge/ipc/datagram-transport.ts";
import { openUnixDatagram } from "../../ccp-bridge/ipc/unix-datagram.ts";
import { printRow } from "./console.ts";

const ROUNDS = 5;

interface PeerResult {
  readonly reportsPerSec?: number;
  readonly p50Us?: number;
  readonly p95Us?: number;
}

/** Answers every report. */
function answerAll(algorithm: CcpAlgorithm): CcpAlgorithm {
  return {
    ...algorithm,
    newFlow(control) {
      control.setProgram("w02");
      return { onReport: (report) => control.updateFields({ Cwnd: report.get("acked") }) };
    },
  };
}

function runPeer(task: "flood" | "ping", agentPath: string): Promise<PeerResult> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const script = fileURLToPath(new URL(`./ccp-socket-peer.${extension}`, import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, script, task, agentPath], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(text) as PeerResult);
      else reject(new Error(`the other process ended with ${code}`));
    });
  });
}

/** A socket that reads, and sends back if asked to. */
async function withRawSocket(path: string, task: "flood" | "ping"): Promise<PeerResult> {
  const transport: DatagramTransport = await openUnixDatagram({
    path,
    onMessage: (bytes, from) => {
      if (task === "ping" && from !== undefined) transport.send(bytes, from);
    },
  });
  const result = await runPeer(task, path);
  transport.close();
  return result;
}

async function withAgent(path: string, task: "flood" | "ping", algorithm: CcpAlgorithm): Promise<PeerResult> {
  const host = new AgentHost({
    set: compileAlgorithms([task === "ping" ? answerAll(algorithm) : algorithm]),
    onEvent: (event) => {
      if (event.kind === "failed") throw event.error;
    },
  });
  await host.listen((onMessage) => openUnixDatagram({ path, onMessage }));
  const result = await runPeer(task, path);
  host.close();
  return result;
}

function median(values: readonly (number | undefined)[]): number {
  const sorted = values.map((value) => value ?? Number.NaN).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

/** @param algorithm has a program `w02` and answers now and then */
export async function benchSockets(algorithm: CcpAlgorithm): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "ccpark-bench-"));
  const path = join(folder, "agent");
  try {
    for (const task of ["flood", "ping"] as const) {
      const raw: PeerResult[] = [];
      const agent: PeerResult[] = [];
      // In turns, and compared turn by turn, so that a busy machine is busy for both.
      for (let round = 0; round < ROUNDS; round++) {
        raw.push(await withRawSocket(path, task));
        agent.push(await withAgent(path, task, algorithm));
      }
      const of = (results: readonly PeerResult[], key: keyof PeerResult) =>
        median(results.map((one) => one[key]));
      const ratio = (key: keyof PeerResult) =>
        median(agent.map((one, round) => (one[key] ?? Number.NaN) / (raw[round]?.[key] ?? Number.NaN)));
      if (task === "flood") {
        printRow({
          what: "agent over unix datagrams",
          reportsPerSec: Math.round(of(agent, "reportsPerSec")),
          rawPerSec: Math.round(of(raw, "reportsPerSec")),
          ratio: ratio("reportsPerSec"),
        });
      } else {
        printRow({
          what: "report to answer over unix datagrams",
          p50Us: of(agent, "p50Us"),
          p95Us: of(agent, "p95Us"),
          echoP50Us: of(raw, "p50Us"),
          echoP95Us: of(raw, "p95Us"),
          ratio: ratio("p50Us"),
        });
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
