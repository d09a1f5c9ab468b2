import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadVectors } from "../ccp-bridge/vectors.ts";
import { makeFolders, outcomeOf, runCli, startCli } from "./run-cli.ts";

const makeFolder = makeFolders();
const vectors = loadVectors();

const PROGRAM =
  "(def (Report (volatile acked 0)) (volatilegain 1)) # ours\n(when true (:= Report.acked (addgain Ack.bytes_acked)) (report))\n";
const MISSPELT = "(def (Report (a 0)))\n(when true\n\t(:= Report.a (+ Flow.rtt_sample 1)))\n";

/** A folder with these program files. */
function makeFiles(files: Readonly<Record<string, string>>): string {
  const folder = makeFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function runWithInput(args: readonly string[], input: string) {
  const child = startCli(args);
  child.stdin?.end(input);
  return outcomeOf(child);
}

describe("ccpark ccp compile", () => {
  it.skipIf(vectors === undefined)(
    "prints what Portus makes of a program, from a file or standard input",
    async () => {
      for (const name of ["w12_budget", "duplicate_report", "updates_change_def_values"]) {
        const vector = vectors!.compile.find((one) => one.name === name)!;
        const updates = (vector.updates ?? []).flatMap(([variable, value]) => [
          "--update",
          `${variable}=${value}`,
        ]);
        const outcome = await runWithInput(["ccp", "compile", "-", "--json", ...updates], vector.source);
        expect(outcome.code).toBe(0);
        const { events, instrs, hex, registers } = vector;
        expect(JSON.parse(outcome.stdout)).toEqual({ events, instrs, hex, registers });
      }
    },
  );

  it("lists instructions, registers and bytes for people, with warnings on standard error", async () => {
    const outcome = await runCli(["ccp", "compile", "p.ccp"], { cwd: makeFiles({ "p.ccp": PROGRAM }) });
    expect(outcome.code).toBe(0);
    expect(outcome.stdout).toMatch(/^1 events, 6 instructions, 112 bytes$/m);
    expect(outcome.stdout).toMatch(/^ {2}3 {2}temporary\[0\] <- add gain, Ack.bytes_acked$/m);
    expect(outcome.stdout).toMatch(/^ {2}gain: volatile control 0, number, starts as 1$/m);
    expect(outcome.stderr).toMatch(/line 1, column 35: `volatilegain` reads as `volatile gain`/);
  });

  it("refuses with one line and exit code 1, and a missing file with 2", async () => {
    const cwd = makeFiles({ "bad.ccp": MISSPELT, "commented.ccp": `# a\n${PROGRAM}` });
    const refused = await runCli(["ccp", "compile", "bad.ccp", "--json"], { cwd });
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toBe(
      "error: bad.ccp: line 3, column 18: `add`: `Flow.rtt_sample` is not declared and has no value; did you mean `Flow.rtt_sample_us`?\n",
    );
    const portus = await runCli(["ccp", "compile", "commented.ccp", "--portus"], { cwd });
    expect(portus).toMatchObject({ code: 1, stdout: "" });
    expect(portus.stderr).toContain("line 1, column 1: no comment can stand here");
    const missing = await runCli(["ccp", "compile", "none.ccp"], { cwd });
    expect(missing).toMatchObject({ code: 2, stdout: "" });
    expect(missing.stderr).toContain("no such file");
  });
});

describe("ccpark ccp disassemble", () => {
  const BIND_CWND =
    "0000000001000000010000000100000001020000000002000000000101000000010204000000020400000001e8030000";

  it("names registers by file, for a program and for an install message", async () => {
    const program = await runCli(["ccp", "disassemble", BIND_CWND]);
    expect(program.stdout).toContain("1  Cwnd <- 1000");
    const install = await runCli([
      "ccp",
      "disassemble",
      `0200440000000000070000000100000002000000${BIND_CWND}`,
    ]);
    expect(install.stdout).toMatch(/^install of program 7: 1 events, 2 instructions\n/);
  });

  it("answers what is not a program with one line", async () => {
    for (const hex of ["xyz", "123", "00ff"]) {
      const outcome = await runCli(["ccp", "disassemble", hex]);
      expect(outcome).toMatchObject({ code: 1, stdout: "" });
      expect(outcome.stderr.trim().split("\n")).toHaveLength(1);
    }
  });
});

describe("ccpark ccp check", () => {
  it("shows the place of an error with a caret under it, whatever the tabs", async () => {
    const outcome = await runCli(["ccp", "check", "bad.ccp"], { cwd: makeFiles({ "bad.ccp": MISSPELT }) });
    expect(outcome.code).toBe(1);
    const [head, line, caret] = outcome.stdout.split("\n");
    expect(head).toMatch(/^bad\.ccp:3:18: error: .*did you mean `Flow\.rtt_sample_us`\?$/);
    expect(line).toBe("3 | \t(:= Report.a (+ Flow.rtt_sample 1)))");
    expect(caret).toBe(`  | \t${" ".repeat(16)}^`);
  });

  it("accepts with warnings, and refuses a report without fields unless asked for Portus' rules", async () => {
    const cwd = makeFiles({ "p.ccp": PROGRAM, "empty.ccp": "(def (x 0)) (when true (report))" });
    const warned = await runCli(["ccp", "check", "p.ccp"], { cwd });
    expect(warned.code).toBe(0);
    expect(warned.stdout).toMatch(/p\.ccp:2:30: warning: `addgain` reads as `add gain`/);
    expect(await runCli(["ccp", "check", "empty.ccp"], { cwd })).toMatchObject({ code: 1 });
    expect(await runCli(["ccp", "check", "empty.ccp", "--portus"], { cwd })).toMatchObject({ code: 0 });
  });
});

describe("ccpark ccp fmt", () => {
  it("prints, checks and rewrites", async () => {
    const cwd = makeFiles({ "p.ccp": PROGRAM });
    const formatted = `(def (Report (volatile acked 0)) (volatile gain 1)) # ours
(when true
  (:= Report.acked (add gain Ack.bytes_acked))
  (report)
)
`;
    expect(await runCli(["ccp", "fmt", "p.ccp"], { cwd })).toMatchObject({ code: 0, stdout: formatted });
    expect(await runCli(["ccp", "fmt", "p.ccp", "--check"], { cwd })).toMatchObject({ code: 1, stdout: "" });
    expect(await runCli(["ccp", "fmt", "p.ccp", "--write"], { cwd })).toMatchObject({ code: 0, stdout: "" });
    expect(readFileSync(join(cwd, "p.ccp"), "utf8")).toBe(formatted);
    expect(await runCli(["ccp", "fmt", "p.ccp", "--check"], { cwd })).toMatchObject({ code: 0, stderr: "" });
  });
});
