import { expect, it } from "vitest";
import type { CongestionControlFactory } from "../../../ccp-bridge/congestion-control.ts";
import { getScenario } from "../../../scenarios/presets.ts";
import { LINUX_PACING } from "../../../testbeds/linux/linux.ts";
import { measure } from "../../../testbeds/measure.ts";
import { describeWithLinks } from "../host/with-links.ts";

const SCENARIO = { ...getScenario("park-paper", { durationSec: 3 }), fixed: { startSec: 0.3 } };

/** 6 Mbit/s */
const SLOW: CongestionControlFactory = ({ mssBytes }) => ({
  name: "slow",
  cwndBytes: 1000 * mssBytes,
  pacingRateBytesPerSec: 750_000,
  onAck: () => {},
  onCongestion: () => {},
});

describeWithLinks("Linux TCP held back by its pacing rate", () => {
  it("is as fast as it says, and sees the flow in TCP_INFO", async () => {
    let acks = 0;
    const observer = { record: () => (acks += 1) };
    const run = await LINUX_PACING.open(SCENARIO, 1, { control: () => SLOW, observer: () => observer });
    try {
      while (run.nowNs < run.endNs) await run.runUntil(run.endNs);
    } finally {
      await run.close();
    }
    const { goodputMbps, lossRate } = measure(run);
    // the first round trips go before the first ACK says anything
    expect(goodputMbps).toBeGreaterThan(3);
    expect(goodputMbps).toBeLessThan(9);
    expect(lossRate).toBeLessThan(0.05);
    expect(acks).toBeGreaterThan(20);
  });
});
