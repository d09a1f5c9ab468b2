/** Scenarios that are written to break whoever reads them: YAML with aliases, extents, names. Each is one sentence. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { CcparkError } from "../../core/errors.ts";
import { parseOverride } from "../../scenarios/overrides.ts";
import { resolveScenario } from "../../scenarios/scenario-files.ts";
import { checkTemplate } from "../../scenarios/template.ts";

const folder = mkdtempSync(join(tmpdir(), "ccpark-hostile-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LINK = { forward: { rate: { kind: "constant", mbps: 12 } }, rttMs: 40 };

function fileOf(text: string): string {
  const path = join(folder, "scenario.yaml");
  writeFileSync(path, text);
  return path;
}

function errorOf(run: () => unknown): CcparkError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(CcparkError);
    return error as CcparkError;
  }
  return expect.unreachable("nothing was thrown");
}

describe("a file in YAML", () => {
  it("may use an anchor many times", () => {
    const flows = Array.from({ length: 200 }, () => "  - *flow").join("\n");
    const text = `forward: { rate: { kind: constant, mbps: 12 } }\nrttMs: 40\nflows:\n  - &flow { algorithm: cubic }\n${flows}\n`;
    expect(resolveScenario(fileOf(text)).flows).toHaveLength(201);
  });

  it.each([
    ["an alias without its anchor", "forward: *link\nrttMs: 40\n", /Unresolved alias.*: link/i],
    ["lists twenty thousand deep", `link: ${"[".repeat(20_000)}${"]".repeat(20_000)}\n`, /levels deep/],
    ["one that holds itself", "forward: &a\n  rate: *a\nrttMs: 40\n", /levels deep/],
    [
      "a billion laughs",
      `a: &a [x, x, x, x, x, x, x, x, x]\n${"bcdefghi"
        .split("")
        .map((name, i) => `${name}: &${name} [${new Array(9).fill(`*${"abcdefgh"[i]}`).join(", ")}]`)
        .join("\n")}\n`,
      /more than 1000000 values/,
    ],
  ])("with %s is refused in one sentence", (_, text, message) => {
    const error = errorOf(() => resolveScenario(fileOf(text)));
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain("\n");
  });

  it("and a rate at which nothing ever leaves are refused", () => {
    const overrides = [parseOverride("link.rateMbps=1e-8")];
    expect(errorOf(() => resolveScenario("park-paper", { overrides })).message).toMatch(
      /forward\.rate\.mbps: got 1e-8, expected >= 0\.001/,
    );
    expect(errorOf(() => parseOverride("__proto__.x=1")).message).toMatch(/expected PATH=VALUE/);
  });

  it("of an override is read the same way", () => {
    expect(errorOf(() => parseOverride("a=*b")).message).toMatch(
      /^\[scenario\] --set: a: .*Unresolved alias/,
    );
    expect(errorOf(() => parseOverride("a=&b [*b]")).message).toMatch(/levels deep/);
  });
});

describe("a name", () => {
  it.each([
    ["an escape sequence", "\u001b[31mred"],
    ["a line end", "two\nlines"],
    ["a change of direction", "\u202Efdp.exe"],
    ["a C1 control", "\u009b31m"],
  ])("with %s is refused, and the message shows it as text", (_, name) => {
    for (const template of [
      { ...LINK, name },
      { ...LINK, flows: [{ id: name, algorithm: "cubic" }] },
    ]) {
      const error = errorOf(() => checkTemplate(template));
      expect(error.message).toMatch(/expected text without control characters/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
      expect(error.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    }
  });

  it("of 1 MB is refused without being compared to others", () => {
    const startedMs = performance.now();
    const error = errorOf(() => checkTemplate({ ...LINK, ["x".repeat(1_000_000)]: 1 }));
    expect(error.message.length).toBeLessThan(500);
    expect(performance.now() - startedMs).toBeLessThan(200);
  });
});

describe("a limit beside one that is left out", () => {
  it("is compared with what stands for it", () => {
    const forward = { ...LINK.forward, queue: { discipline: { kind: "red", maxPackets: 4 } } };
    expect(errorOf(() => checkTemplate({ ...LINK, forward })).message).toMatch(
      /maxPackets: got 4, expected > 5 \(minPackets\)/,
    );
  });
});

describe("many choices", () => {
  it("are checked in proportion to their number, or refused", () => {
    const mbps = { choice: Array.from({ length: 2_000 }, (_, i) => i + 1) };
    checkTemplate({ ...LINK, forward: { rate: { kind: "constant", mbps } } });
    const flows = Array.from({ length: 2_000 }, () => ({ algorithm: "cubic", startSec: { choice: [0, 1] } }));
    expect(errorOf(() => checkTemplate({ ...LINK, flows })).message).toMatch(/4000 options of choices/);
  });
});
