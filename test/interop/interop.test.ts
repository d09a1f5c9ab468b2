/** Both directions against the published software: Rust agents over our datapath, our agent over libccp. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ccpAlgorithm } from "../../algorithms/reference.ts";
import { ALGORITHMS } from "../../algorithms/registry.ts";
import { runExternalAgent } from "../../envs/foreign-agent/external-agent.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import { makeLink } from "../../scenarios/links.ts";
import { getScenario } from "../../scenarios/presets.ts";
import { WINDOW_FORM } from "../../training/distill/features.ts";
import { treeProgram } from "../../training/distill/program.ts";
import { treeModule } from "../../training/distill/spec.ts";
import { runCli, startCli } from "../cli/run-cli.ts";
import { SAMPLE_TREE } from "../training/distill/sample-tree.ts";
import { BUILD_TIMEOUT_MS, buildCounterparts, Counterparts, type DatapathOutcome } from "./counterparts.ts";

const SEED = 1;
const REWARD = "park";
const TOLERANCE = 0.03;
/** Agents that answer every report take a fraction of this; a busy machine may need it. */
const QUIET_MS = 100;
const DATAPATH_SECONDS = 12;

let built = false;
let rust: Counterparts;

beforeAll(async () => {
  built = await buildCounterparts();
}, BUILD_TIMEOUT_MS);
beforeEach(({ skip }) => {
  skip(!built, "no Rust toolchain");
  rust = new Counterparts();
});
afterEach(() => rust?.close());

/** Goodput of our twin of the published Reno, in process. */
function twinGoodputMbps(scenario: Parameters<typeof runAlgorithm>[0]["scenario"]): number {
  const algorithm = ccpAlgorithm("portus-reno");
  return runAlgorithm({ scenario, seed: SEED, rewardName: REWARD, algorithm }).metrics.goodputMbps;
}

function expectCloseTo(goodputMbps: number, twinMbps: number): void {
  console.log(`goodput ${goodputMbps.toFixed(3)} Mbit/s, portus-reno ${twinMbps.toFixed(3)} Mbit/s`);
  expect(Math.abs(goodputMbps / twinMbps - 1)).toBeLessThan(TOLERANCE);
}

describe("a Portus agent over our datapath", () => {
  const shallow = makeLink({
    name: "interop-48mbps-50ms",
    mbps: 48,
    rttMs: 50,
    bufferBdp: 0.3,
    durationSec: 30,
    source: "test",
  });

  it.each(["published", "own"] as const)(
    "drives a flow at 48 Mbit/s and 50 ms as portus-reno does: the %s Reno",
    async (reno) => {
      const agent = await rust.startAgent(reno);
      const options = { scenario: shallow, seed: SEED, rewardName: REWARD };
      const run = await runExternalAgent({ ...options, agent, quietMs: QUIET_MS });
      console.log(reno, JSON.stringify(run.counters));
      expect(run.counters.reports).toBeGreaterThanOrEqual(100);
      expect(run.counters.cwndChanges).toBeGreaterThanOrEqual(100);
      expect(run.counters.lossEvents).toBeGreaterThanOrEqual(1);
      expect(run.counters).toMatchObject({ refusedMessages: 0, failedSends: 0, fallbackEvents: 0 });
      expectCloseTo(run.metrics.goodputMbps, twinGoodputMbps(shallow));
    },
  );

  // The published Reno answers nothing while it repairs losses, and on this link it never finishes to; each report then
  // costs the quiet time, so it gets a few seconds only.
  it.each([
    ["own", 30, QUIET_MS],
    ["published", 6, 20],
  ] as const)("drives `ccpark sim`: the %s Reno for %i s", async (reno, durationSec, quietMs) => {
    const agent = await rust.startAgent(reno);
    const options = ["--duration", String(durationSec), "--quiet-ms", String(quietMs)];
    const cli = await runCli(["sim", "--scenario", "park-paper", ...options, "--agent", agent, "--json"]);
    expect(cli.code, cli.stderr).toBe(0);
    const { counters, goodputMbps } = JSON.parse(cli.stdout);
    console.log(reno, JSON.stringify(counters));
    expect(counters.reports).toBeGreaterThanOrEqual(100);
    expect(counters.cwndChanges).toBeGreaterThanOrEqual(1);
    expect(counters.lossEvents).toBeGreaterThanOrEqual(1);
    expect(counters).toMatchObject({ refusedMessages: 0, fallbackEvents: 0 });
    expectCloseTo(goodputMbps, twinGoodputMbps(getScenario("park-paper", { durationSec })));
  });
});

describe("our agent over libccp", () => {
  /** One agent process for all, a datapath process for each, all at the same time. Of a module the name is asked for. */
  async function drive(
    algorithms: readonly string[],
    nameOf: (algorithm: string) => string = (algorithm) => algorithm,
  ): Promise<Record<string, DatapathOutcome>> {
    const socket = rust.newSocket();
    const agent = startCli(["agent", "--algorithm", algorithms.join(","), "--socket", socket]);
    await rust.untilListening(agent, socket);
    const runs = algorithms.map(async (algorithm) => {
      const outcome = await rust.runDatapath(socket, DATAPATH_SECONDS, nameOf(algorithm));
      console.log(algorithm, JSON.stringify(outcome));
      return [algorithm, outcome] as const;
    });
    return Object.fromEntries(await Promise.all(runs));
  }

  it("drives a flow with `ccpark agent --algorithm reno`", async () => {
    const { reno } = await drive(["reno"]);
    expect(reno!.reports).toBeGreaterThanOrEqual(100);
    expect(reno!.cwndChanges).toBeGreaterThanOrEqual(1);
    expect(reno!.lossEvents).toBeGreaterThanOrEqual(1);
    expect(reno).toMatchObject({ creates: 1, messagesRefused: 0, invokeErrors: 0 });
    expect(reno!.goodputMbps).toBeGreaterThan(20);
  });

  it("leaves a flow to a distilled tree, which runs in libccp and reports nothing: one of windows, and the zoo's, which paces", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ccpark-"));
    try {
      const path = join(folder, "tree.js");
      const program = treeProgram(SAMPLE_TREE, { form: WINDOW_FORM });
      writeFileSync(path, treeModule({ name: "tree", program, maxCwndPackets: 4800 }, ["a tree by hand"]));
      for (const tree of [path, resolve("agents/zoo/general-tree.js")]) {
        const outcome = (await drive([tree], () => basename(tree, ".js")))[tree]!;
        console.log(`${basename(tree)}: ${outcome.goodputMbps.toFixed(1)} Mbit/s`);
        expect(outcome).toMatchObject({ creates: 1, reports: 0, messagesRefused: 0, invokeErrors: 0 });
        expect(outcome.cwndChanges).toBeGreaterThanOrEqual(20);
        expect(outcome.goodputMbps).toBeGreaterThan(20);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  // libccp holds nine programs: as many agents as it takes
  it("drives flows with every algorithm, chosen by the name in the create message", async () => {
    const names = [...ALGORITHMS.keys()];
    const outcomes: Awaited<ReturnType<typeof drive>> = {};
    for (let i = 0; i < names.length; i += 9) Object.assign(outcomes, await drive(names.slice(i, i + 9)));
    expect(Object.keys(outcomes).sort()).toEqual(names.sort());
    for (const [algorithm, outcome] of Object.entries(outcomes)) {
      expect(outcome, algorithm).toMatchObject({ creates: 1, messagesRefused: 0, invokeErrors: 0 });
      expect(outcome.reports, algorithm).toBeGreaterThanOrEqual(20);
      expect(outcome.cwndChanges, algorithm).toBeGreaterThanOrEqual(1);
    }
    expect(outcomes["portus-reno"]!.reports).toBeGreaterThanOrEqual(100);
    expect(outcomes["portus-reno"]!.lossEvents).toBeGreaterThanOrEqual(1);
  });
});
