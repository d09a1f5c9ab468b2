/**
 * What an agent adds to a unix datagram socket: reports per second against the bare socket, and the time from a report to
 * its answer against an echo. The datapath is another process (`ccp-socket-peer.ts`); the socket library is the same.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileAlgorithms } from "../../ccp-bridge/agent.ts";
import type { CcpAlgorithm } from "../../ccp-bridge/algorithm.ts";
import { AgentHost } from "../../ccp-bridge/ipc/agent-host.ts";
import type { DatagramTransport } from "../../ccp-bridge/ipc/datagram-transport.ts";
import { openUnixDatagram } from "../../ccp-bridge/ipc/unix-datagram.ts";
import { printRow } from "./console.ts";

const ROUNDS = 3;

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
      // In turns, so that a busy machine is busy for both.
      for (let round = 0; round < ROUNDS; round++) {
        raw.push(await withRawSocket(path, task));
        agent.push(await withAgent(path, task, algorithm));
      }
      if (task === "flood") {
        const rawPerSec = median(raw.map((one) => one.reportsPerSec));
        const reportsPerSec = median(agent.map((one) => one.reportsPerSec));
        printRow({
          what: "agent over unix datagrams",
          reportsPerSec: Math.round(reportsPerSec),
          rawPerSec: Math.round(rawPerSec),
          ratio: reportsPerSec / rawPerSec,
        });
      } else {
        const p50Us = median(agent.map((one) => one.p50Us));
        const echoP50Us = median(raw.map((one) => one.p50Us));
        printRow({
          what: "report to answer over unix datagrams",
          p50Us,
          p95Us: median(agent.map((one) => one.p95Us)),
          echoP50Us,
          echoP95Us: median(raw.map((one) => one.p95Us)),
          ratio: p50Us / echoP50Us,
        });
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
