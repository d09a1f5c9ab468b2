/** Algorithms of a user's own modules in `ccpark bench`: what their programs probably do not mean is said once. */
import { mkdirSync, writeFileSync } from "node:fs";
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

describe("the program of a module, as its file has it over several lines", () => {
  const written = (line: string): string =>
    moduleOf("").replace(
      /programs: \{.*\}/,
      () => `programs: { mine: \`(def (Report (rtt 0)))\n(when true\n${line}\n)\` }`,
    );

  it("is told its mistakes with the line of the file and that of the program", async () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, "torn.mjs"), written("(:= Report.rtt (+ 1))"));
    writeFileSync(join(cwd, "mine.mjs"), written("(:= Report.rtt Flow.rtt_sampel_us)"));
    const outcomes = await Promise.all(
      [
        [...BENCH, "./torn.mjs"],
        [...BENCH, "./torn.mjs", "--quiet"],
        ["explain", "./torn.mjs"],
        ["explain", "./mine.mjs"],
      ].map((args) => runCli(args, { cwd })),
    );
    const torn =
      "error: [ccp-lang] ./torn.mjs:7: program mine, line 3, column 20: got `)`, expected `(` or a name or a value\n";
    const misspelt =
      "warning: ./mine.mjs:7: program mine, line 3, column 16: `Flow.rtt_sampel_us` is not declared: never bound, so it reads 0 (did you mean `Flow.rtt_sample_us`?)\n";
    expect(outcomes.map(({ stderr }) => stderr)).toEqual([torn, torn, torn, misspelt]);
  });

  it("that never reports is said so once, below the table", async () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, "mine.mjs"), written("(:= Report.rtt Flow.rtt_sample_us)"));
    const bench = ["bench", "--duration", "1", "--seeds", "2", "--workers", "2", "--algorithms"];
    const [silent, reporting] = await Promise.all([
      runCli([...bench, "./mine.mjs,cubic"], { cwd }),
      runCli([...bench, "cubic"], { cwd }),
    ]);
    const note =
      "mine gets no reports: none of its programs says (report), so onReport is never called (docs/ccp.md).";
    expect(silent.stdout.split("\n").slice(-2)).toEqual([note, ""]);
    expect(silent.stdout.split("gets no reports")).toHaveLength(2);
    expect(reporting.stdout).not.toContain("gets no reports");
  });

  it("whose flows never begin a program is said so, too", async () => {
    const cwd = makeFolder();
    const text = written("(:= Report.rtt Flow.rtt_sample_us)\n(report)");
    writeFileSync(join(cwd, "mine.mjs"), text.replace(/\w+\.setProgram\([^)]*\);?/, ""));
    writeFileSync(join(cwd, "waking.mjs"), text.replace("setProgram(", "wakeAt(10000); void ("));
    const bench = ["bench", "--duration", "1", "--seeds", "1", "--algorithms"];
    const [idle, waking] = await Promise.all(
      ["./mine.mjs", "./waking.mjs"].map((path) => runCli([...bench, path], { cwd })),
    );
    expect(idle!.stdout).toContain(
      "mine gets no reports: its newFlow calls neither setProgram nor wakeAt, and no program runs by itself",
    );
    expect(waking!.stdout).toContain("utilisation");
    expect(waking!.stdout).not.toContain("gets no reports");
  });
});

/** A module whose flow throws in line 8. */
const THROWING = moduleOf("(:= Report.rtt Flow.rtt_sample_us)\\n(report)").replace(
  "return { onReport() {} }",
  "return {\n onReport(report) {\n report.nothing(); } }",
);
const PLACED = "./mine.mjs:8: report.nothing is not a function";

describe("a module that throws", () => {
  it("is named with its line where its flow has thrown, and its stack told to who asks for it", async () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, "mine.mjs"), THROWING);
    const [plain, beside, debug] = await Promise.all([
      runCli([...BENCH, "./mine.mjs"], { cwd }),
      runCli([...BENCH, "./mine.mjs,cubic", "--workers", "2"], { cwd }),
      runCli([...BENCH, "./mine.mjs"], { cwd, env: { CCPARK_DEBUG: "1" } }),
    ]);
    expect(plain).toMatchObject({ code: 1, stdout: "" });
    expect(plain.stderr.split("\n").slice(-2)).toEqual([`error: mine: ${PLACED}`, ""]);
    expect(beside.stderr).toContain(`error: mine on park-paper, seed 4, left out: ${PLACED}\n`);
    const many = await runCli([...BENCH, "./mine.mjs,cubic", "--seeds", "8"], { cwd });
    expect(many.stderr.split(`, left out: ${PLACED}\n`)).toHaveLength(6);
    expect(many.stderr).toContain("error: mine: 3 more left out for the same reason\n");
    expect(debug.stderr).toMatch(
      /\ncaused by TypeError: report\.nothing is not a function\n +at .*mine\.mjs:8:/,
    );
  });

  it("is named with its line by other commands too, and where it throws as it is loaded", async () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, "mine.mjs"), THROWING);
    writeFileSync(join(cwd, "loading.mjs"), "const a = 1;\nnothing(a);\nexport default {};\n");
    const league = ["league", "--algorithms", "./mine.mjs", "--seeds", "1", "--quiet"];
    const [played, loading] = await Promise.all([
      runCli(league, { cwd }),
      runCli([...BENCH, "./loading.mjs"], { cwd }),
    ]);
    expect(played).toMatchObject({ code: 1, stderr: `error: ${PLACED}\n` });
    expect(loading.stderr).toBe("error: [algorithm] cannot load `./loading.mjs:2`: nothing is not defined\n");
  });

  it("is told with the file and line of the module that it imports and that cannot be read, or throws", async () => {
    const cwd = makeFolder();
    const sides = {
      "torn.mjs": "export const a = 1;\nexport const b = ;\n",
      "torn.cjs": "exports.a = 1;\nexports.b = ;\n",
    };
    const mains: Record<string, [body: string, told: string]> = {
      "main1.mjs": ['import "../torn.mjs";', ": torn.mjs:2: Unexpected token ';'"],
      "main2.mjs": ['await import("../torn.mjs");', ": torn.mjs:2: Unexpected token ';'"],
      "main3.mjs": [
        'import { createRequire } from "node:module";\ncreateRequire(import.meta.url)("../torn.cjs");',
        ": torn.cjs:2: Unexpected token ';'",
      ],
      "main5.mjs": ['import torn from "../torn.cjs";', ": torn.cjs:2: Unexpected token ';'"],
      "main4.mjs": ['import "./below.mjs";', ": sub/below.mjs:1: nothing is not defined"],
    };
    mkdirSync(join(cwd, "sub"));
    for (const [name, text] of Object.entries(sides)) writeFileSync(join(cwd, name), text);
    writeFileSync(join(cwd, "sub", "below.mjs"), "nothing();\n");
    for (const [name, [body]] of Object.entries(mains)) writeFileSync(join(cwd, "sub", name), body);
    const told = await Promise.all(
      Object.keys(mains).map((name) => runCli([...BENCH, `./sub/${name}`], { cwd })),
    );
    expect(told.map(({ stderr }) => stderr)).toEqual(
      Object.entries(mains).map(
        ([name, [, text]]) => `error: [algorithm] cannot load \`./sub/${name}\`${text}\n`,
      ),
    );
  });

  it("and one whose newFlow gives no flow, is told what it gave", async () => {
    const cwd = makeFolder();
    writeFileSync(
      join(cwd, "nothing.mjs"),
      THROWING.replace("return {", "({").replace("\n report.nothing(); } }", "} });"),
    );
    writeFileSync(join(cwd, "other.mjs"), THROWING.replace("onReport(report)", "onReprot(report)"));
    const told = await Promise.all(
      ["./nothing.mjs", "./other.mjs"].map((path) => runCli([...BENCH, path], { cwd })),
    );
    const wrong = (got: string): string =>
      `error: [ccp-agent] mine: newFlow of \`mine\`: got ${got}, expected an object with a function onReport`;
    expect(told.map(({ stderr }) => stderr.trim().split("\n").at(-1))).toEqual([
      wrong("nothing"),
      wrong("an object with onReprot"),
    ]);
  });

  it("that is no AlgorithmSpec is told all that is wrong at once", async () => {
    const cwd = makeFolder();
    writeFileSync(join(cwd, "mine.mjs"), 'export default { name: "mine", params: [{ name: "a" }] };');
    const { code, stderr } = await runCli([...BENCH, "./mine.mjs"], { cwd });
    expect([code, stderr]).toEqual([
      2,
      "error: [algorithm] `./mine.mjs`: summary: expected one sentence; source: expected where it is from; reads: expected a list of loss, timeout, rtt, delivery-rate, ecn, packets, nothing; params.0: expected a unit and a why; params.0: expected numbers low <= default <= high; ccp, native: expected at least one of them, a function of the parameters\n",
    ]);
  });
});

describe("a reward's module that throws", () => {
  it.each(["1", "2"])(
    "is named with its line in a training on %s threads, and its stack told to who asks",
    async (workers) => {
      const cwd = makeFolder();
      const reward = `export default { name: "mine", definition: "a", source: "none", low: 0, high: 1,
  components: [{ name: "a", definition: "a", of: () => 0 }],
  of: (interval) => interval.nothing.at,
};`;
      writeFileSync(join(cwd, "reward.mjs"), reward);
      const train = [
        "train",
        "--steps",
        "512",
        "--envs",
        "4",
        "--reward",
        "./reward.mjs",
        "--workers",
        workers,
        "--out",
      ];
      const [plain, debug] = await Promise.all([
        runCli([...train, "1"], { cwd }),
        runCli([...train, "2"], { cwd, env: { CCPARK_DEBUG: "1" } }),
      ]);
      expect(plain.code).toBe(2);
      expect(plain.stderr.trim().split("\n").at(-1)).toBe(
        "error: [env] reward ./reward.mjs: ./reward.mjs:3: Cannot read properties of undefined (reading 'at')",
      );
      expect(debug.stderr).toMatch(/\ncaused by TypeError: Cannot read .*\n +at .*reward\.mjs:3:/);
    },
  );
});
