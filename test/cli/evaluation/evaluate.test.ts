import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolders, runCli } from "../run-cli.ts";

const makeFolder = makeFolders();
const ONE = ["evaluate", "ccwg", "--algorithm", "reno", "--seeds", "1", "--quiet"];

describe("ccpark evaluate ccwg", () => {
  it("reruns a row by its name, the same in one thread and in two, with a report that holds its plot", async () => {
    const folder = makeFolder();
    const rows = ["--row", "wireless", "--row", "security"];
    const [one, two] = await Promise.all([
      runCli([...ONE, ...rows, "--json", "--workers", "1"]),
      runCli([...ONE, ...rows, "--json", "--workers", "2", "--out", folder]),
    ]);
    expect(one.stderr).toBe("");
    expect(one.code).toBe(0);
    expect(two.stdout).toBe(one.stdout);
    const [wireless, security] = one.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(wireless).toMatchObject({
      row: "wireless",
      section: "6.4",
      level: "criterion",
      plot: "wireless.svg",
    });
    expect(["pass", "fail"]).toContain(wireless.verdict);
    expect(wireless.quantities[0].source).toContain("RFC 9438");
    expect(wireless.command).toBe(
      "ccpark evaluate ccwg --algorithm reno --against cubic,bbr3 --seeds 1 --row wireless",
    );
    expect(security).toMatchObject({ row: "security", level: "MUST", verdict: "not run" });
    expect(readFileSync(join(folder, "results.jsonl"), "utf8")).toBe(one.stdout);
    expect(readFileSync(join(folder, "wireless.svg"), "utf8")).toContain("</svg>");
    const page = readFileSync(join(folder, "report.html"), "utf8");
    expect(page).toContain("</svg>");
    expect(page).not.toContain("<script");
  }, 120_000);

  it.each([
    [["--row", "wirless"], "unknown row `wirless`; did you mean `wireless`?"],
    [["--testbed", "simulatd"], "did you mean `simulated`?"],
    [["--against", "cubix"], "did you mean `cubic`?"],
  ])("says in a sentence what is wrong with %s", async (args, expected) => {
    const { code, stderr } = await runCli([...ONE, ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(expected);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  it("stops in a sentence with its line where no run of an algorithm comes to an end", async () => {
    const cwd = makeFolder();
    writeFileSync(
      join(cwd, "mine.mjs"),
      `export default { name: "mine", summary: "sets no number", source: "none", reads: [], params: [],
        ccp: () => ({ name: "mine", programs: { mine: "(def (Report (rtt 0)))\\n(when true (report))" },
          newFlow: (control) => { control.setProgram("mine", { Cwnd: Number.NaN }); return { onReport() {} }; } }) };\n`,
    );
    const args = ["evaluate", "ccwg", "--algorithm", "./mine.mjs", "--seeds", "1", "--quiet", "--row"];
    const { code, stdout, stderr } = await runCli([...args, "wireless"], { cwd });
    expect(stdout).toBe("");
    expect(stderr).toMatch(
      /^error: \[evaluate\] .*none of its runs came to an end.*\.\/mine\.mjs:3: .*NaN.*\n$/,
    );
    expect(code).toBe(2);
  });

  it("says for a testbed in real time which rows it cannot run", async () => {
    const { code, stdout } = await runCli([...ONE, "--testbed", "udp", "--row", "data-centre", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ row: "data-centre", testbed: "udp", verdict: "not run" });
  });
});
