import { describe, expect, it } from "vitest";
import { RoundMax } from "../../../algorithms/ccp/parts/round-max.ts";
import { ccpAlgorithm } from "../../../algorithms/reference.ts";
import { fromMbps, MICROS_PER_SEC, MSS_BYTES } from "../../../core/units.ts";
import { FakeFlow, INFINITY_REPORTED } from "./fake-flow.ts";

const RTT_US = 50_000;
const RATE = fromMbps(48);
const BDP = (RATE * RTT_US) / MICROS_PER_SEC;

/**
 * Linux's window: whole pairs of packets of the gain's BDP, three bursts of 1/1024 s at the pacing rate (two packets at least),
 * and two packets in the phase that probes.
 */
function inflightBytes(gain: number, pacingGain: number, probes = false): number {
  const pairs = Math.ceil((gain * BDP) / (2 * MSS_BYTES));
  const burst = Math.max(2, Math.floor((0.99 * pacingGain * RATE) / 1024 / MSS_BYTES));
  return (2 * pairs + 3 * burst + (probes ? 2 : 0)) * MSS_BYTES;
}

/** BBR on a path of 48 Mbit/s and 50 ms, told of one round after another. */
class BbrStory extends FakeFlow {
  nowUs = 0;
  constructor(flowId = 1) {
    super(ccpAlgorithm("bbr"), { flowId });
  }
  round(values: Readonly<Record<string, number>> = {}): void {
    this.nowUs += RTT_US;
    this.report(this.nowUs, { round: 1, rate: RATE, rtt: RTT_US, cwnd: Math.floor(2 * BDP), ...values });
  }
  alarm(values: Readonly<Record<string, number>> = {}): void {
    this.report(this.nowUs, {
      alarm: 1,
      rate: RATE,
      rtt: RTT_US + 1,
      cwnd: Math.floor(2 * BDP),
      ...values,
    });
  }
  fillPipe(): this {
    for (let i = 0; i < 4; i++) this.round();
    return this;
  }
  get pacingGain(): number {
    return this.fields["pacingGain"]! / 1000;
  }
}

describe("BBR", () => {
  it("paces at 2.885 times the initial window per RTT once it knows the RTT", () => {
    const flow = new BbrStory();
    flow.round({ rate: 0, cwnd: 10 * MSS_BYTES });
    expect(flow.last["Rate"]).toBe(Math.floor((2.885 * 10 * MSS_BYTES) / 0.05));
    flow.round();
    expect(flow.last["Rate"]).toBeUndefined();
  });

  it("STARTUP goes on while bandwidth grows by a quarter per round", () => {
    const flow = new BbrStory();
    for (let i = 0; i < 10; i++) flow.round({ rate: Math.floor(1e5 * 1.25 ** i) + i });
    expect(flow.pacingGain).toBe(2.885);
    expect(flow.fields["filled"]).toBe(0);
  });

  it("DRAIN begins after three rounds without such growth, and waits for inflight to fall to the BDP", () => {
    const flow = new BbrStory();
    for (let i = 0; i < 3; i++) flow.round();
    expect(flow.fields["filled"]).toBe(0);
    flow.round();
    expect(flow.fields["filled"]).toBe(1);
    expect(flow.pacingGain).toBeCloseTo(1 / 2.885, 3);
    expect(flow.fields["cwndGain"]).toBe(2885);
    expect(flow.fields["below"]).toBe(inflightBytes(1, 1 / 2.885) + 1);
  });

  it("PROBE_BW cycles 5/4, 3/4 and six times 1", () => {
    const flow = new BbrStory(7).fillPipe(); // flow 7: first phase 0
    flow.alarm();
    const gains: number[] = [];
    for (let i = 0; i < 9; i++) {
      gains.push(flow.pacingGain);
      flow.alarm();
    }
    expect(gains).toEqual([1.25, 0.75, 1, 1, 1, 1, 1, 1, 1.25]);
    expect(flow.fields["cwndGain"]).toBe(2000);
  });

  it("waits in each phase of PROBE_BW for what that phase is to bring about", () => {
    const flow = new BbrStory(7).fillPipe();
    flow.alarm();
    expect(flow.last).toMatchObject({ span: RTT_US, above: inflightBytes(1.25, 1.25, true), below: 0 });
    flow.alarm();
    expect(flow.last).toMatchObject({ span: RTT_US, above: 0, below: inflightBytes(1, 0.75) + 1 });
    flow.alarm();
    expect(flow.last).toMatchObject({ span: RTT_US, above: 0, below: 0 });
  });

  it("sets what has changed, and all of it in the phase that probes, should the datapath have missed some", () => {
    const flow = new BbrStory(7).fillPipe();
    flow.alarm();
    expect(Object.keys(flow.last)).toEqual(expect.arrayContaining(["filterRate", "minRtt", "cap", "extra"]));
    flow.alarm();
    expect(Object.keys(flow.last).sort()).toEqual(["above", "below", "extra", "pacingGain", "span"]);
    flow.round();
    expect(flow.last).toEqual({});
    flow.round({ rate: 2 * RATE });
    expect(flow.last["filterRate"]).toBe(2 * RATE);
    expect(flow.last["minRtt"]).toBeUndefined();
    for (let phase = 2; phase <= 8; phase++) flow.alarm();
    expect(flow.pacingGain).toBe(1.25);
    expect(flow.last).toMatchObject({ filterRate: 2 * RATE, minRtt: RTT_US, filled: 1 });
  });

  it("starts the cycle of each flow in a phase of its own, never in the draining one", () => {
    const first = (flowId: number) => {
      const flow = new BbrStory(flowId).fillPipe();
      flow.alarm();
      return flow.pacingGain;
    };
    const gains = [1, 2, 3, 4, 5, 6, 7].map(first);
    expect(gains).not.toContain(0.75);
    expect(gains.filter((gain) => gain === 1.25)).toHaveLength(1);
  });

  it("remembers the highest bandwidth for ten rounds", () => {
    const flow = new BbrStory().fillPipe();
    flow.alarm();
    flow.round();
    for (let i = 0; i < 9; i++) flow.round({ rate: RATE / 2, rtt: RTT_US });
    expect(flow.fields["filterRate"]).toBe(RATE);
    flow.round({ rate: RATE / 2 });
    expect(flow.fields["filterRate"]).toBe(RATE / 2);
  });

  it("PROBE_RTT: after 10 s without a lower RTT, 200 ms at four packets, then the window and the cycle resume", () => {
    const flow = new BbrStory().fillPipe();
    flow.alarm();
    // the minimum dates from 50 ms: the equal samples after it do not renew it
    while (flow.nowUs < 10 * MICROS_PER_SEC + RTT_US) flow.round({ rtt: 60_000 });
    expect(flow.fields["cap"]).toBe(INFINITY_REPORTED);
    flow.round({ rtt: 60_000 });
    expect(flow.fields["cap"]).toBe(4 * MSS_BYTES);
    expect(flow.fields["below"]).toBe(4 * MSS_BYTES + 1);
    flow.alarm({ cwnd: 4 * MSS_BYTES });
    expect(flow.last).toMatchObject({ span: 200_000, below: 0, cap: 4 * MSS_BYTES });
    flow.round({ rate: 1000, rtt: RTT_US, cwnd: 4 * MSS_BYTES });
    expect(flow.fields["filterRate"]).toBe(RATE);
    flow.alarm({ cwnd: 4 * MSS_BYTES });
    expect(flow.fields["cap"]).toBe(INFINITY_REPORTED);
    expect(flow.last["Cwnd"]).toBe(Math.floor(2 * BDP));
    expect(flow.fields["cwndGain"]).toBe(2000);
  });

  it("does not take PROBE_RTT's own trickle for the path's bandwidth, however short the rounds", () => {
    const flow = new BbrStory().fillPipe();
    flow.alarm();
    flow.nowUs = 11 * MICROS_PER_SEC;
    flow.round();
    flow.alarm({ cwnd: 4 * MSS_BYTES });
    for (let i = 0; i < 40; i++) flow.round({ rate: 1000, cwnd: 4 * MSS_BYTES });
    expect(flow.fields["filterRate"]).toBe(RATE);
  });

  it("allows for what was acknowledged beyond the bandwidth, for 5 to 10 rounds", () => {
    for (let phase = 0; phase < 5; phase++) {
      const flow = new BbrStory();
      for (let i = 0; i < phase; i++) flow.round();
      flow.round({ excess: 30_000 });
      let remembered = 0;
      for (; flow.fields["aggregation"] === 30_000; remembered++) flow.round({ excess: 1000 });
      expect(remembered).toBeGreaterThanOrEqual(5);
      expect(remembered).toBeLessThanOrEqual(10);
      expect(flow.fields["aggregation"]).toBe(1000);
    }
  });

  it("measures the pipe anew after a timeout in STARTUP", () => {
    const flow = new BbrStory();
    for (let i = 0; i < 3; i++) flow.round();
    flow.report(flow.nowUs, { timeout: 1, rtt: INFINITY_REPORTED, cwnd: MSS_BYTES });
    flow.round(); // counts as growth: nothing is remembered
    expect(flow.fields["filled"]).toBe(0);
  });
});

describe("RoundMax", () => {
  it("forgets a value when its round leaves the window", () => {
    const max = new RoundMax(2);
    max.add(9);
    max.add(4);
    expect(max.value).toBe(9);
    max.advance();
    max.add(5);
    max.advance();
    expect(max.value).toBe(9);
    max.advance();
    expect(max.value).toBe(5);
  });
});
