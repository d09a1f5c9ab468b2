/** The trace format: reading and summary, on tables of small texts and on recorded files. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkOpportunities,
  formatMahimahiTrace,
  parseMahimahiTrace,
  TraceError,
  traceInfo,
} from "../../traces/mahimahi.ts";
import { sharedData } from "../shared-data.ts";

const parse = (text: string) => parseMahimahiTrace(text, "x.trace").opportunitiesMs;

describe("parse", () => {
  it.each([
    ["one line", "7\n", [7]],
    ["no newline at the end", "0\n7", [0, 7]],
    ["CRLF", "0\r\n7\r\n", [0, 7]],
    ["blank lines at the end", "0\n7\n\n \n", [0, 7]],
    ["equal lines", "5\n5\n5\n", [5, 5, 5]],
  ])("accepts %s", (_what, text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it.each([
    [
      "abc in line 3",
      "0\n1\nabc\n",
      3,
      "[trace] not a whole number of milliseconds, x.trace line 3: got `abc`, expected",
    ],
    ["a fraction", "0.5\n1\n", 1, "not a whole number"],
    ["a negative time", "-1\n1\n", 1, "not a whole number"],
    ["an exponent", "1e3\n", 1, "not a whole number"],
    ["a blank line inside", "1\n\n2\n", 2, "got ``"],
    ["times that go backwards", "1\n5\n4\n", 3, "got 4, expected at least 5"],
    ["an empty file", "", 1, "empty trace"],
    ["only blank lines", "\n\r\n", 1, "empty trace"],
    ["only zeros", "0\n0\n", 2, "no period"],
    ["a huge time", "99999999999\n", 1, "time too large"],
  ])("refuses %s", (_what, text, line, message) => {
    let error: unknown;
    try {
      parse(text);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(TraceError);
    expect((error as TraceError).line).toBe(line);
    expect((error as TraceError).message).toContain(message);
    expect((error as TraceError).message).toMatch(/: got .*, expected /);
  });

  it("reads back what it writes", () => {
    const times = fc
      .array(fc.nat(1000), { minLength: 1 })
      .map((steps) => steps.map((_, i) => 1 + steps.slice(0, i + 1).reduce((a, b) => a + b, 0)));
    fc.assert(
      fc.property(times, (opportunitiesMs) => {
        const trace = { name: "x.trace", opportunitiesMs };
        checkOpportunities(opportunitiesMs, "x");
        expect(parseMahimahiTrace(formatMahimahiTrace(trace), "x.trace")).toEqual(trace);
      }),
      { seed: 1, numRuns: 50 },
    );
  });
});

describe("summary", () => {
  it("counts bytes, gaps and outages over one lap", () => {
    const info = traceInfo({ name: "x", opportunitiesMs: [0, 500, 1000, 1001, 1600, 2000] });
    expect(info).toMatchObject({ opportunities: 6, periodMs: 2000, longestGapMs: 599 });
    expect(info.meanMbps).toBeCloseTo((6 * 1504 * 8) / 2e6, 12);
    expect(info.minMbps).toBeCloseTo((3 * 1504 * 8) / 1e6, 12); // second 0: 0, 500 and the wrapped 2000
    expect(info.outageShare).toBeCloseTo((500 + 500 + 599 + 400) / 2000, 12);
  });

  it.each([
    ["Verizon-LTE-short.down", 58_655, 5.04],
    ["ATT-LTE-driving-2016.down", 45_604, 4.57],
    ["TMobile-UMTS-driving.up", 73_197, 0.95],
  ])("agrees with the published figures of %s", (file, opportunities, mbps) => {
    const path = sharedData(`traces/${file}`);
    if (path === undefined) return;
    const text = readFileSync(path, "utf8");
    const trace = parseMahimahiTrace(text, file);
    const info = traceInfo(trace);
    expect(info.opportunities).toBe(opportunities);
    expect(Math.abs(info.meanMbps - mbps)).toBeLessThan(0.01);
    expect(formatMahimahiTrace(trace)).toBe(text.endsWith("\n") ? text : `${text}\n`);
  });
});
