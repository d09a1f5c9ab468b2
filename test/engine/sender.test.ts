import { describe, expect, it } from "vitest";
import type { CongestionControl } from "../../ccp-bridge/congestion-control.ts";
import { MSS_BYTES } from "../../core/units.ts";
import { Sender } from "../../engine/sender.ts";

const RTT_NS = 50e6;
const PACKET_NS = 1e5;

/** One packet more for each ACK, whatever is lost: the window passes every size of the sender's rings. */
function growing(): CongestionControl {
  let cwndPackets = 200;
  return {
    name: "growing",
    get cwndBytes() {
      return cwndPackets * MSS_BYTES;
    },
    pacingRateBytesPerSec: undefined,
    onAck() {
      cwndPackets++;
    },
    onCongestion() {},
  };
}

/** Sends over a path that drops the given transmissions and delivers the others in order, one ACK each. */
function run(sender: Sender, dropped: ReadonlySet<number>, packets: number): void {
  const acks: { atNs: number; arrivals: number }[] = [];
  let lastNs = 0;
  while (sender.sentPackets < packets || acks.length > 0) {
    const ack = acks[0];
    const sendAtNs = sender.sentPackets < packets ? sender.sendAtNs : Number.POSITIVE_INFINITY;
    if (ack !== undefined && ack.atNs <= sendAtNs) {
      acks.shift();
      sender.onAck(ack.atNs, ack.arrivals);
    } else {
      const txn = sender.transmit(sendAtNs);
      if (dropped.has(txn)) continue;
      lastNs = Math.max(lastNs, sendAtNs) + PACKET_NS;
      sender.markArrival(txn, lastNs, true, false);
      acks.push({ atNs: lastNs + RTT_NS, arrivals: sender.arrivals });
    }
  }
}

describe("loss detection", () => {
  it("finds a lost packet by three later ones, wherever it lies while the window grows past its rings", () => {
    for (let lost = 0; lost < 1_200; lost++) {
      const sender = new Sender(growing(), 0);
      run(sender, new Set([lost]), 1_600);
      expect([lost, sender.lostPackets, sender.timeouts]).toEqual([lost, 1, 0]);
    }
  });

  it("finds lost retransmissions too", () => {
    const sender = new Sender(growing(), 0);
    run(sender, new Set([20, 201, 202]), 1_000);
    expect(sender.lostPackets).toBe(3);
    expect(sender.retransmittedPackets).toBe(3);
  });

  it("does not take the last two packets for lost before the timer runs out", () => {
    const sender = new Sender(growing(), 0);
    run(sender, new Set([998, 999]), 1_000);
    expect(sender.lostPackets).toBe(0);
    expect(sender.timerAtNs).toBeLessThan(Number.POSITIVE_INFINITY);
    sender.onTimer(sender.timerAtNs);
    expect(sender.lostPackets).toBe(2);
    expect(sender.timeouts).toBe(1);
  });
});
