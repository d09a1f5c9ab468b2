import { describe, expect, it } from "vitest";
import { EPISODE } from "../../../algorithms/ccp/parts/tcp-program.ts";
import { ccpAlgorithm } from "../../../algorithms/reference.ts";
import { cbrt } from "../../../core/math.ts";
import { MICROS_PER_SEC, MSS_BYTES } from "../../../core/units.ts";
import { FakeFlow, INFINITY_REPORTED } from "./fake-flow.ts";

const packets = (n: number) => n * MSS_BYTES;

describe("Reno over CCP", () => {
  it("starts its program with the datapath's initial window", () => {
    const flow = new FakeFlow(ccpAlgorithm("reno"));
    expect(flow.programs).toEqual(["reno"]);
    expect(flow.fields["Cwnd"]).toBe(packets(10));
  });

  it("halves on loss and sets ssthresh to the new window", () => {
    const flow = new FakeFlow(ccpAlgorithm("reno"));
    flow.report(1_000, { episode: EPISODE.loss, cwnd: packets(40) });
    expect(flow.last).toEqual({ Cwnd: packets(20), ssthresh: packets(20), credit: 0, cuts: 1 });
  });

  it("leaves the loss window after a timeout to the program, and sets ssthresh once", () => {
    const flow = new FakeFlow(ccpAlgorithm("reno"));
    flow.report(1_000, { episode: EPISODE.timeout, cwnd: packets(40) });
    expect(flow.last).toEqual({ ssthresh: packets(20), credit: 0, cuts: 1 });
    flow.report(2_000, { episode: EPISODE.timeoutAgain, cwnd: packets(1) });
    expect(flow.last).toEqual({});
  });

  it("repeats its answer to a loss from before the answer arrived, and cuts again after it", () => {
    const flow = new FakeFlow(ccpAlgorithm("reno"));
    flow.report(1_000, { episode: EPISODE.loss, cwnd: packets(40) });
    flow.report(2_000, { episode: EPISODE.loss, cwnd: packets(38), cuts: 0 });
    expect(flow.last["Cwnd"]).toBe(packets(20));
    flow.report(3_000, { episode: EPISODE.loss, cwnd: packets(20), cuts: 1 });
    expect(flow.last["Cwnd"]).toBe(packets(10));
  });

  it("does nothing on the report of an uneventful round", () => {
    const flow = new FakeFlow(ccpAlgorithm("reno"));
    flow.report(1_000, { episode: EPISODE.none, cwnd: packets(40) });
    expect(flow.last).toEqual({});
  });
});

describe("Cubic over CCP", () => {
  const minRtt = 50_000;

  it("cuts to 0.7 on loss and lets the program ask for the new curve", () => {
    const flow = new FakeFlow(ccpAlgorithm("cubic"));
    flow.report(0, { episode: EPISODE.loss, cwnd: packets(100) });
    expect(flow.last["Cwnd"]).toBe(packets(70));
    expect(flow.last["ssthresh"]).toBe(packets(70));
    expect(flow.last["step"]).toBe(INFINITY_REPORTED);
  });

  it("turns the distance to the curve into acknowledged bytes per packet of growth", () => {
    const flow = new FakeFlow(ccpAlgorithm("cubic"));
    flow.report(0, { episode: EPISODE.loss, cwnd: packets(1000) });
    flow.report(0, { acked: MSS_BYTES, cuts: 1, cwnd: packets(700), minRtt });
    const k = cbrt(300 / 0.4);
    const ahead = 0.4 * (0.05 - k) ** 3 + 1000 - 700;
    expect(flow.last["step"]).toBe(Math.floor(packets(700) / ahead));
  });

  it("is nearly flat at the plateau and steepens after it", () => {
    const flow = new FakeFlow(ccpAlgorithm("cubic"));
    flow.report(0, { episode: EPISODE.loss, cwnd: packets(1000) });
    flow.report(0, { acked: MSS_BYTES, cuts: 1, cwnd: packets(700), minRtt });
    const kUs = cbrt(300 / 0.4) * MICROS_PER_SEC;
    flow.report(kUs - minRtt, { acked: MSS_BYTES, cuts: 1, cwnd: packets(1000), minRtt });
    const flat = flow.last["step"]!;
    flow.report(kUs + 2 * MICROS_PER_SEC, { acked: MSS_BYTES, cuts: 1, cwnd: packets(1000), minRtt });
    expect(flat).toBeGreaterThan(packets(1000) * 50);
    expect(flow.last["step"]!).toBeLessThan(packets(1000) / 3);
  });

  it("starts no curve from a window that its cut has not reached yet", () => {
    const flow = new FakeFlow(ccpAlgorithm("cubic"));
    flow.report(0, { episode: EPISODE.loss, cwnd: packets(100) });
    flow.report(0, { acked: MSS_BYTES, cuts: 0, cwnd: packets(98), minRtt });
    expect(flow.last).toEqual({});
  });

  it("never lets the window grow by more than half per round", () => {
    const flow = new FakeFlow(ccpAlgorithm("cubic"));
    flow.report(0, { episode: EPISODE.loss, cwnd: packets(100) });
    flow.report(0, { acked: MSS_BYTES, cuts: 1, cwnd: packets(70), minRtt });
    flow.report(100 * MICROS_PER_SEC, { acked: MSS_BYTES, cuts: 1, cwnd: packets(70), minRtt });
    expect(flow.last["step"]).toBe(2 * MSS_BYTES);
  });
});

describe("DCTCP over CCP", () => {
  const quietWindows = (flow: FakeFlow, count: number, marked: number) => {
    for (let i = 0; i < count; i++) flow.report(0, { round: 1, delivered: 10, marked, cwnd: packets(40) });
  };

  it("halves on the first mark, as nothing is known yet", () => {
    const flow = new FakeFlow(ccpAlgorithm("dctcp"));
    flow.report(0, { cut: 1, delivered: 1, marked: 1, cwnd: packets(40) });
    expect(flow.last).toEqual({ Cwnd: packets(20), ssthresh: packets(20), credit: 0, cuts: 1 });
  });

  it("cuts by half the share of marked packets, to which its estimate converges", () => {
    const flow = new FakeFlow(ccpAlgorithm("dctcp"));
    quietWindows(flow, 200, 3);
    expect(flow.last).toEqual({});
    flow.report(0, { cut: 1, delivered: 1, marked: 1, cwnd: packets(40) });
    expect(Math.abs(flow.last["Cwnd"]! - packets(40 * 0.85))).toBeLessThan(packets(0.1));
  });

  it("sums what several reports of one window count", () => {
    const flow = new FakeFlow(ccpAlgorithm("dctcp"));
    for (let i = 0; i < 200; i++) {
      flow.report(0, { delivered: 5, marked: 5 });
      flow.report(0, { round: 1, delivered: 5, marked: 0 });
    }
    flow.report(0, { cut: 1, cwnd: packets(40) });
    expect(Math.abs(flow.last["Cwnd"]! - packets(30))).toBeLessThan(packets(0.1));
  });

  it("repeats its answer to marks from before the answer arrived", () => {
    const flow = new FakeFlow(ccpAlgorithm("dctcp"));
    flow.report(0, { cut: 1, cwnd: packets(40) });
    flow.report(0, { cut: 1, cwnd: packets(38), cuts: 0 });
    expect(flow.last["Cwnd"]).toBe(packets(20));
  });

  it("halves on loss whatever the marks say, and once for both", () => {
    const flow = new FakeFlow(ccpAlgorithm("dctcp"));
    quietWindows(flow, 200, 0);
    flow.report(0, { episode: EPISODE.loss, cut: 1, cwnd: packets(40) });
    expect(flow.last["Cwnd"]).toBe(packets(20));
  });
});

describe("Vegas over CCP", () => {
  const minRtt = 50_000;
  /** The end of a round in which `queued` packets of the window waited, by the RTT they cost. */
  const round = (flow: FakeFlow, cwnd: number, queued: number) =>
    flow.report(0, {
      round: 1,
      growing: 1,
      samples: 10,
      cuts: flow.fields["cuts"] ?? 0,
      cwnd: packets(cwnd),
      minRtt,
      roundRtt: minRtt * (1 + queued / cwnd),
    });
  const inAvoidance = () => {
    const flow = new FakeFlow(ccpAlgorithm("vegas"));
    flow.report(0, { episode: EPISODE.loss, cwnd: packets(80) });
    return flow;
  };

  it("leaves slow start for what the path holds plus one packet once more than gamma is queued", () => {
    const flow = new FakeFlow(ccpAlgorithm("vegas"));
    round(flow, 40, 0.5);
    expect(flow.last).toEqual({});
    round(flow, 40, 10);
    expect(flow.last["Cwnd"]).toBe(packets(40 / (1 + 10 / 40) + 1));
    expect(flow.last["ssthresh"]).toBe(packets(32));
  });

  it.each([
    [1, 51],
    [3, undefined],
    [5, 49],
  ])("with %d packets queued a window of 50 becomes %s", (queued, expected) => {
    const flow = inAvoidance();
    round(flow, 50, queued);
    expect(flow.last["Cwnd"]).toBe(expected === undefined ? undefined : packets(expected));
  });

  it("grows as Reno after a round with too few samples", () => {
    const flow = inAvoidance();
    flow.report(0, {
      round: 1,
      growing: 1,
      samples: 2,
      cuts: 1,
      cwnd: packets(50),
      minRtt,
      roundRtt: 2 * minRtt,
    });
    expect(flow.last["Cwnd"]).toBe(packets(51));
  });

  it("halves on loss and does not judge rounds spent in recovery", () => {
    const flow = inAvoidance();
    expect(flow.last["Cwnd"]).toBe(packets(40));
    flow.report(0, {
      round: 1,
      growing: 0,
      samples: 10,
      cuts: 1,
      cwnd: packets(40),
      minRtt,
      roundRtt: 2 * minRtt,
    });
    expect(flow.last).toEqual({});
  });
});
