import { expect, it } from "vitest";
import { reno } from "../../../algorithms/native/reno.ts";
import { runAlgorithmLater } from "../../../envs/measured-run.ts";
import { getScenario } from "../../../scenarios/presets.ts";
import { EMULATED } from "../../../testbeds/emulated/emulated.ts";
import { parseLinkLog } from "../../../testbeds/mahimahi/log.ts";
import { describeWithLinks } from "../host/with-links.ts";

describeWithLinks("an emulated run that is exported", () => {
  it("has the link's log in mm-link's format, which agrees with its results, and its senders' qlog", async () => {
    const { recordings, metrics } = await runAlgorithmLater({
      testbed: EMULATED,
      algorithm: reno,
      scenario: getScenario("park-paper", { durationSec: 1 }),
      seed: 1,
      rewardName: "park",
      recording: { formats: ["mahimahi", "qlog"], title: "a title" },
    });
    const text = recordings!.mahimahi!;
    expect(text).toMatch(/^# a title\n/);
    const log = parseLinkLog(text, "reno.log");
    expect(log.arrivedPackets).toBeGreaterThan(100);
    // the log goes on until the link is closed
    expect(log.departedBytes).toBeGreaterThanOrEqual(metrics.servedBytes);
    expect(log.departedBytes).toBeLessThan(1.2 * metrics.servedBytes);
    expect(recordings!.qlog!).toContain("packet_sent");
  });
});
