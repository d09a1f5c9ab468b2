/** DTL's evaluation: one number from less than best effort to many TCPs' share, also on live flows. */
import { describe, expect, it } from "vitest";
import { multcpDecrease, smoothStartPackets } from "../../algorithms/ccp/ledbat/dtl.ts";
import { claimsTable } from "../../eval/experiments/experiment.ts";
import { loadExperiment } from "../../eval/experiments/registry.ts";
import { meanMbps, packetsIn, runShares } from "../../eval/experiments/shares.ts";
import { drawSvg } from "../../eval/report/picture.ts";

const TIMEOUT_MS = 120_000;

/** Seeds of the short form: what has a wide scatter takes all. */
const EXPERIMENTS: readonly (readonly [string, number])[] = [
  ["dtl-fairness", 5],
  ["dtl-ten", 1],
  ["dtl-yield", 1],
  ["dtl-reno", 3],
  ["dtl-live", 3],
  ["dtl-five", 2],
  ["dtl-weights", 1],
];

describe("DTL's evaluation", () => {
  it.each(EXPERIMENTS)(
    "%s holds what it claims with %d seeds",
    async (name, seedCount) => {
      const { options, run, count, report } = await loadExperiment(name);
      const settings = { seeds: options["seeds"]!.parse(String(seedCount)), over: ["engine"], times: 1 };
      const rows: object[] = [];
      for await (const row of run(settings)) rows.push(row);
      expect(rows).toHaveLength(count(settings));
      const { claims, figure } = report(rows, settings);
      console.log(`seeds 1 to ${seedCount}\n${claimsTable(claims)}`);
      expect(claims.filter(({ verdict }) => verdict === "fail")).toEqual([]);
      expect(claims.filter(({ verdict }) => verdict === "pass").length).toBeGreaterThan(0);
      expect(await drawSvg(figure.spec, figure.names)).toContain("</svg>");
    },
    TIMEOUT_MS,
  );

  it("a change of priority does not disturb a live flow that fills its link, and is the same for the same seed", async () => {
    const link = { mbps: 10, rttMs: 40, queuePackets: packetsIn(10, 200), durationSec: 40 };
    const run = (changes: readonly { atSec: number; params: { priority: number } }[]) =>
      runShares(link, [{ id: "a", algorithm: "dtl:priority=0,drainSec=0", startSec: 0, changes }], {
        name: "change",
        source: "test",
        seed: 1,
      });
    const changed = await run([
      { atSec: 10, params: { priority: 4 } },
      { atSec: 20, params: { priority: 0 } },
    ]);
    // alone on the link it fills it before, between and after; priority 0 first gives back what is over its target
    for (const [from, to] of [
      [5, 10],
      [10, 12],
      [12, 20],
      [24, 40],
    ] as const) {
      expect(meanMbps(changed, "a", from, to)).toBeGreaterThan(0.9 * 10);
    }
    expect(await run([])).not.toEqual(changed);
    expect(
      await run([
        { atSec: 10, params: { priority: 4 } },
        { atSec: 20, params: { priority: 0 } },
      ]),
    ).toEqual(changed);
  });

  it(
    "has the same shape over stacks of chunnels, side by side in one table",
    async () => {
      const { options, run, report } = await loadExperiment("dtl-live");
      const settings = { seeds: [1], over: options["over"]!.parse("engine,transport"), times: 0.25 };
      const rows: object[] = [];
      for await (const row of run(settings)) rows.push(row);
      const { claims, text } = report(rows, settings);
      console.log(text);
      const measured = (over: string, priority: number): number => {
        const claim = `${over}drop-tail: its share with priority ${priority}`;
        return claims.find((each) => each.claim.startsWith(claim))!.measured;
      };
      for (const priority of [0, 1, 2]) {
        expect(Math.abs(measured("over transport: ", priority) - measured("", priority))).toBeLessThan(0.15);
      }
      expect(measured("over transport: ", 0)).toBeLessThan(measured("over transport: ", 1));
      expect(measured("over transport: ", 1)).toBeLessThan(measured("over transport: ", 2));
      expect(text).toMatch(/The same over each:\n.*engine.*transport/s);
      expect(() => options["over"]!.parse("engine,engine")).toThrow(/each once/);
    },
    TIMEOUT_MS,
  );

  it("MulTCP2 gives up Reno's half for one TCP and less for more, and its slow start meets that of N TCPs", () => {
    expect([1, 2, 4].map(multcpDecrease)).toEqual([1 / 2, 2 / 7, 2 / 13]);
    expect(smoothStartPackets(1, 10)).toBe(10);
    // after k rounds of tripling: N initial windows that have doubled k times
    const rounds = Math.log(3) / Math.log(1.5);
    expect(smoothStartPackets(3, 10)).toBeCloseTo(3 * 10 * 2 ** rounds, 6);
  });
});
