import { describe, expect, it } from "vitest";
import { type Cubic, cubic } from "../../../algorithms/native/cubic.ts";
import { cbrt } from "../../../core/math.ts";
import { MICROS_PER_SEC, MSS_BYTES } from "../../../core/units.ts";
import { Story } from "./story.ts";

/** After a loss at `packets`, recovery is over: the epoch begins with the ACK that ended it. */
function afterLoss(packets: number): Story {
  const story = new Story(cubic, packets);
  story.lose(1);
  story.ack(packets - 1);
  story.ack(1);
  return story;
}

function ssthreshPackets(story: Story): number {
  return (story.control as Cubic).ssthreshBytes / MSS_BYTES;
}

describe("native Cubic", () => {
  it("doubles the window per round in slow start on an empty path", () => {
    const story = new Story(cubic);
    story.round();
    expect(story.cwndPackets).toBeCloseTo(20, 9);
  });

  it("cuts to 0.7, once per window", () => {
    const story = new Story(cubic, 100);
    story.lose(2);
    story.lose(1);
    expect(story.cwndPackets).toBeCloseTo(70, 9);
    expect(ssthreshPackets(story)).toBeCloseTo(70, 9);
  });

  it("follows the curve of RFC 9438: back at w_max after K seconds, concave before, convex after", () => {
    const story = afterLoss(400);
    const k = cbrt((400 - 280) / 0.4);
    const startUs = story.nowUs;
    const at = (seconds: number) => {
      while (story.nowUs - startUs < seconds * MICROS_PER_SEC) story.round();
      return story.cwndPackets;
    };
    const curve = (seconds: number) => 0.4 * (seconds - k) ** 3 + 400;
    for (const seconds of [1, 3, 5, k, k + 2]) {
      // The window runs after the curve by about one round.
      expect(at(seconds)).toBeGreaterThan(curve(seconds - 0.1) - 1);
      expect(story.cwndPackets).toBeLessThan(curve(seconds + 0.1) + 1);
    }
  });

  it("grows at least as Reno would where the curve is flat: short RTT, small window", () => {
    const story = afterLoss(20);
    for (let round = 0; round < 40; round++) story.round({ rttUs: 1_000, spacingUs: 10 });
    // In 40 ms the curve alone gains a small part of a packet; alpha = 0.53 per round makes it at w_max, then 1 per round.
    expect(story.cwndPackets).toBeGreaterThan(14 + 20);
  });

  it("gives up ground when it loses below its last maximum (fast convergence)", () => {
    const story = afterLoss(100);
    const lostAt = story.cwndPackets;
    expect(lostAt).toBeCloseTo(70, 1);
    story.lose(1); // at 70, below 100: w_max becomes 70 * 0.85 = 59.5
    expect(story.cwndPackets).toBeCloseTo(0.7 * lostAt, 9);
    story.ack(200);
    const startUs = story.nowUs;
    const k = cbrt((59.5 - 49) / 0.4);
    // A long RTT keeps Reno's growth below the curve's.
    while (story.nowUs - startUs < k * MICROS_PER_SEC) story.round({ rttUs: 300_000 });
    expect(story.cwndPackets).toBeGreaterThan(58);
    expect(story.cwndPackets).toBeLessThan(68); // 100 would be reached only after 5 s
  });

  it("restarts from one packet after a timeout, and forgets its curve", () => {
    const story = new Story(cubic, 100);
    story.timeOut();
    expect(story.cwndPackets).toBe(1);
    expect(ssthreshPackets(story)).toBeCloseTo(70, 9);
    story.timeOut();
    expect(ssthreshPackets(story)).toBeCloseTo(70, 9);
  });

  it("cuts to 0.7 on marks as on loss", () => {
    const story = new Story(cubic, 100);
    story.mark();
    expect(story.cwndPackets).toBeCloseTo(70, 9);
  });

  it("goes on along its curve when a cut is taken back", () => {
    const disturbed = afterLoss(400);
    const calm = afterLoss(400);
    for (let i = 0; i < 5; i++) disturbed.round();
    for (let i = 0; i < 5; i++) calm.round();
    disturbed.timeOut();
    disturbed.takeBack("timeout");
    expect(disturbed.cwndPackets).toBe(calm.cwndPackets);
    expect(ssthreshPackets(disturbed)).toBe(ssthreshPackets(calm));
    for (let i = 0; i < 5; i++) disturbed.round();
    for (let i = 0; i < 5; i++) calm.round();
    expect(Math.abs(disturbed.cwndPackets - calm.cwndPackets)).toBeLessThan(1);
  });

  it("does not count time in which the window was unused", () => {
    const busy = afterLoss(400);
    const idle = afterLoss(400);
    for (let i = 0; i < 5; i++) busy.round();
    for (let i = 0; i < 5; i++) idle.round();
    idle.ack(1, { cwndLimited: false });
    idle.nowUs += 20 * MICROS_PER_SEC;
    idle.ack(1);
    expect(Math.abs(idle.cwndPackets - busy.cwndPackets)).toBeLessThan(2);
  });

  it("grows by at most half a window per round", () => {
    const story = afterLoss(100);
    story.round();
    story.nowUs += 60 * MICROS_PER_SEC; // the curve is far above
    const before = story.cwndPackets;
    story.round();
    expect(story.cwndPackets / before).toBeLessThan(1.65);
    expect(story.cwndPackets / before).toBeGreaterThan(1.4);
  });
});

describe("HyStart", () => {
  it("ends slow start when a round's least RTT shows a queue", () => {
    const story = new Story(cubic, 32);
    story.round({ rttUs: 50_000, spacingUs: 3_000 }); // spaced too far for an ACK train
    expect(ssthreshPackets(story)).toBe(Infinity);
    story.round({ rttUs: 57_000, spacingUs: 3_000 });
    expect(ssthreshPackets(story)).toBeLessThan(90);
  });

  it("bears with delay below an eighth of the minimum RTT", () => {
    const story = new Story(cubic, 32);
    story.round({ rttUs: 50_000, spacingUs: 3_000 });
    story.round({ rttUs: 56_000, spacingUs: 3_000 });
    expect(ssthreshPackets(story)).toBe(Infinity);
  });

  it("is not fooled by one late packet: the least of the round counts", () => {
    const story = new Story(cubic, 32);
    story.round({ rttUs: 50_000, spacingUs: 3_000 });
    story.ack(1, { rttUs: 50_000 });
    for (let i = 0; i < 20; i++) story.ack(1, { rttUs: 80_000 });
    expect(ssthreshPackets(story)).toBe(Infinity);
  });

  it("ends slow start when a train of ACKs spans half the minimum RTT", () => {
    const story = new Story(cubic, 40);
    story.round({ rttUs: 50_000, spacingUs: 1_000 });
    // The train exceeds (50 + 1) / 2 ms with the 27th ACK after the round's first.
    expect(ssthreshPackets(story)).toBeGreaterThan(60);
    expect(ssthreshPackets(story)).toBeLessThan(70);
  });

  it("leaves windows below 16 packets alone", () => {
    const story = new Story(cubic, 4);
    story.ack(1, { rttUs: 10_000 });
    for (let i = 0; i < 9; i++) story.ack(1, { rttUs: 90_000 });
    expect(ssthreshPackets(story)).toBe(Infinity);
  });
});
