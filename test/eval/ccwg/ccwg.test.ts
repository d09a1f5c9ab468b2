import { describe, expect, it } from "vitest";
import { type Evaluation, planOf } from "../../../cli/evaluate/evaluation.ts";
import { type JudgedRow, judgeRow, runUnit, type UnitOutcome } from "../../../eval/ccwg/evaluate.ts";
import { ccwgRows } from "../../../eval/ccwg/registry.ts";
import { ccwgPage, ccwgTable } from "../../../eval/ccwg/report.ts";
import { canRun } from "../../../eval/ccwg/row.ts";

const SEED = 1;

async function evaluate(algorithm: string, row: string): Promise<JudgedRow> {
  const evaluation: Evaluation = await planOf({
    algorithm,
    against: [],
    rows: [row],
    seeds: [SEED],
    testbed: "simulated",
    quiet: true,
  });
  const { plan, contenders, testbed, evaluated } = evaluation;
  const outcomes: UnitOutcome[] = [];
  for (const unit of plan.units) outcomes.push(await runUnit(unit, contenders.get(unit.contender)!, testbed));
  return judgeRow(plan.rows[0]!, outcomes, {
    algorithm: evaluated.name,
    testbed: testbed.name,
    seeds: [SEED],
    commandOf: (name) => `again ${name}`,
  });
}

function failedOf({ record }: JudgedRow): string[] {
  return record.quantities.filter(({ verdict }) => verdict === "fail").map(({ name }) => name);
}

describe("rows of RFC 9743", () => {
  const rows = ccwgRows(["cubic", "bbr3"]);

  it("have names of their own, in the order of sections, and stand for every MUST that the RFC has", () => {
    const names = rows.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const musts = rows.filter(({ level }) => level === "MUST").map(({ section }) => section);
    for (const section of [
      "3.2",
      "5.1.5",
      "5.2",
      "5.2.1",
      "5.2.3",
      "5.3.1",
      "5.3.2",
      "6.1",
      "6.2",
      "7.9",
      "7.10",
      "8",
    ]) {
      expect(musts).toContain(section);
    }
    const shoulds = rows.filter(({ level }) => level === "SHOULD").map(({ section }) => section);
    for (const section of ["5.2.2", "7.1", "7.3", "7.6", "7.8", "7.11"]) expect(shoulds).toContain(section);
    expect(names).toContain("against-bbr3");
    expect(names.filter((name) => name === "against-cubic")).toHaveLength(1);
  });

  it("run in the simulator, each run under a name of its own", () => {
    for (const row of rows.filter(canRun)) {
      const ids = row.runs.map(({ id }) => id);
      expect(new Set(ids).size, row.name).toBe(ids.length);
    }
  });

  it(`catch BBR's losses below 1.5 BDP, and not at 3 (seed ${SEED})`, async () => {
    const judged = await evaluate("bbr", "high-loss");
    expect(judged.record.verdict).toBe("fail");
    expect(failedOf(judged)).toContain("packets lost, 0.5 BDP");
    expect(failedOf(judged)).toContain("packets lost, 1 BDP");
    expect(failedOf(judged)).not.toContain("packets lost, 3 BDP");
    expect((await evaluate("bbr3", "high-loss")).record.verdict).toBe("pass");
  }, 120_000);

  it(`catch that Reno favours short round trips (seed ${SEED})`, async () => {
    expect((await evaluate("reno", "fairness-rtt")).record.verdict).toBe("fail");
  }, 60_000);

  it(`catch Vegas starving beside CUBIC (seed ${SEED})`, async () => {
    const vegas = failedOf(await evaluate("vegas", "starvation"));
    expect(vegas).toContain("evaluated / cubic goodput, 4 BDP");
    expect((await evaluate("cubic", "starvation")).record.verdict).toBe("pass");
  }, 120_000);

  it("say the mistake of a contender that cannot run them, and the others go on", async () => {
    const { plan, testbed } = await planOf({
      algorithm: "reno",
      against: [],
      rows: ["bufferbloat"],
      seeds: [SEED],
      testbed: "simulated",
      quiet: true,
    });
    const { record } = judgeRow(plan.rows[0]!, [{ why: "[agent] gone" }], {
      algorithm: "reno",
      testbed: testbed.name,
      seeds: [SEED],
      commandOf: (name) => name,
    });
    expect(record).toMatchObject({ verdict: "not run", why: "[agent] gone", quantities: [] });
  });

  it("show on a terminal the quantity that is furthest beyond its threshold, or the nearest to it", async () => {
    const { record } = await evaluate("reno", "bufferbloat");
    const [quantity] = record.quantities;
    const shown = (values: readonly number[]): string => {
      const quantities = values.map((value, i) => ({
        ...quantity!,
        name: `ratio ${i}`,
        value,
        threshold: { low: 0.1, high: 10 },
        verdict: value >= 0.1 && value <= 10 ? ("pass" as const) : ("fail" as const),
      }));
      return /ratio \d/.exec(ccwgTable([{ ...record, quantities }]))![0];
    };
    expect(shown([1, 0.09, 0.01, 0.05])).toBe("ratio 2");
    expect(shown([11, 30, 0.5])).toBe("ratio 1");
    expect(shown([1, 9, 0.5])).toBe("ratio 1");
    expect(shown([0.05, Number.NaN])).toBe("ratio 1");
  });

  it("show a page whose text stays text", async () => {
    const judged = await evaluate("reno", "bufferbloat");
    const evil = "<script>alert(1)</script>";
    const page = ccwgPage([{ ...judged.record, algorithm: evil }], new Map(), {
      algorithm: evil,
      command: evil,
    });
    expect(page).not.toContain("<script");
    expect(page).toContain("again bufferbloat");
    expect(page).not.toMatch(/(src|href)="http/);
  });
});
