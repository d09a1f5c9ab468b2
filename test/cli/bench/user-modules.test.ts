/** Algorithms of a user's own modules in `ccpark bench`: what their programs probably do not mean is said once. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolders, runCli } from "../run-cli.ts";

const makeFolder = makeFolders();
const BENCH = ["bench", "--duration", "1", "--seeds", "4", "--json", "--algorithms"];

function moduleOf(body: string): string {
  return `export default {
  name: "mine", summary: "a window of ten packets", source: "none", reads: [], params: [],
  ccp: () => ({
    name: "mine",
    programs: { mine: "(def (Report (rtt 0)))\\n(when true ${body})" },
    newFlow: (control, info) => { control.setProgram("mine", { Cwnd: 10 * info.mssBytes }); return { onReport() {} }; },
  }),
};
`;
}

describe("the program of a module", () => {
  it("that names no measurement is run with one warning that guesses, also on several threads", async () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, "mine.mjs"), moduleOf("(:= Report.rtt Flow.rtt_sampel_us) (:= Report.rttt 3)"));
    const { code, stderr } = await runCli([...BENCH, "./mine.mjs,cubic"], { cwd });
    expect(code, stderr).toBe(0);
    const warnings = stderr.split("\n").filter((line) => line.startsWith("warning: "));
    expect(warnings).toEqual([
      "warning: ./mine.mjs: program mine, line 2, column 27: `Flow.rtt_sampel_us` is not declared: never bound, so it reads 0 (did you mean `Flow.rtt_sample_us`?)",
      "warning: ./mine.mjs: program mine, line 2, column 51: `Report.rttt` is not declared: a local variable (did you mean `Report.rtt`?)",
    ]);
  });

  it("may have local variables without a word", async () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, "mine.mjs"), moduleOf("(:= last Flow.rtt_sample_us) (:= Report.rtt last)"));
    const { code, stderr } = await runCli([...BENCH, "./mine.mjs"], { cwd });
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain("warning");
  });
});

describe("a module that throws", () => {
  it("is named where its flow has thrown", async () => {
    const cwd = makeFolder();
    const body = moduleOf("(:= Report.rtt Flow.rtt_sample_us)\\n(report)").replace(
      "return { onReport() {} }",
      "cwnd = 3",
    );
    writeFileSync(join(cwd, "mine.mjs"), body);
    const { code, stderr } = await runCli([...BENCH, "./mine.mjs"], { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain("error: mine: cwnd is not defined");
  });
});
