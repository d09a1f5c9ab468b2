import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolders, runCli } from "../run-cli.ts";

const makeFolder = makeFolders();

describe("ccpark stack", () => {
  it("draws a stack from a file, as text and as a picture", async () => {
    const folder = makeFolder();
    const file = join(folder, "stack.json");
    const picture = join(folder, "stack.svg");
    writeFileSync(
      file,
      JSON.stringify(["retry", "route", { chunnel: "cc", algorithm: "copa" }, "sack", "udp"]),
    );
    const { code, stdout, stderr } = await runCli(["stack", "draw", file, "--picture", picture]);
    expect([code, stderr]).toEqual([0, `picture: ${picture}\n`]);
    expect(stdout).toMatch(/│ retry {2}attempts=4 +│ {2}bytes; addressed, fate, controlled\n/);
    expect(stdout).toContain("║ cc  algorithm=copa mssBytes=1200");
    expect(stdout).toContain("║: one for each neighbour");
    expect(readFileSync(picture, "utf8")).toContain("algorithm=copa");
  });

  it("says in one sentence what does not fit", async () => {
    const folder = makeFolder();
    const file = join(folder, "stack.json");
    writeFileSync(file, '["reliable", "udp"]');
    const misfit = await runCli(["stack", "draw", file]);
    expect(misfit.code).toBe(2);
    expect(misfit.stderr).toContain(
      "stack.0: got `reliable` with no chunnel below it that tells which messages arrived and which were lost, expected one, such as `sack`\n",
    );
    writeFileSync(file, "[");
    const broken = await runCli(["stack", "draw", file]);
    expect(broken.code).toBe(2);
    expect(broken.stderr).toContain("is not JSON");
    const missing = await runCli(["stack", "draw", join(folder, "none.json")]);
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining("no such file")]);
  });

  it("lists the chunnels", async () => {
    const { code, stdout } = await runCli(["stack", "list"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}sack +sequence numbers.*\(ackDelayMs, giveUpSec\)$/m);
  });
});
