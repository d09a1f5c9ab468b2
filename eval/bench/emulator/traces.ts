/** A source that never pauses through recorded traces: each opportunity has its packet, on the whole and in each second. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { NANOS_PER_MILLI, NANOS_PER_SEC, PACKET_BYTES } from "../../../core/units.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { resolveScenario } from "../../../scenarios/scenario-files.ts";
import { OPPORTUNITY_BYTES } from "../../../sim/servers/opportunities.ts";
import {
  Datagrams,
  FIXED,
  type PartOptions,
  quantile,
  type Row,
  UDP_HEADER_BYTES,
  withLink,
} from "./links.ts";

/** Shipped ones; a file of the user's by `CCPARK_BENCH_TRACE`. */
const SHIPPED = ["lte-driving", "lte-slow-walk", "umts-driving"] as const;
/** 9 packets each 2 ms are 54 Mbit/s, more than these traces have for long. */
const BURST = { packets: 9, everyMs: 2 };

export function traceNames(): readonly string[] {
  const own = process.env["CCPARK_BENCH_TRACE"];
  return own === undefined ? SHIPPED : [...SHIPPED, own];
}

export function traceScenario(tracePath: string): Scenario {
  return { ...resolveScenario("ccp-cell", { tracePath, overrides: [], seed: 1 }), fixed: FIXED };
}

export async function* traces({ libc, sec }: PartOptions): AsyncGenerator<Row> {
  for (const trace of traceNames()) {
    const scenario = traceScenario(trace);
    const folder = mkdtempSync(join(tmpdir(), "ccpark-bench-"));
    const packetLog = join(folder, "packets.csv");
    try {
      const { startNs, possible } = await withLink(scenario, { packetLog }, async (link) => {
        const sockets = new Datagrams(libc, link);
        const payload = new Uint8Array(PACKET_BYTES - UDP_HEADER_BYTES);
        const into = new Uint8Array(PACKET_BYTES);
        while (link.nowNs - link.startNs < sec * NANOS_PER_SEC) {
          for (let i = 0; i < BURST.packets; i++) libc.send(sockets.from, payload);
          while (libc.recv(sockets.to, into) > 0); // nothing waits in the receiver
          await sleep(BURST.everyMs);
        }
        const upTo = (atSec: number): number =>
          link.truth.forward.capacityBytes(link.startNs, link.startNs + atSec * NANOS_PER_SEC) /
          OPPORTUNITY_BYTES;
        const bins = Array.from({ length: Math.floor(sec) }, (_, i) => upTo(i + 1) - upTo(i));
        await sleep(scenario.propagationDelayMs + 100);
        sockets.close();
        return { startNs: link.startNs, possible: bins };
      });
      const propagationNs = scenario.propagationDelayMs * NANOS_PER_MILLI;
      const served = possible.map(() => 0);
      for (const line of readFileSync(packetLog, "utf8").trim().split("\n").slice(1)) {
        const [, way, , , , , fate, leftNs] = line.split(",");
        if (way !== "0" || fate !== "delivered") continue;
        const bin = Math.ceil((Number(leftNs) - propagationNs - startNs) / NANOS_PER_SEC) - 1;
        if (bin < served.length) served[Math.max(0, bin)]! += 1;
      }
      const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);
      const offBy = possible.flatMap((each, i) => (each === 0 ? [] : [Math.abs(served[i]! / each - 1)]));
      yield {
        trace,
        opportunities: sum(possible),
        served: sum(served),
        share: sum(served) / sum(possible),
        p95BinOffShare: quantile(offBy, 0.95),
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
