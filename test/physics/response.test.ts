import { describe, expect, it } from "vitest";
import { measureResponse, RESPONSE_PLANS, type ResponsePlan } from "../../eval/experiments/laws/response.ts";

function measure(plan: ResponsePlan) {
  const point = measureResponse(plan);
  const { algorithm, lossRate, rttMs, seed, measuredLosses, packetsPerRtt, models } = point;
  const shares = Object.entries(models).map(
    ([name, model]) => `${name} x ${(packetsPerRtt / model).toFixed(3)}`,
  );
  console.log(
    `${algorithm} seed ${seed}: p ${lossRate}, ${rttMs} ms, ${measuredLosses} losses, ` +
      `${packetsPerRtt.toFixed(2)} packets per RTT: ${shares.join(", ")}`,
  );
  return point;
}

const plansOf = (algorithm: string, low: number, high: number) =>
  RESPONSE_PLANS.filter(
    (plan) => plan.algorithm === algorithm && plan.lossRate >= low && plan.lossRate <= high,
  );

describe("response functions, where the link never limits", () => {
  it.each(plansOf("reno", 0.0001, 0.005))(
    "Reno sends 1.31 / sqrt(p) packets per RTT within 10 % under independent loss of $lossRate",
    (plan) => {
      const point = measure(plan);
      expect(point.measuredLosses).toBeGreaterThanOrEqual(1000);
      const share = point.packetsPerRtt / point.models.mathis;
      expect(share).toBeGreaterThan(0.9);
      expect(share).toBeLessThan(1.1);
    },
  );

  it.each(plansOf("reno", 0.0051, 0.05))(
    "Reno sends what RFC 5348's equation says within 20 % under independent loss of $lossRate",
    (plan) => {
      const point = measure(plan);
      expect(point.measuredLosses).toBeGreaterThanOrEqual(1000);
      const share = point.packetsPerRtt / point.models.rfc5348;
      expect(share).toBeGreaterThan(0.8);
      expect(share).toBeLessThan(1.2);
    },
  );

  it.each(plansOf("cubic", 0, 1))(
    "Cubic sends what RFC 9438's response function says within 15 % under periodic loss of $lossRate at $rttMs ms",
    (plan) => {
      const point = measure(plan);
      expect(point.packetsPerRtt).toBeGreaterThan(20);
      const share = point.packetsPerRtt / point.models.rfc9438;
      expect(share).toBeGreaterThan(0.85);
      expect(share).toBeLessThan(1.15);
    },
  );
});
