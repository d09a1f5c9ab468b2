/** DCTCP in the datapath and over CCP, on a sender whose packets are marked beyond a step, told by rounds. */
import { describe, expect, it } from "vitest";
import { dctcp } from "../../algorithms/native/dctcp.ts";
import { ccpAlgorithm } from "../../algorithms/reference.ts";
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { runCcpAlgorithm } from "../../ccp-bridge/in-process-flow.ts";
import { SenderStory } from "./sender-story.ts";

const RTT_MS = 10;
/** What the path holds before it marks. */
const PATH_PACKETS = 40;

/** Windows of a flow whose packets beyond the path's are marked, from round 100 on. */
function windows(make: CongestionControlFactory): number[] {
  const story = new SenderStory(make, { ecn: "accurate" });
  const seen: number[] = [];
  let next = story.send();
  for (let round = 0; round < 400; round++) {
    story.advance(RTT_MS);
    const packets = next;
    next = [];
    for (const [i, txn] of packets.entries()) next.push(...story.deliver([txn], { ce: i >= PATH_PACKETS }));
    if (round >= 100) seen.push(story.cwndPackets);
  }
  expect(story.congestion).not.toContain("loss");
  return seen;
}

describe("DCTCP on a path that marks beyond 40 packets", () => {
  it.each([
    ["native", dctcp],
    ["over CCP", (start) => runCcpAlgorithm(ccpAlgorithm("dctcp"))(start)],
  ] as [string, CongestionControlFactory][])("%s keeps the window close to it", (_name, make) => {
    const seen = windows(make);
    expect(Math.min(...seen)).toBeGreaterThan(30);
    expect(Math.max(...seen)).toBeLessThan(48);
  });
});
