import { describe, expect, it } from "vitest";
import { NANOS_PER_MILLI } from "../../../core/units.ts";
import { LINUX } from "../../../testbeds/linux/linux.ts";
import { linkOf } from "../emulated/rig.ts";
import { kernelRefuses } from "./kernel-access.ts";
import { scripted } from "./transfer.ts";

/** Counts what the primitives say of marks; a window that always fills the queue beyond its threshold. */
const COUNTING = `
(def (Report (marked 0) (acked 0)) (packets 0))
(when true
  (:= Report.marked (+ Report.marked Ack.ecn_packets))
  (:= Report.acked (+ Report.acked (+ Ack.packets_acked Ack.packets_misordered)))
  (:= Cwnd 86880)
  (fallthrough)
)
(when (> Micros 20000)
  (:= Micros 0)
  (report)
)`;

async function marksOf(ecn: "off" | "classic", thresholdPackets: number) {
  let seen = { marked: 0, acked: 0 };
  const algorithm = scripted({
    program: COUNTING,
    onReport: (get) => {
      seen = { marked: get("marked"), acked: get("acked") };
    },
  });
  const queue = { packets: 200, discipline: { kind: "step-mark" as const, thresholdPackets } };
  // 20 packets fill the pipe, 40 wait
  const scenario = { ...linkOf(12, 10, queue), sender: { ecn }, durationSec: 1 };
  const run = await LINUX.open(scenario, 1, { control: () => algorithm });
  try {
    await run.runUntil(1000 * NANOS_PER_MILLI);
    return seen;
  } finally {
    await run.close();
  }
}

describe.skipIf(kernelRefuses() !== undefined)("marks of an emulated link", () => {
  it("reach a program in Linux TCP, by ECN that the scenario's senders have", async () => {
    const { marked, acked } = await marksOf("classic", 10);
    console.log(`${marked} of ${acked} packets marked`);
    expect(acked).toBeGreaterThan(100);
    // the receiver echoes a mark until it is answered (RFC 3168)
    expect(marked).toBeGreaterThan(0.5 * acked);
    expect(marked).toBeLessThanOrEqual(acked);
    expect((await marksOf("classic", 190)).marked).toBe(0);
    expect((await marksOf("off", 10)).marked).toBe(0);
  });

  it("are refused where this kernel cannot count them one by one", async () => {
    const scenario = {
      ...linkOf(12, 10, { packets: 200 }),
      sender: { ecn: "accurate" as const },
      durationSec: 1,
    };
    const opened = LINUX.open(scenario, 1, { control: () => scripted({ program: COUNTING }) });
    await opened.then(
      (run) => run.close(),
      (error) => expect(error.message).toContain("this kernel has no accurate ECN"),
    );
  });
});
