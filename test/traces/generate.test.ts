/** The generator: reproducible, on its mean, within its model; the shipped files are what it makes. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { generateTrace, TRACE_MODELS, type TraceModelName } from "../../traces/generate.ts";
import { lintTrace } from "../../traces/lint.ts";
import { checkOpportunities, formatMahimahiTrace, traceInfo } from "../../traces/mahimahi.ts";
import { SHIPPED_TRACES } from "../../traces/shipped.ts";
import { loadTrace, shippedTraceDirectory } from "../../traces/trace-files.ts";

const models = Object.keys(TRACE_MODELS) as TraceModelName[];

describe("generateTrace", () => {
  it.each(models)("%s: valid, on its mean, same seed same trace", (model) => {
    const options = { model, meanMbps: 12, durationSec: 30, seed: 7 };
    const trace = generateTrace(options);
    checkOpportunities(trace.opportunitiesMs, model);
    expect(generateTrace(options)).toEqual(trace);
    expect(generateTrace({ ...options, seed: 8 }).opportunitiesMs).not.toEqual(trace.opportunitiesMs);
    const info = traceInfo(trace);
    expect(info.periodMs).toBe(30_000);
    // Poisson noise of geometric grants: standard deviation sqrt(2 g / n) of the mean, five of them
    const relative = Math.sqrt((2 * TRACE_MODELS[model].grantPackets) / info.opportunities);
    expect(Math.abs(info.meanMbps / 12 - 1)).toBeLessThan(5 * relative);
    expect(trace.opportunitiesMs[0]).toBeGreaterThan(0);
    const { slotMs } = TRACE_MODELS[model];
    expect(trace.opportunitiesMs.every((timeMs) => timeMs % slotMs === 0)).toBe(true);
  });

  it("sigma 0 without outages is a plain Poisson process: counts per second have variance about their mean", () => {
    const { opportunitiesMs } = generateTrace({
      model: "lte",
      meanMbps: 12.032,
      durationSec: 100,
      seed: 1,
      sigma: 0,
      outagesPerSec: 0,
      grantPackets: 1,
    });
    const perSecond = new Array<number>(100).fill(0);
    for (const timeMs of opportunitiesMs) perSecond[Math.floor((timeMs - 1) / 1000)]! += 1;
    const mean = opportunitiesMs.length / 100;
    const variance = perSecond.reduce((sum, count) => sum + (count - mean) ** 2, 0) / 99;
    expect(variance / mean).toBeGreaterThan(0.6);
    expect(variance / mean).toBeLessThan(1.5);
  });

  it("outages take the share of time that their rate and length say", () => {
    const trace = generateTrace({
      model: "lte",
      meanMbps: 12,
      durationSec: 600,
      seed: 2,
      outagesPerSec: 0.1,
      outageSec: 2,
    });
    const share = traceInfo(trace).outageShare; // expected 0.2 / 1.2
    expect(share).toBeGreaterThan(0.1);
    expect(share).toBeLessThan(0.25);
  });

  it("an outage that fills the trace leaves its last line only", () => {
    const trace = generateTrace({ model: "lte", meanMbps: 0.01, durationSec: 1, seed: 1 });
    expect(trace.opportunitiesMs.at(-1)).toBe(1000);
  });

  it.each([
    [{ meanMbps: -1 }, "meanMbps: got -1, expected 0.01 to 10000"],
    [{ meanMbps: Number.NaN }, "meanMbps: got NaN"],
    [{ durationSec: 1.5 }, "durationSec: got 1.5, expected a whole number"],
    [{ seed: 0.5 }, "seed: got 0.5"],
    [{ slotMs: 0 }, "slotMs: got 0"],
    [{ meanMbps: 10_000, durationSec: 3600 }, "trace too large"],
    [{ model: "ltee" as TraceModelName }, "did you mean `lte`?"],
  ])("refuses %o", (change, message) => {
    expect(() => generateTrace({ model: "lte", meanMbps: 5, durationSec: 10, seed: 1, ...change })).toThrow(
      message,
    );
  });
});

describe("shipped traces", () => {
  it.each(SHIPPED_TRACES)(
    "$name is what its options generate, byte for byte",
    ({ name, file, generator }) => {
      const bytes = readFileSync(join(shippedTraceDirectory(), file), "utf8");
      expect(formatMahimahiTrace(generateTrace(generator)) === bytes).toBe(true);
      expect(bytes.length).toBeLessThan(300_000);
      const trace = loadTrace(name);
      expect(trace.name).toBe(name);
      expect(lintTrace(trace).map((finding) => finding.code)).not.toContain("wrap");
    },
  );

  it("README.md lists each with its options", () => {
    const readme = readFileSync(join(shippedTraceDirectory(), "..", "README.md"), "utf8");
    for (const { name, generator } of SHIPPED_TRACES) {
      expect(readme).toContain(`\`${name}\``);
      const { name: _name, ...options } = generator;
      expect(readme).toContain(`\`${JSON.stringify(options)}\``);
    }
  });
});

describe("loadTrace", () => {
  const folder = mkdtempSync(join(tmpdir(), "ccpark-traces-"));

  it("reads a file by path and names it after the file", () => {
    writeFileSync(join(folder, "a.down"), "1\r\n2\r\n");
    expect(loadTrace(join(folder, "a.down"))).toEqual({ name: "a.down", opportunitiesMs: [1, 2] });
  });

  it.each([
    ["lte-drivin", "did you mean `lte-driving`?"],
    [join(folder, "missing.down"), "got neither a file nor a shipped name"],
    [folder, "got a directory, expected a trace file"],
    [join(folder, "a.down", "b"), "no such trace"],
  ])("says what is wrong with %s", (path, message) => {
    expect(() => loadTrace(path)).toThrow(
      expect.objectContaining({ kind: "not-found", message: expect.stringContaining(message) }),
    );
  });

  it("names file and line of a bad trace", () => {
    writeFileSync(join(folder, "bad.down"), "1\nabc\n");
    expect(() => loadTrace(join(folder, "bad.down"))).toThrow("bad.down line 2: got `abc`");
  });
});
