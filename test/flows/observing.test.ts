/** Bands, observers and their queues, without any network around them. */
import { describe, expect, it } from "vitest";
import { ALL_BANDS, BANDS, bandsOf, maskOf } from "../../flows/bands.ts";
import { FlowHandle } from "../../flows/handle.ts";
import { NamedFlow } from "../../flows/named-flow.ts";
import { ObservationQueue } from "../../flows/observation-queue.ts";

const makeFlow = (): NamedFlow => new NamedFlow(new FlowHandle(1n, 2, 3), "test/flow-0");

/** A flow that reports everything once, and what of it was made. */
function reportAll(flow: NamedFlow, timeUs: number, made: string[]): void {
  const making =
    <T>(band: string, body: T): (() => T) =>
    () => {
      made.push(band);
      return body;
    };
  flow.publish("membership", timeUs, making("membership", { event: "joined", name: flow.name }));
  flow.publish("control", timeUs, making("control", { cwndBytes: 1, rateBytesPerSec: 2, inflightBytes: 3 }));
  flow.publish("fault", timeUs, making("fault", { lostPackets: 1, timeouts: 0 }));
  flow.publish("measurement", timeUs, making("measurement", { srttUs: 1, minRttUs: 1, deliveredBytes: 9 }));
  flow.publish(
    "truth",
    timeUs,
    making("truth", { capacityBytesPerSec: 1, queueBytes: 0, droppedPackets: 0 }),
  );
}

describe("bands", () => {
  it("are named, and a mask is the sum of their bits", () => {
    expect(ALL_BANDS).toBe(31);
    expect(maskOf(["fault", "truth"])).toBe(BANDS.fault.bit | BANDS.truth.bit);
    expect(bandsOf(maskOf(["truth", "membership"]))).toEqual(["membership", "truth"]);
    expect(() => maskOf(["falt"])).toThrow("[flows] unknown band `falt`; did you mean `fault`?");
    expect(() => makeFlow().observe({ mask: 32 })).toThrow("bands: got mask 32, expected 1 to 31");
    expect(() => makeFlow().observe({ mask: 0 })).toThrow("bands: got mask 0");
  });

  it("that nobody wants are not produced: an observer of losses gets no rates, and none are made", () => {
    const flow = makeFlow();
    const made: string[] = [];
    reportAll(flow, 1, made);
    expect(made).toEqual([]);
    const losses = flow.observe({ mask: BANDS.fault.bit });
    reportAll(flow, 2, made);
    expect(made).toEqual(["fault"]);
    expect(losses.read()).toMatchObject({ band: "fault", timeUs: 2, body: { lostPackets: 1 } });
    expect(losses.read()).toBeUndefined();
    losses.close();
    reportAll(flow, 3, made);
    expect(made).toEqual(["fault"]);
    expect(flow.wanted).toBe(0);
  });

  it("cost the flow the same with one observer and with many: each report is made once", () => {
    const flow = makeFlow();
    const made: string[] = [];
    const observers = [flow.observe({ mask: ALL_BANDS })];
    reportAll(flow, 1, made);
    const withOne = made.length;
    for (let i = 0; i < 9; i++) observers.push(flow.observe({ mask: ALL_BANDS }));
    made.length = 0;
    reportAll(flow, 2, made);
    expect(made).toHaveLength(withOne);
    const [, second] = observers;
    const first = second!.read();
    // one object for all: nothing is copied for an observer
    for (const other of observers.slice(2)) expect(other.read()).toBe(first);
  });

  it("are joined by observers while the flow runs, from the next report on, with the flow's own numbers", () => {
    const flow = makeFlow();
    flow.observe({ mask: ALL_BANDS });
    reportAll(flow, 1, []);
    const late = flow.observe({ mask: BANDS.control.bit });
    reportAll(flow, 2, []);
    expect(late.read()).toMatchObject({ number: 7, timeUs: 2 });
  });

  it("with nothing to tell make no report", () => {
    const flow = makeFlow();
    const observer = flow.observe({ mask: ALL_BANDS });
    flow.publish("fault", 1, () => undefined);
    expect(observer.read()).toBeUndefined();
    expect(flow.reportCount).toBe(0);
  });
});

describe("an observation queue", () => {
  it("of 8 with 10,000 unread reports reads 9993 to 10000 in order, with 9,992 overwritten and 5 notices", () => {
    const queue = new ObservationQueue<number>(8);
    for (let i = 1; i <= 10_000; i++) queue.push(i);
    const read: number[] = [];
    for (let one = queue.read(); one !== undefined; one = queue.read()) read.push(one);
    expect(read).toEqual([9993, 9994, 9995, 9996, 9997, 9998, 9999, 10_000]);
    expect(queue.overwritten).toBe(9992);
    expect(queue.takeNotices()).toEqual([
      { overwritten: 1, received: 9 },
      { overwritten: 10, received: 18 },
      { overwritten: 100, received: 108 },
      { overwritten: 1000, received: 1008 },
      { overwritten: 9992, received: 10_000 },
    ]);
    expect(queue.takeNotices()).toEqual([]);
  });

  it("that is read in time overwrites nothing and tells nothing", () => {
    const queue = new ObservationQueue<number>(2);
    for (let i = 0; i < 1000; i++) {
      queue.push(i);
      expect(queue.read()).toBe(i);
    }
    expect(queue.takeNotices()).toEqual([]);
  });

  it("of a reader that always lags tells seldom: never more often than the count grows tenfold", () => {
    const queue = new ObservationQueue<number>(4);
    let last = -1;
    for (let i = 0; i < 20_000; i++) {
      queue.push(2 * i);
      queue.push(2 * i + 1);
      const one = queue.read()!;
      expect(one).toBeGreaterThan(last);
      last = one;
    }
    expect(queue.takeNotices()).toHaveLength(5);
  });

  it("tells the observer of a named flow, whose queue is bounded", () => {
    const flow = makeFlow();
    let calls = 0;
    const observer = flow.observe({ mask: ALL_BANDS, capacity: 2, onReadable: () => calls++ });
    reportAll(flow, 1, []);
    expect(calls).toBe(1);
    expect(observer.read()).toMatchObject({ band: "measurement" });
    expect(observer.read()).toMatchObject({ band: "truth" });
    expect(observer.takeNotices()).toEqual([
      { overwritten: 1, received: 3 },
      { overwritten: 3, received: 5 },
    ]);
    expect(() => flow.observe({ mask: 1, capacity: 0 })).toThrow(
      "queue: got 0 reports, expected a whole number",
    );
  });
});
