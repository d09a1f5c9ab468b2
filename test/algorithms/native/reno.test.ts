import { describe, expect, it } from "vitest";
import { Reno, reno } from "../../../algorithms/native/reno.ts";
import { MSS_BYTES } from "../../../core/units.ts";
import { Story } from "./story.ts";

function ssthreshPackets(story: Story): number {
  return (story.control as Reno).ssthreshBytes / MSS_BYTES;
}

describe("native Reno", () => {
  it("doubles the window per round in slow start", () => {
    const story = new Story(reno);
    story.round();
    expect(story.cwndPackets).toBe(20);
    story.round();
    expect(story.cwndPackets).toBe(40);
  });

  it("grows by what an ACK covers, so delayed ACKs do not slow it", () => {
    const story = new Story(reno);
    story.round({ packets: 2 });
    expect(story.cwndPackets).toBe(20);
  });

  it("does not grow while the flow leaves its window unused", () => {
    const story = new Story(reno);
    story.ack(5, { cwndLimited: false });
    expect(story.cwndPackets).toBe(10);
  });

  it("halves the window once per round, however many packets are lost", () => {
    const story = new Story(reno, 40);
    story.lose(3);
    expect(story.cwndPackets).toBe(20);
    story.lose(2);
    expect(story.cwndPackets).toBe(20);
    expect(ssthreshPackets(story)).toBe(20);
  });

  it("stands still until recovery ends, then adds one packet per window", () => {
    const story = new Story(reno, 40);
    story.lose(1);
    story.ack(39);
    story.ack(1); // ends recovery, and counts
    expect(story.cwndPackets).toBe(20);
    story.ack(18);
    expect(story.cwndPackets).toBe(20);
    story.ack(1);
    expect(story.cwndPackets).toBe(21);
  });

  it("leaves whole packets of an odd window", () => {
    const story = new Story(reno, 25);
    story.lose(1);
    expect(story.cwndPackets).toBe(12);
    expect(ssthreshPackets(story)).toBe(12);
  });

  it("halves again for a loss in the next window", () => {
    const story = new Story(reno, 40);
    story.lose(1);
    story.ack(40);
    story.lose(1);
    expect(story.cwndPackets).toBe(10);
  });

  it("restarts from one packet after a timeout and leaves slow start at half the old window", () => {
    const story = new Story(reno, 40);
    story.timeOut();
    expect(story.cwndPackets).toBe(1);
    expect(ssthreshPackets(story)).toBe(20);
    for (let packets = 1; packets < 20; packets++) story.ack(1);
    expect(story.cwndPackets).toBe(20);
    story.ack(10);
    expect(story.cwndPackets).toBe(20);
  });

  it("keeps ssthresh when the same data times out again, or after fast recovery began", () => {
    const story = new Story(reno, 40);
    story.lose(1);
    story.timeOut();
    story.timeOut();
    expect(ssthreshPackets(story)).toBe(20);
    expect(story.cwndPackets).toBe(1);
  });

  it("never goes below two packets on loss", () => {
    const story = new Story(reno, 3);
    story.lose(1);
    expect(story.cwndPackets).toBe(2);
  });

  it("halves on marks as on loss, and takes no loss of the same window for a second reason", () => {
    const story = new Story(reno, 40);
    story.mark();
    expect(story.cwndPackets).toBe(20);
    story.lose(1);
    expect(story.cwndPackets).toBe(20);
  });

  it("takes a cut back that was for nothing, and grows on from there", () => {
    const story = new Story(reno, 40);
    story.lose(1);
    story.takeBack("loss");
    expect(story.cwndPackets).toBe(40);
    expect(ssthreshPackets(story)).toBe(Infinity);
    story.ack(10);
    expect(story.cwndPackets).toBe(50);
  });

  it("takes a timeout back, keeps a window that has grown larger, and takes each back once", () => {
    const story = new Story(reno, 4);
    story.timeOut();
    expect(story.cwndPackets).toBe(1);
    story.takeBack("timeout");
    expect(story.cwndPackets).toBe(4);
    story.ack(4);
    story.takeBack("timeout");
    expect(story.cwndPackets).toBe(8);
  });

  it("is ACK-clocked", () => {
    expect(new Story(reno).control.pacingRateBytesPerSec).toBeUndefined();
    expect(new Reno({ nowUs: 0, mssBytes: MSS_BYTES, initialCwndBytes: MSS_BYTES }).name).toBe("reno");
  });
});
