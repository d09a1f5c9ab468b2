/** The linter, on tables of small traces and on recorded files. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { declaredByName, lintTrace } from "../../traces/lint.ts";
import { parseMahimahiTrace } from "../../traces/mahimahi.ts";
import { sharedData } from "../shared-data.ts";

const codes = (times: number[], declaredMbps?: number) =>
  lintTrace({ name: "x", opportunitiesMs: times }, declaredMbps).map(
    (finding) => `${finding.severity} ${finding.code}`,
  );

describe("linter", () => {
  const wired = (perMs: number, from: number, to: number) =>
    Array.from({ length: (to - from + 1) * perMs }, (_, i) => from + Math.floor(i / perMs));

  it("sees that 8 per millisecond over 0..9 replay at 106.7 Mbit/s, not 96", () => {
    const findings = lintTrace({ name: "wired96", opportunitiesMs: wired(8, 0, 9) }, 96);
    expect(findings.map((finding) => finding.code)).toEqual(["first-line-zero", "wrap", "declared-rate"]);
    expect(findings[1]!.message).toContain("106.7 Mbit/s, not 96.0");
  });

  it.each([
    ["8 per millisecond over 1..10", wired(8, 1, 10), 96, []],
    ["3 per millisecond, said to be 42", wired(3, 1, 10), 42, ["warning declared-rate"]],
    ["one line", [100], undefined, ["info single-line"]],
    ["a gap over 1 s", [1, 1002], undefined, ["warning long-gap"]],
    ["a slow first second", [500, ...wired(1, 1000, 9000)], undefined, ["warning slow-start", "info short"]],
    [
      "a second of silence before each lap",
      [999, ...wired(1, 1000, 1999)],
      undefined,
      ["warning wrap-gap", "info short"],
    ],
    ["a lap that begins late", wired(1, 700, 40_000), undefined, ["warning wrap-gap"]],
    ["200 in one of 1000 ms", [...wired(200, 1, 1), ...wired(1, 2, 1000)], undefined, ["info burst"]],
    ["times that began at 0 as whole milliseconds from 1", wired(1, 1, 40_000), 12, []],
    ["first line 0 in a long trace", wired(1, 0, 9999), undefined, ["info first-line-zero"]],
  ])("%s", (_what, times, declaredMbps, expected) => {
    expect(codes(times, declaredMbps)).toEqual(expected);
  });
});

describe("a rate in the name", () => {
  it.each([
    ["wired96", 96],
    ["wired42.trace", 42],
    ["12mbps", 12],
    ["0.57mbps-poisson.trace", 0.57],
    ["const-4.5Mbit.down", 4.5],
    ["Verizon-LTE-short.down", undefined],
    ["TMobile-LTE-2016", undefined],
  ])("%s promises %s", (name, mbps) => {
    expect(declaredByName(name)).toBe(mbps);
  });

  it("is compared with what is replayed, unless another is declared", () => {
    const opportunitiesMs = Array.from({ length: 30 }, (_, i) => 1 + Math.floor(i / 3));
    const messages = (declaredMbps?: number) =>
      lintTrace({ name: "wired42", opportunitiesMs }, declaredMbps).map((finding) => finding.message);
    expect(messages()).toEqual(["declared 42 Mbit/s by its name, but it replays at 36.00 Mbit/s"]);
    expect(messages(36)).toEqual([]);
  });
});

describe("recorded traces", () => {
  it.each([
    ["ATT-LTE-driving-2016.down", ["info first-line-zero"]],
    ["Verizon-LTE-short.down", ["info first-line-zero"]],
    ["TMobile-UMTS-driving.up", []],
  ])("%s has %j among its findings", (file, expected) => {
    const path = sharedData(`traces/${file}`);
    if (path === undefined) return;
    const { opportunitiesMs } = parseMahimahiTrace(readFileSync(path, "utf8"), file);
    const found = codes([...opportunitiesMs]);
    expect(found).toEqual(expect.arrayContaining(expected));
    expect(found).not.toContain("warning wrap");
  });
});
