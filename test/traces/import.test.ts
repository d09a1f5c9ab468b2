/** Imported capacity: each format, the promise that opportunities follow the capacity, and one sentence per mistake. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ImportOptions, importCapacity, importTrace } from "../../traces/capacity/import.ts";
import { detectFormat } from "../../traces/capacity/table.ts";
import { checkOpportunities } from "../../traces/mahimahi.ts";
import { sharedData } from "../shared-data.ts";

const times = (text: string, options?: ImportOptions) =>
  importTrace(text, "x", options).trace.opportunitiesMs;
const message = (text: string, options?: ImportOptions): string => {
  try {
    importTrace(text, "x", options);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};

/** One packet per millisecond for 3 ms, then one per 2 ms for 4 ms, in every format. */
const EXPECTED = [1, 2, 3, 5, 7];
const STEPS: ImportOptions = { durationSec: 0.007 };

describe("import", () => {
  it.each<[string, string, ImportOptions, string]>([
    ["rows", "0 12\n0.003 6\n", STEPS, "rows"],
    [
      "rows with tabs, comments, blank lines and CRLF",
      "# s Mbit/s\r\n0\t12\r\n\r\n3e-3\t6\r\n",
      STEPS,
      "rows",
    ],
    ["rows in kbit/s", "0 12000\n0.003 6000", { ...STEPS, rateUnit: "kbps" }, "rows"],
    ["rows that do not begin at 0", "100 12\n100.003 6\n", STEPS, "rows"],
    ["CSV with a header", "time,mbps\n0,12\n0.003,6\n", STEPS, "csv"],
    ["CSV without a header", "0,12\n0.003,6\n", STEPS, "csv"],
    ["CSV with a unit in the names", "id;time_ms;throughput_kbps\na;0;12000\nb;3;6000\n", STEPS, "csv"],
    [
      "CSV with quotes and chosen columns",
      '"where, exactly","at","down"\n"a, b",0,1.5e6\n"c",0.003,750000\n',
      { ...STEPS, timeColumn: "at", rateColumn: "3", rateUnit: "bytes-per-sec" },
      "csv",
    ],
    ["CSV of one column", "mbps\n12\n6\n", { intervalMs: 3, durationSec: 0.007, format: "csv" }, "csv"],
    ["a byte order mark", "\uFEFFtime,mbps\n0,12\n0.003,6\n", STEPS, "csv"],
    ["a JSON list of numbers", "[12, 6]", { intervalMs: 3, durationSec: 0.007 }, "json"],
    ["a JSON list of objects", '[{"time":0,"mbps":12},{"time":0.003,"mbps":6}]', STEPS, "json"],
    [
      "seconds and bandwidth, in an object",
      '{"name":"t","trace":{"capacities":[{"seconds":0,"bandwidth":12},{"seconds":0.003,"bandwidth":6}]}}',
      STEPS,
      "json",
    ],
    ["a JSON list of pairs", "[[0, 12], [0.003, 6]]", STEPS, "json"],
    ["a Mahimahi file", "1\n2\n3\n5\n7\n", {}, "mahimahi"],
  ])("reads %s", (_what, text, options, format) => {
    const { trace, format: found } = importTrace(text, "x", options);
    expect(found).toBe(format);
    expect(trace.opportunitiesMs).toEqual(EXPECTED);
  });

  it("lets the last rate hold as long as the one before", () => {
    expect(times("0 12\n0.002 6\n").at(-1)).toBe(4);
  });

  it("waits in an outage, and still ends at the period", () => {
    expect(times("0 12\n0.002 0\n0.010 12\n0.012 0", { durationSec: 0.02 })).toEqual([1, 2, 11, 12, 20]);
  });

  it("places opportunities within one of the capacity at every millisecond", () => {
    const row = fc.tuple(
      fc.double({ min: 0.0005, max: 0.4, noNaN: true }),
      fc.double({ min: 0, max: 50, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 12 }), (gaps) => {
        let atSec = 0;
        const rows = gaps.map(([gapSec, mbps]) => [(atSec += gapSec), mbps] as const);
        const text = rows.map(([sec, mbps]) => `${sec} ${mbps}`).join("\n");
        const endSec = 2 * rows.at(-1)![0] - rows.at(-2)![0];
        const packetsUntil = (sec: number) =>
          rows.reduce((sum, [from, mbps], i) => {
            const to = Math.min(sec, rows[i + 1]?.[0] ?? endSec);
            return sum + (Math.max(0, to - from) * mbps * 1e6) / 12_000;
          }, 0);
        fc.pre(packetsUntil(endSec) >= 1);
        const opportunitiesMs = times(text);
        checkOpportunities(opportunitiesMs, "x");
        expect(opportunitiesMs[0]).toBeGreaterThanOrEqual(1);
        const startSec = rows[0]![0];
        expect(Math.abs(opportunitiesMs.at(-1)! - (endSec - startSec) * 1000)).toBeLessThanOrEqual(1);
        let count = 0;
        for (let ms = 1; ms < opportunitiesMs.at(-1)!; ms++) {
          while (opportunitiesMs[count]! <= ms) count++;
          const packets = packetsUntil(startSec + ms / 1000);
          expect(count).toBeLessThanOrEqual(packets + 1e-3);
          expect(count).toBeGreaterThan(packets - 1 - 1e-3);
        }
        expect(Math.abs(opportunitiesMs.length - packetsUntil(endSec))).toBeLessThanOrEqual(1 + 1e-3);
      }),
      { seed: 20260303, numRuns: 150 },
    );
  });

  it("gives a recorded trace back as it is", () => {
    const path = sharedData("traces/Verizon-LTE-short.down");
    if (path === undefined) return;
    const text = readFileSync(path, "utf8");
    expect(detectFormat(text)).toBe("mahimahi");
    expect(times(text)).toEqual(text.trimEnd().split("\n").map(Number));
  });

  it("imports a recorded trace's capacity per 100 ms at the same mean", () => {
    const path = sharedData("traces/Verizon-LTE-short.down");
    if (path === undefined) return;
    const recorded = readFileSync(path, "utf8").trimEnd().split("\n").map(Number);
    const counts = new Array<number>(Math.ceil(recorded.at(-1)! / 100)).fill(0);
    for (const ms of recorded) counts[Math.min(counts.length - 1, Math.floor(ms / 100))]!++;
    const text = JSON.stringify(counts.map((count) => (count * 12_000) / 100_000));
    expect(times(text, { intervalMs: 100 })).toHaveLength(recorded.length);
  });
});

/** Rates and where they begin, in s and Mbit/s, then where the last one ends. */
const capacity = (text: string, options?: ImportOptions) => {
  const { points, endMs } = importCapacity(text, "x", options);
  return [...points.map(({ atMs, mbps }) => [atMs / 1000, mbps]), endMs / 1000];
};

describe("what a file says", () => {
  const HALF_SECONDS = [[0, 12], [0.5, 6], [1, 9], 1.5];
  it.each<[string, string, ImportOptions]>([
    ["Time (ms)", "Time (ms),mbps\n0,12\n500,6\n1000,9\n", {}],
    ["timeMs", "timeMs,mbps\n0,12\n500,6\n1000,9\n", {}],
    [
      "t [us] and DL (kbps)",
      "t [us];DL (kbps)\n0;12000\n500000;6000\n1e6;9000\n",
      { rateColumn: "DL (kbps)" },
    ],
    ["seconds and MB/s", "seconds,rate (MB/s)\n0,1.5\n0.5,0.75\n1,1.125\n", {}],
    ["throughputMBps", "time_s,throughputMBps\n0,1.5\n0.5,0.75\n1,1.125\n", {}],
    ["bandwidth in Mbit/s", "time bandwidth\n0 12\n0.5 6\n1 9\n", {}],
    [
      "times since 1970 in ms",
      "timestamp,throughput\n1700000000000,12\n1700000000500,6\n1700000001000,9\n",
      {},
    ],
    ["times since 1970 in s", "timestamp,throughput\n1700000000,12\n1700000000.5,6\n1700000001,9\n", {}],
    ["dates", "Date,mbps\n2024-02-28T23:59:59.5Z,12\n2024-02-29T00:00:00Z,6\n2024-02-29T00:00:00.5Z,9\n", {}],
    ["times of day", "clock,mbps\n10:00:00,12\n10:00:00.5,6\n10:00:01,9\n", { timeColumn: "clock" }],
    ["rows with --time-unit", "0\t12\n500\t6\n1000\t9\n", { timeUnit: "ms" }],
    ["durations", "duration_ms,mbps\n500,12\n500,6\n500,9\n", {}],
    [
      "objects with durations",
      '[{"duration":0.5,"rate":12},{"duration":0.5,"rate":6},{"duration":0.5,"rate":9}]',
      {},
    ],
    ["lists side by side", '{"timestamps":[0,0.5,1],"bandwidths":[12,6,9],"delays":[40],"loss":0.1}', {}],
    ["one number a line, with --interval-ms", "12\n6\n9\n", { intervalMs: 500 }],
    ["times since 1970 in us", "ts,mbps\n1700000000000000,12\n1700000000500000,6\n1700000001000000,9\n", {}],
    ["time_in_ms", "time_in_ms,rate (in Mbps)\n0,12\n500,6\n1000,9\n", {}],
    [
      "a unit alone in brackets, blanks between",
      "Time (ms)  DL Rate (Mbps)\n0  12\n500  6\n1000  9\n",
      { rateColumn: "2" },
    ],
    ["time, ms between semicolons", "Time, ms;Rate, Mbit/s\n0;12\n500;6\n1000;9\n", {}],
    ["Mbit/s alone", "t,Mbit/s\n0,12\n0.5,6\n1,9\n", {}],
    ["bits_per_second", "t,dl_bits_per_second\n0,12e6\n0.5,6e6\n1,9e6\n", {}],
    ["units below the names", "time,rate\nms,kbps\n0,12000\n500,6000\n1000,9000\n", {}],
    ["names in a comment", "# time_ms kbps\n0 12000\n500 6000\n1000 9000\n", {}],
    ["the only rate of a longer name", "time,rtt_ms,linkCapacityMbps\n0,40,12\n0.5,40,6\n1,40,9\n", {}],
    ["decimal commas", "time;mbps\n0;12,0\n0,5;6,0\n1;9,0\n", {}],
    ["quoted decimal commas", '"time","mbps"\n"0","12,0"\n"0,5","6"\n"1","9"\n', {}],
    ["line ends of old systems", "time,mbps\r0,12\r0.5,6\r1,9\r", {}],
    ["commas at the ends of rows", "time,mbps\n0,12,\n0.5,6,\n1,9,\n", {}],
    ["remarks behind rows", "// link\n0 12 # up\n0.5 6\n1 9\n", {}],
    ["Excel's first line", "sep=;\ntime;mbps\n0;12\n0.5;6\n1;9\n", {}],
    ["what is quoted over two lines", 'note,time,mbps\n"a ""b""\nc",0,12\nd,0.5,6\ne,1,9\n', {}],
    [
      "dates, the day first",
      "date;mbps\n25/12/2023 10:00:00.0;12\n25/12/2023 10:00:00.5;6\n25/12/2023 10:00:01;9\n",
      {},
    ],
    [
      "dates, the month first",
      "date;mbps\n12/25/2023 11:59:59.5 PM;12\n12/26/2023 12:00:00 AM;6\n12/26/2023 12:00:00.5 AM;9\n",
      {},
    ],
    [
      "dates of one day, whichever it is",
      "date,mbps\n02/01/2023 10:00:00,12\n02/01/2023 10:00:00.5,6\n02/01/2023 10:00:01,9\n",
      {},
    ],
    [
      "dates in words",
      "date,mbps\n2 Jan 2024 10:00:00,12\n2 Jan 2024 10:00:00.5,6\n2 Jan 2024 10:00:01,9\n",
      {},
    ],
    ["times of day over midnight", "clock,mbps\n23:59:59.5,12\n00:00:00,6\n00:00:00.5,9\n", {}],
    ["starts and ends", "start,end,mbps\n0,0.5,12\n0.5,1,6\n1,1.5,9\n", {}],
    ["one value a line", '{"time":0,"mbps":12}\n{"time":0.5,"mbps":6}\n{"time":1,"mbps":9}\n', {}],
    ["columns of pandas", '{"time":{"0":0,"1":0.5,"2":1},"mbps":{"0":12,"1":6,"2":9}}', {}],
    [
      "columns and data of pandas",
      '{"columns":["time","mbps"],"index":[0,1,2],"data":[[0,12],[0.5,6],[1,9]]}',
      {},
    ],
    [
      "the list with rates among several",
      '{"tags":["a"],"hosts":[{"ip":"x"}],"samples":[{"t":0,"mbps":12},{"t":0.5,"mbps":6},{"t":1,"mbps":9}]}',
      {},
    ],
    [
      "what iperf3 --json says",
      JSON.stringify({
        start: { connected: [{ socket: 5 }] },
        intervals: [
          [0, 12e6],
          [0.5, 6e6],
          [1, 9e6],
        ].map(([start, rate]) => ({
          streams: [{ socket: 5, start, bits_per_second: rate }],
          sum: { start, end: start! + 0.5, seconds: 0.5, bits_per_second: rate },
        })),
        end: { sum_sent: { bits_per_second: 9e6 } },
      }),
      {},
    ],
    ["numbers in one line, with --interval-ms", "12 6 9\n", { intervalMs: 500 }],
    [
      "a name whose unit is another than was asked for",
      "time_s,mbps\n0,12\n500,6\n1000,9\n",
      { timeUnit: "ms" },
    ],
    ["rows of the same time, by their mean", "time,mbps\n0,12\n0.5,2\n0.5,10\n1,9\n", {}],
  ])("is understood: %s", (_what, text, options) => {
    expect(capacity(text, options)).toEqual(HALF_SECONDS);
  });

  it("is told: what was taken for what, and what was left", () => {
    const text = "Time (ms),mbps,loss\n0,12,0\n500,6,0\n500,8,1\n";
    expect(importCapacity(text, "x").notes).toEqual([
      "times: `Time (ms)` in ms, as its name says",
      "rates: `mbps` in mbps, as its name says",
      "not taken along: loss",
      "times with several rows, of which the mean is taken: 1",
    ]);
    expect(importCapacity("0 12\n1 6\n", "x").notes).toEqual([
      "times: column 1 in s, which is taken for granted (--time-unit)",
      "rates: column 2 in mbps, which is taken for granted (--rate-unit)",
    ]);
  });
});

describe("import refuses in one sentence", () => {
  it.each<[string, string, ImportOptions, string]>([
    ["nothing", "", {}, "[trace] empty trace, x: got no line"],
    ["comments only", "# a\n", { format: "rows" }, "[trace] empty trace, x: got no row"],
    ["a header only", "time,mbps\n", {}, "[trace] empty trace, x: got no row"],
    [
      "a word",
      "0 12\nzero 6\n",
      {},
      "[trace] bad time, x line 2: got `zero 6`, expected a time that is a number",
    ],
    ["a negative rate", "0 12\n1 -6\n", {}, "[trace] bad rate, x line 2: got `1 -6`, expected a rate"],
    ["three words", "0 12\n1 6 7\n", {}, "[trace] bad row, x line 2: got `1 6 7`, expected two numbers"],
    [
      "times that go back",
      "0 12\n2 6\n1 6\n",
      {},
      "[trace] times do not grow, x line 3: got 1 s, expected more than 2 s",
    ],
    ["one row", "0 12\n", {}, "expected --duration"],
    ["a duration before the last row", "0 12\n5 6\n", { durationSec: 3 }, "got 3 s, expected more than 5 s"],
    ["no capacity", "0 0\n5 0\n", {}, "got 0 packets, expected 1 to"],
    [
      "far too much",
      "0 12000\n50000 12000\n",
      { timeUnit: "s", rateUnit: "mbps" },
      "--as scenario writes the rates themselves",
    ],
    [
      "a rate that can be no Mbit/s",
      "0 12000000\n50 6\n",
      {},
      "got up to 12000000 Mbit/s without a unit, expected --rate-unit",
    ],
    [
      "a unit in capitals",
      "time,rate (MBPS)\n0,12\n1,6\n",
      {},
      "got bits or bytes in capitals, expected --rate-unit",
    ],
    [
      "times that may be s or ms",
      "0\t12\n500\t6\n1000\t9\n",
      {},
      "in steps of 500, which may be s or ms, expected --time-unit",
    ],
    [
      "an option for a Mahimahi trace",
      "1\n2\n",
      { durationSec: 3 },
      "[trace] --duration, x: does not apply to a Mahimahi trace",
    ],
    [
      "two kinds of times",
      "time,mbps\n0,1\n1,2\n",
      { timeColumn: "time", intervalMs: 5 },
      "got --interval-ms and --time-column",
    ],
    [
      "a unit of dates",
      "date,mbps\n2024-01-02 10:00:00,1\n2024-01-02 10:00:01,2\n",
      { timeUnit: "s" },
      "got dates in `date`, expected no unit",
    ],
    [
      "times of an epoch in another unit than their name",
      "time_s,mbps\n1700000000000,1\n1700000001000,2\n",
      {},
      "got s by its name and ms since 1970 by its numbers, expected --time-unit",
    ],
    [
      "dates that may be two",
      "date,mbps\n02/01/2023,1\n03/01/2023,2\n",
      {},
      "got `02/01/2023`, expected --date-order",
    ],
    [
      "an order without dates",
      "t,mbps\n0,1\n1,2\n",
      { dateOrder: "dmy" },
      "--date-order, x: got no dates in `t`",
    ],
    ["a unit that is unknown", "t,rate (packets/s)\n0,1\n1,2\n", {}, "got `packets/s`, expected --rate-unit"],
    [
      "kbit/s without a unit",
      "time,throughput\n0,24000\n1,12000\n",
      {},
      "got up to 24000 Mbit/s without a unit, expected --rate-unit",
    ],
    [
      "commas of thousands or decimals",
      "t;kbps\n0;12,000\n1;6,000\n",
      {},
      "got `12,000`, expected numbers with a point",
    ],
    [
      "three columns without names",
      "0,1,2\n1,2,3\n",
      {},
      "got 3 columns without names, expected --time-column and --rate-column",
    ],
    [
      "two lists in a list",
      "[[0,0.5,1],[12,6,3]]",
      {},
      "got 3 columns without names, expected --time-column",
    ],
    [
      "downlink and uplink",
      "time,DL_mbps,UL_mbps\n0,1,2\n1,2,3\n",
      {},
      "rates of x: got `DL_mbps` and `UL_mbps`, expected --rate-column with one of them",
    ],
    [
      "iperf's text",
      "[ ID] Interval Transfer Bitrate\n[  5] 0.00-1.00 sec 1 MBytes 8 Mbits/sec\n",
      {},
      "got what it prints, expected its JSON (`iperf3 --json`)",
    ],
    [
      "a rate that is not a number",
      "time,mbps\n0,12\n1,NaN\n2,6\n",
      {},
      "[trace] bad rate, x line 3: got `1,NaN`",
    ],
    ["a duration of 0", "duration,mbps\n1,1\n0,2\n", {}, "[trace] bad duration, x line 3"],
    [
      "a missing column",
      "a,b\n1,2\n",
      {},
      "[trace] no such column, x line 1: got `a`, `b`, expected one named time",
    ],
    ["a column that was asked for", "time,mbps\n1,2\n", { rateColumn: "up" }, "expected a column `up`"],
    ["a short CSV row", "time,mbps\n0,12\n1\n", {}, "[trace] bad row, x line 3: got 1 columns, expected 2"],
    ["an empty field", "time,mbps\n0,12\n1,\n", {}, "[trace] bad rate, x line 3: got `1,`"],
    ["broken JSON", "[1,", {}, "[trace] not JSON, x: got "],
    ["numbers without an interval", "[1, 2]", {}, "expected --interval-ms"],
    ["a number that is none", '[1, "a"]', { intervalMs: 5 }, '[trace] bad rate, x entry 2: got `"a"`'],
    ["an object without a list", '{"a":1}', {}, "got none, expected one list"],
    [
      "two lists",
      '{"a":[1],"b":[2]}',
      {},
      "[trace] no such column, x entry 1: got `a`, `b`, expected one named time",
    ],
    ["lists of several lengths", '{"a":[1],"b":[2,3]}', {}, "got `a`, `b`, expected one list"],
    [
      "an entry without a rate",
      '[{"time":0,"mbps":1},{"time":1}]',
      {},
      '[trace] bad rate, x entry 2: got `{"time":1}`',
    ],
    ["a null entry", '[{"time":0,"mbps":1},null]', {}, "[trace] bad time, x entry 2: got `null`"],
    ["lists of one", "[[0],[1]]", {}, "got no interval, expected --interval-ms"],
  ])("%s", (_what, text, options, expected) => {
    expect(message(text, options)).toContain(expected);
    expect(message(text, options)).not.toContain("\n");
  });
});

describe("what is written to take long", () => {
  it.each([
    ["a number of 80,000 digits that is none", `${"1".repeat(80_000)}x 12\n`],
    ["the same with a point", `0 ${"1".repeat(80_000)}.${"1".repeat(80_000)}x\n`],
    ...[..."-_.:,"].map((sign): [string, string] => [
      `a column's name of 100,000 times ${sign}`,
      `time a${sign.repeat(100_000)}b\n0 1\n`,
    ]),
    ["100,000 blanks before what is no comment", `1${" ".repeat(100_000)}x\n`],
    ["100,000 blanks before what is no unit", `time rate${" ".repeat(100_000)}x [s]\n0 1\n`],
    ["a quote in every line that nothing closes", `time,mbps\n${'0,"12\n'.repeat(20_001)}`],
    ["lists in objects, thousands deep", `${'{"a":'.repeat(5_000)}[1]${"}".repeat(5_000)}`],
  ])("is refused at once: %s", (_what, text) => {
    const startedMs = performance.now();
    expect(message(text)).toMatch(/^\[trace\] /);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });
});
