/**
 * Tables of what algorithms do, kept in `test/golden/`: any change of behaviour shows as a readable diff. A change that is
 * meant is written with `npx vitest run test/snapshots -u`, and its commit says why; in CI a difference fails.
 */
import { describe, expect, it } from "vitest";
import { cubic } from "../../algorithms/native/cubic.ts";
import { dctcp } from "../../algorithms/native/dctcp.ts";
import { reno } from "../../algorithms/native/reno.ts";
import { ccpAlgorithm } from "../../algorithms/reference.ts";
import { ALGORITHMS } from "../../algorithms/registry.ts";
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import type { DisciplineSpec } from "../../scenarios/disciplines/registry.ts";
import { makeLink } from "../../scenarios/links.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import type { SenderOptions } from "../../scenarios/sender-options.ts";

const SEED = 1;
const MBPS = 12;
const RTT_MS = 40;
const DURATION_SEC = 10;

type Algorithm = CcpAlgorithm | CongestionControlFactory;

const NATIVE = { "native-reno": reno, "native-cubic": cubic } as const;

function link(bufferBdp: number, lossRate = 0): Scenario {
  return makeLink({ mbps: MBPS, rttMs: RTT_MS, bufferBdp, lossRate, durationSec: DURATION_SEC });
}

/** goodput in Mbit/s, mean / p95 queueing delay in ms, packets dropped */
function cell(scenario: Scenario, algorithm: Algorithm): string {
  const { metrics } = runAlgorithm({ scenario, seed: SEED, rewardName: "score", algorithm });
  const { goodputMbps, meanQueueDelayMs, p95QueueDelayMs, droppedPackets } = metrics;
  return `${goodputMbps.toFixed(3)}, ${meanQueueDelayMs.toFixed(2)} / ${p95QueueDelayMs.toFixed(2)}, ${droppedPackets}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return `${all
    .map((row) =>
      row
        .map((each, i) => each.padEnd(widths[i]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n")}\n`;
}

describe(`${MBPS} Mbit/s, ${RTT_MS} ms, ${DURATION_SEC} s, seed ${SEED}: goodput, mean / p95 queueing delay, drops`, () => {
  it("algorithm x buffer x loss", async () => {
    const algorithms: [string, () => Algorithm][] = [
      ...[...ALGORITHMS.keys()].map((name): [string, () => Algorithm] => [name, () => ccpAlgorithm(name)]),
      ...Object.entries(NATIVE).map(([name, make]): [string, () => Algorithm] => [name, () => make]),
    ];
    const links = [0.25, 1, 4].flatMap((buffer) => [0, 0.001, 0.01].map((loss) => [buffer, loss] as const));
    const head = ["algorithm", ...links.map(([buffer, loss]) => `${buffer} BDP, loss ${loss}`)];
    const rows = algorithms.map(([name, make]) => [
      name,
      ...links.map(([buffer, loss]) => cell(link(buffer, loss), make())),
    ]);
    await expect(table(head, rows)).toMatchFileSnapshot("../golden/algorithm-buffer-loss.txt");
  }, 120_000);

  it("queue discipline x native control, without and with ECN", async () => {
    const disciplines: readonly DisciplineSpec[] = [
      { kind: "drop-tail" },
      { kind: "drop-head" },
      { kind: "red", minPackets: 10, maxPackets: 30, ecn: true },
      { kind: "codel", ecn: true },
      { kind: "pie", ecn: true },
      { kind: "fq-codel", ecn: true },
      { kind: "sfq" },
      { kind: "drr" },
      { kind: "strict-priority" },
      { kind: "step-mark", thresholdPackets: 10 },
      { kind: "dualpi2" },
    ];
    const contenders: [string, CongestionControlFactory, SenderOptions["ecn"]][] = [
      ["reno", reno, "off"],
      ["cubic", cubic, "off"],
      ["reno, ecn", reno, "classic"],
      ["cubic, ecn", cubic, "classic"],
      ["dctcp", dctcp, "accurate"],
    ];
    const rows = disciplines.map((discipline) => [
      discipline.kind,
      ...contenders.map(([, control, ecn]) => {
        const base = link(4);
        const forward = { ...base.forward, queue: { ...base.forward.queue, discipline } };
        return cell({ ...base, forward, sender: { ecn } }, control);
      }),
    ]);
    const head = ["discipline", ...contenders.map(([name]) => name)];
    await expect(table(head, rows)).toMatchFileSnapshot("../golden/discipline-control.txt");
  }, 120_000);

  it("loss detection and recovery x loss, native Cubic", async () => {
    const senders: [string, SenderOptions][] = [
      ["packet threshold", {}],
      ["packet threshold, PRR (RFC 6937)", { prr: "rfc6937" }],
      ["RACK-TLP", { lossDetection: "rack-tlp" }],
      ["RACK-TLP, PRR (RFC 9937), undo", { lossDetection: "rack-tlp", prr: "rfc9937", undo: true }],
    ];
    const paths: [string, Partial<Scenario["forward"]>][] = [
      ["no loss", {}],
      ["loss 1 %", { lossRate: 0.01 }],
      ["bursts", { gilbertElliott: { goodToBad: 0.002, badToGood: 0.3 } }],
      ["jitter that reorders", { jitter: { kind: "uniform", maxMs: 6, reorder: true } }],
    ];
    const rows = senders.map(([name, sender]) => [
      name,
      ...paths.map(([, path]) => {
        const base = link(1);
        return cell({ ...base, sender, forward: { ...base.forward, ...path } }, cubic);
      }),
    ]);
    const head = ["sender", ...paths.map(([name]) => name)];
    await expect(table(head, rows)).toMatchFileSnapshot("../golden/sender-path.txt");
  }, 120_000);
});
