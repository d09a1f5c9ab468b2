/** The frame that an environment writes once a step, against the table of its features. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ACTIONS } from "../../envs/signals/actions.ts";
import { emptyInterval, type Interval } from "../../envs/signals/interval.ts";
import { type FlowView, firstView, OBSERVATIONS } from "../../envs/signals/observations.ts";
import type { Space } from "../../envs/spaces.ts";

const count = fc.integer({ min: 0, max: 100_000 });
const micros = fc.double({ min: 0, max: 1e7, noNaN: true });
const rate = fc.double({ min: 0, max: 1e10, noNaN: true });

/** Of a flow whose only report this was. */
function pushed(interval: Interval, cwndBytes: number): FlowView {
  const view = firstView(interval, cwndBytes);
  if (interval.report) view.path.push(interval);
  return { ...view, srttUs: interval.meanRttUs, rateBytesPerSec: interval.sendRateBytesPerSec };
}

const views: fc.Arbitrary<FlowView> = fc
  .record({
    report: fc.boolean(),
    timeout: fc.boolean(),
    ackedPackets: count,
    misorderedPackets: count,
    ecnBytes: count,
    ecnPackets: count,
    lastLostPackets: count,
    lostPackets: count,
    inflightPackets: count,
    pendingBytes: count,
    rttUs: micros,
    meanRttUs: micros,
    minRttUs: fc.oneof(fc.constant(0), micros),
    sendRateBytesPerSec: rate,
    deliveryRateBytesPerSec: rate,
    cwndBytes: fc.integer({ min: 1, max: 10_000_000 }),
    log2CwndChange: fc.double({ min: -2, max: 2, noNaN: true }),
    maxDeliveryRateBytesPerSec: fc.oneof(fc.constant(0), rate),
  })
  .map(({ cwndBytes, log2CwndChange, maxDeliveryRateBytesPerSec, ...measured }) => ({
    ...pushed({ ...emptyInterval(1448), ...measured, ackedBytes: measured.ackedPackets * 1448 }, cwndBytes),
    log2CwndChange,
    maxDeliveryRateBytesPerSec,
  }));

describe.each([...OBSERVATIONS.values()])("observation $name", (spec) => {
  it("writes each feature at its place in the table, where it was told to and nowhere else", () => {
    fc.assert(
      fc.property(views, fc.integer({ min: 0, max: 5 }), (view, offset) => {
        const width = spec.features.length;
        const into = new Float32Array(offset + width + 3).fill(42);
        spec.writeFrame(view, into, offset);
        expect([...into.subarray(offset, offset + width)]).toEqual(spec.values(view).map(Math.fround));
        spec.features.forEach(({ low, high, name }, i) => {
          expect(into[offset + i], name).toBeGreaterThanOrEqual(low);
          expect(into[offset + i], name).toBeLessThanOrEqual(high);
        });
        expect(into.subarray(0, offset).every((value) => value === 42)).toBe(true);
        expect(into.subarray(offset + width).every((value) => value === 42)).toBe(true);
      }),
      { seed: 7, numRuns: 500 },
    );
  });
});

/** A view that tells on whoever reads its path. */
function withoutPath(view: FlowView): FlowView {
  return Object.defineProperty({ ...view }, "path", {
    get: () => {
      throw new Error("reads the path");
    },
  });
}

const middleOf = (space: Space): number[] =>
  "low" in space ? [...space.low].map((low, i) => low + (space.high[i]! - low) / 2) : [0];

describe("the model of the path, which is kept only for who reads it", () => {
  const specs = [...OBSERVATIONS.values()].filter(({ ignoresPath }) => ignoresPath);
  it.each(specs)("observation $name says that it does not, and never does", (spec) => {
    fc.assert(
      fc.property(views, (view) => {
        const into = new Float32Array(spec.features.length);
        spec.writeFrame(withoutPath(view), into, 0);
        expect([...into]).toEqual(spec.values(view).map(Math.fround));
      }),
      { seed: 8, numRuns: 300 },
    );
  });

  const forms = [...ACTIONS.values()].filter(({ ignoresPath }) => ignoresPath);
  it.each(forms)("action $name says that it does not, and never does", (spec) => {
    const [plain, told] = [withoutPath, (view: FlowView) => view].map((given) => {
      const setting = { cwndBytes: 20_000, rateBytesPerSec: 0 };
      const view = given(firstView(emptyInterval(1448), setting.cwndBytes));
      const form = spec.forFlow?.(1448, setting.cwndBytes) ?? spec;
      for (let step = 0; step < 20; step++) {
        form.apply(middleOf(spec.space), setting, 1448, view);
        form.observe?.(view, step * 10_000);
      }
      return setting;
    });
    expect(plain).toEqual(told);
  });

  it("has such a form and such an observation, and others that read it", () => {
    expect(specs.map(({ name }) => name)).toEqual(["standard", "park-14"]);
    expect(forms.map(({ name }) => name)).toEqual(["multiplicative", "absolute"]);
  });
});
