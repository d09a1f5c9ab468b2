/** Alternative backoff with ECN (RFC 8511): behind a queue that marks early, less of the link is left idle after a mark. */
import { describe, expect, it } from "vitest";
import { type Path, path, run } from "./published-paths.ts";

const LINK: Path = { mbps: 48, rttMs: 50, queuePackets: 400, durationSec: 20 };
const CODEL = {
  forward: { queue: { packets: LINK.queuePackets, discipline: { kind: "codel" as const, ecn: true } } },
  sender: { ecn: "classic" as const },
};

describe.each(["cubic", "reno"])("%s with abe=1 behind a CoDel that marks", (name) => {
  const of = (reference: string) => run(reference, path(LINK, CODEL)).metrics;
  const [whole, native, without] = [of(`${name}:abe=1`), of(`native-${name}:abe=1`), of(`native-${name}`)];

  it("uses more of the link than with a mark as a loss, at a delay that stays small", () => {
    expect(whole.utilisation).toBeGreaterThan(without.utilisation + 0.03);
    expect(whole.p95QueueDelayMs).toBeLessThan(20);
  });

  it("does over CCP what it does in the datapath", () => {
    expect(Math.abs(whole.utilisation - native.utilisation)).toBeLessThan(0.01);
    expect(Math.abs(whole.meanQueueDelayMs - native.meanQueueDelayMs)).toBeLessThan(2);
  });
});

it("asks for no marks over CCP without it: its program does not read them", () => {
  const { metrics } = run("cubic", path(LINK, CODEL));
  expect(metrics.droppedPackets).toBeGreaterThan(0);
  expect(run("cubic:abe=1", path(LINK, CODEL)).metrics.droppedPackets).toBe(0);
});
