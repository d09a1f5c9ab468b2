/** Slow start over CCP three ways: in the agent, and in the datapath program by cwnd and by rate, beside the native one. */
import { describe, expect, it } from "vitest";
import { claimsTable } from "../../eval/experiments/experiment.ts";
import { loadExperiment } from "../../eval/experiments/registry.ts";
import { drawSvg } from "../../eval/report/picture.ts";

describe("slow start over CCP three ways, and native", () => {
  it.each([
    ["reno", "standard"],
    ["reno", "hystart"],
    ["cubic", "hystart"],
    ["cubic", "hystart++"],
  ])(
    "%s with %s fills the link in each of them as the experiment claims, and is drawn",
    async (algorithm, slowStart) => {
      const { options, run, count, report } = await loadExperiment("slow-start");
      const given: Record<string, string> = { algorithm, slowStart };
      const settings = Object.fromEntries(
        Object.entries(options).map(([name, { initial, format, parse }]) => [
          name,
          parse(given[name] ?? format(initial)),
        ]),
      );
      const rows: object[] = [];
      for await (const row of run(settings)) rows.push(row);
      expect(rows).toHaveLength(count(settings));
      const { claims, figure } = report(rows, settings);
      console.log(claimsTable(claims));
      expect(claims.filter(({ verdict }) => verdict !== "pass")).toEqual([]);
      expect(await drawSvg(figure.spec, figure.names)).toContain("</svg>");
    },
  );
});
