import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { reno } from "../../../algorithms/native/reno.ts";
import { getScenario } from "../../../scenarios/presets.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { planLink } from "../../../testbeds/emulated/link-plan.ts";
import { RunRecorder } from "../../../testbeds/exports/recorder.ts";
import {
  crossTrafficRefusal,
  findOpportunities,
  planShells,
  shellsRefuse,
} from "../../../testbeds/mahimahi/command-line.ts";
import { parseLinkLog } from "../../../testbeds/mahimahi/log.ts";
import { runShells } from "../../../testbeds/mahimahi/run-shells.ts";
import { TOOLS } from "../../../testbeds/mahimahi/tools.ts";
import { SIMULATED } from "../../../testbeds/simulated/simulated.ts";

const LINK: Scenario = {
  ...getScenario("park-paper", { durationSec: 3 }),
  name: "shells",
  forward: { rate: { kind: "constant", mbps: 12 }, queue: { packets: 40 }, lossRate: 0.01 },
  reverse: { rate: { kind: "unlimited" }, queue: {}, lossRate: 0 },
  propagationDelayMs: 20,
  fixed: { startSec: 0, sendJitterUs: 0 },
};

describe("Mahimahi's shells", () => {
  it("are called with the scenario's delay, loss, traces and queues", () => {
    const opportunities = findOpportunities(planLink(LINK, 1, "simulated"), 0, 3000);
    const { words, files } = planShells(LINK, opportunities, "/f");
    // what is lost does not reach the queue, as in simulation
    expect(words.join(" ")).toBe(
      "mm-delay 20 mm-link /f/uplink.trace /f/downlink.trace --uplink-queue=droptail --uplink-queue-args=packets=40 " +
        "--downlink-queue=infinite --uplink-log=/f/uplink.log --downlink-log=/f/downlink.log -- mm-loss uplink 0.01",
    );
    const lines = files["/f/uplink.trace"]!.trim().split("\n").map(Number);
    // 12 Mbit/s are one packet of 1500 bytes a millisecond
    expect(lines).toEqual(Array.from({ length: 3000 }, (_, i) => i + 1));
    const codel = { ...LINK.forward, queue: { bytes: 60_000, discipline: { kind: "codel" as const } } };
    expect(planShells({ ...LINK, forward: codel }, opportunities, "/f").words).toContain(
      "--uplink-queue-args=bytes=60000,target=5,interval=100",
    );
  });

  it("are refused what they cannot do, with the reason", () => {
    expect(shellsRefuse(LINK)).toBeUndefined();
    const forward = (more: object): string | undefined =>
      shellsRefuse({ ...LINK, forward: { ...LINK.forward, ...more } });
    expect(forward({ jitter: { kind: "uniform", maxMs: 1 } })).toBe("they have nothing like forward.jitter");
    expect(forward({ queue: { discipline: { kind: "fq-codel" } } })).toContain("no fq-codel");
    expect(forward({ queue: { discipline: { kind: "codel", ecn: true } } })).toBe("mm-link does not mark");
    expect(shellsRefuse({ ...LINK, propagationDelayMs: 2.5 })).toContain("whole milliseconds");
    expect(crossTrafficRefusal({ ...LINK, flows: [{ algorithm: "cubic" }] })).toContain("cross traffic");
  });

  it("write logs that say what our own run of the same format did", () => {
    const recorder = new RunRecorder(["mahimahi"]);
    const run = SIMULATED.open(LINK, 1, { control: () => reno, recorder });
    run.runUntil(run.endNs);
    const text = recorder.texts(run, "shells")["mahimahi"]!;
    const log = parseLinkLog(text, "a.log");
    const { forward } = run.truth;
    expect(log.departedBytes).toBeGreaterThan(0.98 * forward.servedBytes(run.nowNs));
    expect(log.departedBytes).toBeLessThanOrEqual(1.02 * forward.servedBytes(run.nowNs));
    expect(log.droppedPackets).toBeGreaterThanOrEqual(forward.droppedPackets);
    expect(log.p95DelayMs).toBeLessThanOrEqual(42);
    expect(log.throughputMbps).toBeCloseTo((8 * log.departedBytes) / log.durationMs / 1000, 6);
    expect(() => parseLinkLog("1 + 1500\n2 * 4\n", "b.log")).toThrow("[mahimahi] b.log, line 2: got `2 * 4`");
    const head =
      "# mahimahi mm-link (uplink) [a] > b\n# command line: sh -c echo\n1 x\n# base timestamp: 0\n";
    expect(parseLinkLog(`${head}3 + 1500\n`, "d.log")).toMatchObject({ arrivedPackets: 1 });
    expect(parseLinkLog("", "c.log")).toMatchObject({ durationMs: 0, throughputMbps: 0 });
  });
});

describe("Mahimahi's shells, run", () => {
  it("say in one sentence that they ended before the link began", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ccpark-no-shells-"));
    const { PATH, SUDO_UID, SUDO_GID } = process.env;
    try {
      for (const tool of TOOLS) writeFileSync(join(folder, tool), "#!/bin/sh\nexit 7\n", { mode: 0o755 });
      chmodSync(folder, 0o755);
      Object.assign(process.env, { PATH: `${folder}:${PATH}`, SUDO_UID: "65534", SUDO_GID: "65534" });
      await expect(runShells(LINK, 1, ["true"], () => {})).rejects.toThrow(
        "[mahimahi] mm-delay ended with 7 before mm-link began",
      );
    } finally {
      process.env["PATH"] = PATH;
      for (const [name, value] of Object.entries({ SUDO_UID, SUDO_GID })) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
