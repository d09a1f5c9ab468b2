import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { reno } from "../../../algorithms/native/reno.ts";
import type { CongestionControlFactory } from "../../../ccp-bridge/congestion-control.ts";
import { makeEnv } from "../../../envs/local-env.ts";
import { runAlgorithmLater } from "../../../envs/measured-run.ts";
import { DEFAULT_ENV_OPTIONS } from "../../../envs/options.ts";
import { getScenario } from "../../../scenarios/presets.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { RunRecorder } from "../../../testbeds/exports/recorder.ts";
import { abandonedNames } from "../../../testbeds/host/namespaces.ts";
import { parseLinkLog } from "../../../testbeds/mahimahi/log.ts";
import { MAHIMAHI } from "../../../testbeds/mahimahi/mahimahi.ts";
import { measure } from "../../../testbeds/measure.ts";
import { envContract } from "../../contract/env-contract.ts";
import { testbedContract } from "../../contract/testbed-contract.ts";
import { describeWithShells } from "./with-shells.ts";

const SHORT: Scenario = { ...getScenario("park-paper", { durationSec: 1 }), fixed: { startSec: 0.05 } };

const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith("ccpark-mahimahi-"));

/** A fixed window. */
const holding =
  (packets: number): CongestionControlFactory =>
  ({ mssBytes }) => ({
    name: "holding",
    cwndBytes: packets * mssBytes,
    pacingRateBytesPerSec: undefined,
    onAck: () => {},
    onCongestion: () => {},
  });

describeWithShells("Mahimahi's shells keep what every testbed keeps", () => {
  testbedContract(MAHIMAHI);
  envContract("env in Mahimahi's shells", async () => makeEnv(SHORT, DEFAULT_ENV_OPTIONS, MAHIMAHI), "real");
});

describeWithShells("a run in Mahimahi's shells", () => {
  it("begins its trace with its own time: a rate that steps does so when the scenario says", async () => {
    const points = [
      { atSec: 0, mbps: 24 },
      { atSec: 1, mbps: 6 },
    ];
    const stepping: Scenario = {
      ...SHORT,
      name: "stepping",
      durationSec: 2,
      propagationDelayMs: 10,
      forward: { rate: { kind: "steps", points }, queue: { packets: 100 }, lossRate: 0 },
    };
    const recorder = new RunRecorder(["mahimahi"]);
    const run = await MAHIMAHI.open(stepping, 1, { control: () => holding(90), recorder });
    try {
      while (run.nowNs < run.endNs) await run.runUntil(run.endNs);
    } finally {
      await run.close();
    }
    const text = recorder.texts(run, "stepping")["mahimahi"]!;
    const zeroMs = Number(/^# the run begins at (\d+)$/m.exec(text)?.[1]);
    // what mm-link itself says that it could have carried, bin by bin of 100 ms from the start of the flow
    const counts = Array.from({ length: 20 }, () => 0);
    for (const [, ms] of text.matchAll(/^(\d+) # 1504$/gm)) {
      const bin = Math.floor((Number(ms) - zeroMs - 50 - 1) / 100);
      if (counts[bin] !== undefined) counts[bin] += 1;
    }
    // 2 packets of 1500 bytes a millisecond, then one in two
    expect(counts).toEqual([...Array<number>(10).fill(200), ...Array<number>(10).fill(50)]);
    expect(parseLinkLog(text, "uplink.log").departedPackets).toBeGreaterThan(500);
    // the window is more than the pipe at both rates, and no more than pipe and queue
    expect(measure(run).utilisation).toBeGreaterThan(0.9);
  });

  it("says which command line it is, counts drops as mm-link does, and leaves nothing behind", async () => {
    const before = folders();
    const small: Scenario = { ...SHORT, forward: { ...SHORT.forward, queue: { packets: 20 } } };
    const options = { scenario: small, seed: 1, rewardName: "score" };
    const result = await runAlgorithmLater({ ...options, algorithm: reno, testbed: MAHIMAHI });
    expect(result.testbed).toBe("mahimahi");
    expect(result.commandLine).toMatch(
      /^mm-delay 25 mm-link \S+uplink\.trace \S+downlink\.trace --uplink-queue=droptail --uplink-queue-args=packets=20 .* -- \S+ \S+inside\.cjs$/,
    );
    expect(result.metrics.droppedPackets).toBeGreaterThan(0);
    expect(result.timing!.strayLosses).toBe(0);
    // a packet leaves by an opportunity of its own, so an arrival that is late says so
    expect(result.timing!.packetLatenessUs.medianUs).toBeGreaterThan(0);
    expect(result.timing!.packetLatenessUs.medianUs).toBeLessThan(50_000);
    expect(folders()).toEqual(before);
    expect(abandonedNames()).toEqual([]);
  });

  it("can be closed while its shells start", async () => {
    const before = folders();
    const run = await MAHIMAHI.open(SHORT, 1, { control: () => reno });
    const reached = run.runUntil(run.endNs);
    reached.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
    await run.close();
    await expect(reached).rejects.toThrow("[mahimahi] the run was closed");
    expect(folders()).toEqual(before);
  });
});

describeWithShells("what the shells cannot do", () => {
  it("is refused with the reason", () => {
    expect(MAHIMAHI.refuses(SHORT)).toBeUndefined();
    const flow = { algorithm: "cubic" };
    expect(MAHIMAHI.refuses({ ...SHORT, flows: [flow] })).toBeUndefined();
    expect(MAHIMAHI.refuses({ ...SHORT, flows: [{ ...flow, propagationDelayMs: 3 }] })).toBe(
      "flows.0 has a propagationDelayMs of its own, and all packets take the same shells",
    );
    expect(MAHIMAHI.refuses({ ...SHORT, propagationDelayMs: 2.5 })).toContain("whole milliseconds");
    expect(MAHIMAHI.refuses({ ...SHORT, variation: { startQueue: 0.5 } })).toContain("variation.startQueue");
  });
});
