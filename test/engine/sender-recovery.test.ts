/** Loss detection, recovery and its undoing, told as stories of single packets. */
import { describe, expect, it } from "vitest";
import { cubic } from "../../algorithms/native/cubic.ts";
import { reno } from "../../algorithms/native/reno.ts";
import { ccpAlgorithm } from "../../algorithms/reference.ts";
import { runCcpAlgorithm } from "../../ccp-bridge/in-process-flow.ts";
import { type Address, PRR_VERSIONS } from "../../engine/generated/engine-interface.ts";
import { Engine } from "../../engine/wasm-host.ts";
import type { SenderOptions } from "../../scenarios/sender-options.ts";
import { range, SenderStory, StubControl } from "./sender-story.ts";

const RTT_MS = 100;
const RACK: SenderOptions = { lossDetection: "rack-tlp" };

/** Ten packets are out, and one RTT has passed since. */
function tenInFlight(options: SenderOptions = {}, control = new StubControl(10)): SenderStory {
  const story = new SenderStory(control, options);
  story.send();
  story.advance(RTT_MS);
  return story;
}

/** Proportional rate reduction alone, in a recovery that begins with 20 packets in flight. */
class Prr {
  readonly #engine = new Engine().exports;
  readonly #prr: Address<"Prr">;
  windowPackets = 0;

  constructor(version: "rfc6937" | "rfc9937") {
    this.#prr = this.#engine.makePrr(PRR_VERSIONS.indexOf(version), 20);
  }

  onSent(): void {
    this.#engine.prrSent(this.#prr);
  }

  onAck(delivered: number, inflight: number, target: number, safeAck: boolean): void {
    this.windowPackets = this.#engine.prrAck(this.#prr, delivered, inflight, target, safeAck);
  }
}

/** No more data than was sent so far. */
function withoutNewData(story: SenderStory): SenderStory {
  story.sender.withdraw(story.nowNs);
  return story;
}

describe("reordering", () => {
  it.each([["packet-threshold"], ["rack-tlp"]] as const)(
    "by two packets is no loss under %s",
    (lossDetection) => {
      const story = tenInFlight({ lossDetection });
      story.deliver([1, 2, 0, 3, 4]);
      expect(story.sender.lostPackets).toBe(0);
      expect(story.lastAck.cumulativeSequence).toBe(5);
      expect(story.sender.retransmittedPackets).toBe(0);
    },
  );

  it("by three packets makes the packet threshold retransmit in vain", () => {
    const story = tenInFlight();
    story.deliver([1, 2, 3, 0]);
    expect(story.sender.lostPackets).toBe(1);
    expect(story.sender.retransmittedPackets).toBe(1);
    expect(story.congestion).toEqual(["loss"]);
    expect(story.lastAck.cumulativeSequence).toBe(4);
  });

  it("by more than three is borne by RACK once it has seen reordering, for a quarter of the minimum RTT", () => {
    const story = tenInFlight(RACK);
    story.deliver([1, 0]); // reordering seen
    story.deliver([3, 4, 5, 6, 7]);
    story.advance(RTT_MS / 4 - 1);
    story.deliver([2]);
    expect(story.sender.lostPackets).toBe(0);
    expect(story.congestion).toEqual([]);
  });

  it("beyond RACK's window is found by its timer, without another ACK", () => {
    const story = tenInFlight(RACK);
    story.deliver([1, 0]);
    story.deliver([3, 4, 5, 6, 7]);
    const beforeMs = story.nowMs;
    story.advance(RTT_MS / 4 + 1);
    expect(story.congestion).toEqual(["loss"]);
    expect(story.sent.filter(({ sequence }) => sequence === 2)).toEqual([
      { sequence: 2, atMs: 0 },
      { sequence: 2, atMs: beforeMs + RTT_MS / 4 },
    ]);
    expect(story.lastAck.lostPackets).toBe(1);
    expect(story.lastAck.timeout).toBe(false);
  });

  it("widens RACK's window by a quarter of the minimum RTT when copies tell of a retransmission in vain", () => {
    const story = tenInFlight(RACK);
    story.deliver([1, 0, 0]); // reordering seen, and one copy
    story.deliver([3, 4]);
    story.advance(RTT_MS / 2 - 1);
    expect(story.sender.lostPackets).toBe(0);
    story.advance(2);
    expect(story.sender.lostPackets).toBe(1);
  });
});

describe("loss under RACK", () => {
  it("needs three packets where no reordering was seen, as the packet threshold", () => {
    const story = tenInFlight(RACK);
    story.deliver([1, 2]);
    expect(story.sender.lostPackets).toBe(0);
    story.deliver([3]);
    expect(story.sender.lostPackets).toBe(1);
    expect(story.congestion).toEqual(["loss"]);
  });

  it("finds a lost retransmission one RTT later", () => {
    const story = tenInFlight(RACK);
    const later = story.deliver(range(1, 9)); // 0 is lost; its retransmission and new packets leave
    const [retransmission] = later.filter((txn) => story.sent[txn]!.sequence === 0);
    expect(retransmission).toBeDefined();
    story.advance(RTT_MS);
    story.deliver(later.filter((txn) => txn > retransmission!));
    expect(story.sent.filter(({ sequence }) => sequence === 0).length).toBe(3);
    expect(story.congestion).toEqual(["loss"]);
  });
});

describe("a lost tail", () => {
  it("of one packet is repaired by a probe when the timer would have run out, and costs one reaction", () => {
    const story = withoutNewData(tenInFlight(RACK));
    story.deliver(range(0, 8));
    const lastAckMs = story.nowMs;
    const rtoMs = story.sender.rtt.rtoUs / 1000; // before 2 srtt + 200 ms: a lone packet's ACK may be late
    story.advance(rtoMs);
    expect(story.sent.at(-1)).toEqual({ sequence: 9, atMs: lastAckMs + rtoMs });
    expect(story.sender.inflightPackets).toBe(1);
    story.advance(RTT_MS);
    story.deliver([10]);
    expect(story.congestion).toEqual(["loss"]);
    expect(story.sender.lostPackets).toBe(1);
    expect(story.sender.timeouts).toBe(0);
    expect(story.sender.timerAtNs).toBe(Number.POSITIVE_INFINITY);
  });

  it("of several packets is found by the probe: two RTTs without the wait for a lone packet", () => {
    const story = withoutNewData(tenInFlight(RACK));
    story.deliver(range(0, 6)); // 7, 8 and 9 are lost
    const lastAckMs = story.nowMs;
    story.advance(2 * RTT_MS);
    expect(story.sent.at(-1)).toEqual({ sequence: 9, atMs: lastAckMs + 2 * RTT_MS });
    story.advance(RTT_MS);
    story.deliver([10]);
    story.advance(RTT_MS / 4 + 1); // the reordering window
    expect(story.sent.slice(11).map(({ sequence }) => sequence)).toEqual([7, 8]);
    story.advance(RTT_MS);
    story.deliver([11, 12]);
    expect(story.lastAck.cumulativeSequence).toBe(10);
    expect(story.congestion).toEqual(["loss"]);
    expect(story.sender.timeouts).toBe(0);
  });

  it("waits for the retransmission timer without probes", () => {
    const story = withoutNewData(tenInFlight());
    story.deliver(range(0, 8));
    const rtoMs = story.sender.rtt.rtoUs / 1000;
    const lastAckMs = story.nowMs;
    story.advance(rtoMs + 1);
    expect(story.sent.at(-1)).toEqual({ sequence: 9, atMs: lastAckMs + rtoMs });
    expect(story.congestion).toEqual(["timeout"]);
  });

  it("that was only late costs nothing: the probe's copy is no sign of reordering or loss", () => {
    const story = withoutNewData(tenInFlight(RACK));
    story.deliver(range(0, 7));
    story.advance(2 * RTT_MS);
    expect(story.sent.length).toBe(11);
    story.deliver([8, 9]);
    story.deliver([10]);
    expect(story.congestion).toEqual([]);
    expect(story.sender.lostPackets).toBe(0);
  });

  it("is probed with new data where there is some, whatever the window says", () => {
    const story = tenInFlight(RACK);
    story.advance(950 - RTT_MS); // nothing came back: without a sample the probe goes after a second
    expect(story.sent.length).toBe(10);
    story.advance(51);
    expect(story.sent.at(-1)).toEqual({ sequence: 10, atMs: 1000 });
    expect(story.sender.inflightPackets).toBe(11);
  });
});

describe("proportional rate reduction", () => {
  it.each([["rfc6937"], ["rfc9937"]] as const)(
    "halves inflight over one RTT by sending for every other ACK (%s)",
    (prr) => {
      const story = new SenderStory(new StubControl(20, 0.5), { prr, initialCwndPackets: 20 });
      story.send();
      story.advance(RTT_MS);
      const sentPerAck = range(1, 19).map((txn) => story.deliver([txn]).length);
      // two packets of the full window while the loss is not proved, the fast retransmit, then one per two ACKs
      const { inflightPackets } = story.sender;
      expect(sentPerAck.slice(0, 3)).toEqual([1, 1, 1]);
      const pairs = range(0, 7).map((k) => sentPerAck[3 + 2 * k]! + sentPerAck[4 + 2 * k]!);
      expect(pairs.filter((packets) => packets === 1).length).toBeGreaterThanOrEqual(7);
      expect(inflightPackets).toBeGreaterThanOrEqual(10);
      expect(inflightPackets).toBeLessThanOrEqual(12);
    },
  );

  it("without it the sender is silent until half the window has drained", () => {
    const story = new SenderStory(new StubControl(20, 0.5), { initialCwndPackets: 20 });
    story.send();
    story.advance(RTT_MS);
    const sentPerAck = range(1, 19).map((txn) => story.deliver([txn]).length);
    expect(sentPerAck.slice(2, 10)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it("follows RFC 6937's equation: CEIL(prr_delivered * ssthresh / RecoverFS) - prr_out", () => {
    const prr = new Prr("rfc6937");
    let inflight = 18;
    const sent: number[] = [];
    for (let ack = 0; ack < 16 && inflight >= 10; ack++) {
      prr.onAck(1, inflight, 10, false);
      const packets = prr.windowPackets - inflight;
      for (let i = 0; i < packets; i++) prr.onSent();
      sent.push(packets);
      inflight += packets - 1;
    }
    expect(sent.slice(0, 15)).toEqual([1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
  });

  it("after heavy losses grows back by one packet more than was delivered; RFC 9937 only on a safe ACK", () => {
    const lastWindow = (version: "rfc6937" | "rfc9937", safeAck: boolean): number => {
      const prr = new Prr(version);
      prr.onAck(1, 4, 10, false);
      prr.onSent();
      prr.onAck(1, 4, 10, safeAck);
      return prr.windowPackets;
    };
    expect(lastWindow("rfc6937", false)).toBe(6);
    expect(lastWindow("rfc9937", false)).toBe(5);
    expect(lastWindow("rfc9937", true)).toBe(6);
  });

  it("ends at the congestion control's window", () => {
    const story = new SenderStory(new StubControl(20, 0.5), { prr: "rfc9937", initialCwndPackets: 20 });
    story.send();
    story.advance(RTT_MS);
    const later = story.deliver(range(1, 19));
    story.advance(RTT_MS);
    story.deliver(later);
    expect(story.lastAck.cumulativeSequence).toBeGreaterThan(20);
    expect(story.sender.cwndPackets).toBe(10);
    expect(story.sender.inflightPackets).toBe(10);
  });
});

describe("undo", () => {
  it.each([
    ["reno", reno],
    ["cubic", cubic],
  ])("restores %s's window after a timeout that was spurious, and retransmits no more", (_name, make) => {
    const story = new SenderStory(make, { undo: true });
    story.send();
    story.advance(1_001); // the path stalls; the timer fires
    expect(story.congestion).toEqual(["timeout"]);
    expect(story.cwndPackets).toBe(1);
    expect(story.sent.length).toBe(11);
    story.deliver([0]); // the original arrives after all
    expect(story.spurious).toEqual(["timeout"]);
    expect(story.cwndPackets).toBeGreaterThanOrEqual(10);
    story.deliver(range(1, 9));
    expect(story.sender.retransmittedPackets).toBe(1);
    expect(story.lastAck.cumulativeSequence).toBe(10);
    expect(story.congestion).toEqual(["timeout"]);
  });

  it("after a spurious timeout still finds the packets that are really lost", () => {
    const story = new SenderStory(reno, { undo: true });
    story.send();
    story.advance(1_001);
    const later = story.deliver([0, 1, 3, 4, 5, 6, 7, 8, 9]); // 2 is lost
    expect(story.spurious).toEqual(["timeout"]);
    expect(story.congestion).toEqual(["timeout", "loss"]);
    story.advance(RTT_MS);
    story.deliver(later);
    expect(story.sent.filter(({ sequence }) => sequence === 2).length).toBe(2);
    expect(story.sender.lostPackets).toBe(10 + 1); // the timeout's, and one that was
  });

  it.each(["reno", "cubic", "bbr"])(
    "gives %s over CCP the window back from before the first of several timeouts",
    (name) => {
      const story = new SenderStory(runCcpAlgorithm(ccpAlgorithm(name)), { undo: true });
      story.send();
      story.advance(1_001);
      story.advance(2_002);
      expect(story.congestion).toEqual(["timeout", "timeout"]);
      const smallest = story.cwndPackets;
      story.deliver([0]);
      expect(story.spurious).toEqual(["timeout"]);
      expect(smallest).toBeLessThan(4);
      expect(story.cwndPackets).toBeGreaterThanOrEqual(10);
    },
  );

  it("keeps the cut of a timeout that was right", () => {
    const story = new SenderStory(reno, { undo: true });
    story.send();
    story.advance(1_001);
    story.advance(RTT_MS);
    story.deliver([10]);
    expect(story.spurious).toEqual([]);
    expect(story.cwndPackets).toBeLessThan(3);
  });

  it("restores the window when reordering alone caused the fast retransmit", () => {
    const story = new SenderStory(reno, { undo: true });
    story.send();
    story.advance(RTT_MS);
    story.deliver([1, 2, 3]);
    const cut = story.cwndPackets;
    story.deliver([0]);
    expect(story.spurious).toEqual(["loss"]);
    expect(cut).toBe(5);
    expect(story.cwndPackets).toBeGreaterThanOrEqual(10);
  });

  it("keeps the cut while one of several losses is not disproved", () => {
    const story = new SenderStory(reno, { undo: true });
    story.send();
    story.advance(RTT_MS);
    story.deliver([2, 3, 4, 0]);
    story.deliver(range(5, 9));
    expect(story.sender.lostPackets).toBe(2);
    expect(story.spurious).toEqual([]);
    expect(story.cwndPackets).toBe(5);
  });

  it("does not happen unless asked for", () => {
    const story = new SenderStory(reno);
    story.send();
    story.advance(RTT_MS);
    story.deliver([1, 2, 3, 0]);
    expect(story.spurious).toEqual([]);
    expect(story.cwndPackets).toBe(5);
  });
});

describe("acknowledgements", () => {
  it("that a later one has overtaken tell nothing", () => {
    const story = tenInFlight();
    story.arrive([0, 1]);
    const early = story.sender.arrivals;
    story.arrive([2, 3]);
    story.sender.onAck(story.nowNs, story.sender.arrivals);
    story.sender.onAck(story.nowNs, early);
    expect(story.acks.length).toBe(1);
    expect(story.sender.acks).toBe(2);
    expect(story.sender.deliveredPackets).toBe(4);
  });

  it("count a packet that the network has copied once", () => {
    const story = tenInFlight();
    story.deliver([0, 0, 1, 1, 1]);
    expect(story.sender.deliveredPackets).toBe(2);
    expect(story.sender.inflightPackets).toBe(10);
  });

  it("of a packet that comes hundreds of packets late count as of a copy", () => {
    const story = tenInFlight();
    let next = story.deliver(range(1, 9));
    for (let i = 0; i < 50; i++) next = story.deliver(next);
    const { deliveredPackets, inflightPackets } = story.sender;
    story.deliver([0]);
    expect(story.sender.deliveredPackets).toBe(deliveredPackets);
    expect(story.sender.inflightPackets).toBe(inflightPackets);
  });
});
