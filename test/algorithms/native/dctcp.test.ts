import { describe, expect, it } from "vitest";
import { type Dctcp, dctcp } from "../../../algorithms/native/dctcp.ts";
import { Story } from "./story.ts";

function alpha(story: Story): number {
  return (story.control as Dctcp).alpha;
}

/** Windows of ten packets of which so many are marked. */
function windows(story: Story, count: number, marked: number): void {
  for (let i = 0; i < count; i++) {
    for (let packet = 0; packet < 10; packet++) {
      story.ack(1, { marked: packet < marked ? 1 : 0, cwndLimited: false });
    }
  }
}

describe("native DCTCP", () => {
  it("halves on the first marks, as nothing is known yet", () => {
    const story = new Story(dctcp, 40);
    story.mark();
    expect(story.cwndPackets).toBe(20);
  });

  it("forgets its first guess by 15/16 per window without marks, and then hardly cuts", () => {
    const story = new Story(dctcp, 10);
    windows(story, 60, 0);
    expect(alpha(story)).toBeLessThan(0.03);
    story.mark();
    expect(story.cwndPackets).toBeGreaterThan(9.8);
  });

  it("estimates the share of marked packets", () => {
    const story = new Story(dctcp, 10);
    windows(story, 150, 3);
    expect(alpha(story)).toBeCloseTo(0.3, 2);
  });

  it("closes a sixteenth of the distance per window", () => {
    const story = new Story(dctcp, 10);
    windows(story, 100, 0);
    windows(story, 20, 10);
    expect(Math.abs(alpha(story) - (1 - (15 / 16) ** 20))).toBeLessThan(0.02);
  });

  it("takes loss and timeouts as Reno does", () => {
    const story = new Story(dctcp, 40);
    windows(story, 100, 0);
    story.lose(1);
    expect(story.cwndPackets).toBe(20);
    story.timeOut();
    expect(story.cwndPackets).toBe(1);
  });

  it("doubles per round in slow start and takes a cut back", () => {
    const story = new Story(dctcp);
    story.round();
    expect(story.cwndPackets).toBe(20);
    story.lose(1);
    story.takeBack("loss");
    expect(story.cwndPackets).toBe(20);
  });
});
