/** What the application gives, what the receiver has room for, and marks on the way. */
import { describe, expect, it } from "vitest";
import { Dctcp, dctcp } from "../../algorithms/native/dctcp.ts";
import { reno } from "../../algorithms/native/reno.ts";
import { MSS_BYTES } from "../../core/units.ts";
import { range, SenderStory, StubControl } from "./sender-story.ts";

const RTT_MS = 100;

/** A flow of so many packets. */
function finite(packets: number, story: SenderStory): SenderStory {
  story.sender.withdraw(0);
  story.sender.supply(packets, 0);
  story.sender.finish();
  return story;
}

describe("a finite flow", () => {
  it("sends what it was given, is told when all is acknowledged, and leaves no timer", () => {
    const story = finite(3, new SenderStory(new StubControl(10)));
    const drained: number[] = [];
    story.sender.onDrained = (nowNs) => drained.push(nowNs);
    expect(story.send()).toEqual([0, 1, 2]);
    story.advance(RTT_MS);
    story.deliver([0, 1]);
    expect([story.sender.complete, drained]).toEqual([false, []]);
    story.deliver([2]);
    expect([story.sender.complete, drained]).toEqual([true, [RTT_MS * 1e6]]);
    expect(story.sender.timerAtNs).toBe(Number.POSITIVE_INFINITY);
    expect(story.sender.sendAtNs).toBe(Number.POSITIVE_INFINITY);
  });

  it("repairs a lost tail by the timer", () => {
    const story = finite(3, new SenderStory(reno));
    story.send();
    story.advance(RTT_MS);
    story.deliver([0, 1]);
    story.advance(500);
    expect(story.sent.at(-1)!.sequence).toBe(2);
    expect(story.sender.timeouts).toBe(1);
    story.deliver([3]);
    expect(story.sender.complete).toBe(true);
    expect(story.sender.timerAtNs).toBe(Number.POSITIVE_INFINITY);
  });

  it("may be given more inside the call that tells of its end", () => {
    const story = new SenderStory(new StubControl(10));
    story.sender.withdraw(0);
    story.sender.supply(1, 0);
    let bursts = 1;
    story.sender.onDrained = (nowNs) => {
      if (bursts++ < 3) story.sender.supply(2, nowNs);
    };
    let next = story.send();
    while (next.length > 0) {
      story.advance(RTT_MS);
      next = story.deliver(next);
    }
    expect(story.sent.map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3, 4]);
  });

  it("says what waits: given and not yet acknowledged, at most one window unsent", () => {
    const story = finite(12, new SenderStory(new StubControl(10)));
    story.send();
    story.advance(RTT_MS);
    story.deliver([0]);
    expect(story.lastAck.pendingBytes).toBe(11 * MSS_BYTES);
  });
});

describe("an application-limited flow", () => {
  it("marks its samples until what it had in flight is delivered, and does not call itself window-limited", () => {
    const story = new SenderStory(new StubControl(10));
    story.sender.withdraw(0);
    story.sender.supply(4, 0);
    story.send();
    story.advance(RTT_MS);
    story.sender.supply(20, story.nowNs);
    const later = story.send();
    expect(later.length).toBe(6);
    story.deliver([0, 1, 2, 3]);
    story.advance(RTT_MS);
    const afterwards = story.deliver([4]); // the fifth: what was in flight when data ran out is delivered
    expect(story.acks.map(({ appLimited }) => appLimited)).toEqual([true, true, true, true, true]);
    story.deliver(range(5, 13));
    story.advance(RTT_MS);
    story.deliver(afterwards);
    expect(story.lastAck.appLimited).toBe(false);
  });

  it("is not window-limited when an ACK finds the window open and nothing to send", () => {
    const story = new SenderStory(new StubControl(10));
    story.sender.withdraw(0);
    story.sender.supply(9, 0);
    story.send();
    story.advance(RTT_MS);
    story.deliver([0]);
    expect(story.lastAck.cwndLimited).toBe(false);
  });

  it("is what a bulk flow never is", () => {
    const story = new SenderStory(new StubControl(10));
    let next = story.send();
    for (let i = 0; i < 5; i++) {
      story.advance(RTT_MS);
      next = story.deliver(next);
    }
    expect(story.acks.every(({ appLimited, cwndLimited }) => !appLimited && cwndLimited)).toBe(true);
  });
});

describe("the receive window", () => {
  it("stops new data and opens with the cumulative ACK; a gap keeps it shut but for the retransmission", () => {
    const story = new SenderStory(new StubControl(100), { receiveWindowPackets: 8 });
    expect(story.send()).toEqual(range(0, 7));
    story.advance(RTT_MS);
    expect(story.deliver([1, 2])).toEqual([]);
    const retransmission = story.deliver([3, 4, 5, 6, 7]);
    expect(retransmission.map((txn) => story.sent[txn]!.sequence)).toEqual([0]);
    story.advance(RTT_MS);
    const opened = story.deliver(retransmission);
    expect(opened.map((txn) => story.sent[txn]!.sequence)).toEqual(range(8, 15));
    expect(story.lastAck.appLimited).toBe(false);
  });
});

describe("ECN", () => {
  it("classic: one mark is echoed until the reaction is heard of, and halves the window once", () => {
    const story = new SenderStory(reno, { ecn: "classic", initialCwndPackets: 20 });
    story.send();
    story.advance(RTT_MS);
    story.deliver([0], { ce: true });
    expect(story.congestion).toEqual(["ecn"]);
    expect(story.cwndPackets).toBe(10);
    const later = story.deliver(range(1, 19));
    expect(story.acks.map(({ ecnPackets }) => ecnPackets)).toEqual(new Array(20).fill(1));
    story.advance(RTT_MS);
    story.deliver(later);
    expect(story.lastAck.ecnPackets).toBe(0);
    expect(story.congestion).toEqual(["ecn"]);
    expect(story.sender.retransmittedPackets).toBe(0);
  });

  it("classic: marks in the next window cause the next reaction", () => {
    const story = new SenderStory(reno, { ecn: "classic", initialCwndPackets: 20 });
    let next = story.send();
    for (let round = 0; round < 4; round++) {
      story.advance(RTT_MS);
      next = story.deliver(next, { ce: true });
    }
    expect(story.congestion.length).toBeGreaterThanOrEqual(3);
    expect(story.congestion.length).toBeLessThanOrEqual(4);
  });

  it("accurate: events carry exactly the marked packets that an ACK covers, copies and all", () => {
    const story = new SenderStory(new StubControl(10), { ecn: "accurate" });
    story.send();
    story.advance(RTT_MS);
    story.arrive([0]);
    story.arrive([1, 2], { ce: true });
    story.sender.onAck(story.nowNs, story.sender.arrivals);
    expect([story.lastAck.ecnPackets, story.lastAck.ecnBytes]).toEqual([2, 2 * MSS_BYTES]);
    story.deliver([3]);
    expect(story.lastAck.ecnPackets).toBe(0);
    expect(story.congestion).toEqual(["ecn"]);
  });

  it("off: marks are not looked at", () => {
    const story = new SenderStory(reno);
    story.send();
    story.advance(RTT_MS);
    story.deliver(range(0, 9), { ce: true });
    expect(story.congestion).toEqual([]);
    expect(story.acks.every(({ ecnPackets }) => ecnPackets === 0)).toBe(true);
  });

  it("does not react to marks while it recovers from loss", () => {
    const story = new SenderStory(reno, { ecn: "accurate" });
    story.send();
    story.advance(RTT_MS);
    story.deliver([1, 2, 3]);
    story.deliver(range(4, 9), { ce: true });
    expect(story.congestion).toEqual(["loss"]);
  });

  it("DCTCP's alpha converges to the share of marked packets", () => {
    const story = new SenderStory(dctcp, { ecn: "accurate", initialCwndPackets: 40 });
    let next = story.send();
    for (let round = 0; round < 200; round++) {
      story.advance(RTT_MS);
      const packets = next;
      next = [];
      for (const txn of packets) next.push(...story.deliver([txn], { ce: txn % 4 === 0 }));
    }
    expect(Math.abs((story.control as Dctcp).alpha - 0.25)).toBeLessThan(0.08);
    expect(story.control).toBeInstanceOf(Dctcp);
  });
});
