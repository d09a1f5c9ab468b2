/** Files in the shapes of public data sets and tools: the right mean, or one sentence with what to do. */
import { describe, expect, it } from "vitest";
import { type ImportOptions, importTrace } from "../../traces/capacity/import.ts";

/** Ten rows, or as many as wanted, of a shape. */
const rows = (of: (i: number) => string, count = 10): string =>
  Array.from({ length: count }, (_, i) => `${of(i)}\n`).join("");

const G_NET_TRACK = "Timestamp,Longitude,Latitude,Speed,CellID,NetworkMode,SNR,DL_bitrate,UL_bitrate,State\n";
const netTrack = (i: number): string =>
  `2019.12.14_10.16.${30 + (i >> 1)},-8.4,51.9,0,11,5G,-,${4000 + 100 * i},80,D`;
const PUFFER = "time (ns GMT),session_id,index,cwnd,in_flight,min_rtt,rtt,delivery_rate\n";
const LUMOS =
  "run_num,seq_num,latitude,longitude,nrStatus,lte_rsrp,nr_ssRsrp,Throughput,mobility_mode,tower_id\n";
const interval = (i: number, bitsPerSec: number): object => ({
  start: i,
  end: i + 1,
  seconds: 1,
  bytes: bitsPerSec / 8,
  bits_per_second: bitsPerSec,
});
const iperf3 = (one: (i: number) => object): string =>
  JSON.stringify({
    start: { connected: [{ socket: 5 }], version: "iperf 3.12" },
    intervals: [0, 1, 2].map(one),
    end: { streams: [{ sender: {} }] },
  });

describe("logs of public data sets and tools are read as what they are", () => {
  it.each<[string, string, ImportOptions, number, number, string]>([
    [
      "Riiser et al., HSDPA in Norway",
      rows((i) => `${1289406399 + i} ${1000 * i + 549} 59.85 10.78 ${125_000 + 1000 * i} 1000`),
      {},
      1.036,
      10_000,
      "a log of phones of Riiser",
    ],
    [
      "van der Hooft et al., 4G in Belgium, south of the equator",
      rows((i) => `${1453120793104 + 1000 * i} ${1000 * i} -51.03 3.71 ${3_500_000} 1000`),
      {},
      28,
      10_000,
      "a log of phones of",
    ],
    [
      "G-NetTrack, 5G in Ireland",
      G_NET_TRACK + rows(netTrack),
      { rateColumn: "DL_bitrate" },
      4.45,
      5_000,
      "`DL_bitrate` in kbps, as G-NetTrack writes it",
    ],
    [
      "G-NetTrack's own tabs",
      (G_NET_TRACK + rows(netTrack)).replaceAll(",", "\t"),
      { rateColumn: "UL_bitrate" },
      0.08,
      5_000,
      "`UL_bitrate` in kbps",
    ],
    [
      "Lumos5G",
      LUMOS + rows((i) => `1,${i},45,-93,NR,-94,-80,${800 + i},driving,0`),
      { intervalMs: 1000 },
      804.5,
      10_000,
      "`Throughput`",
    ],
    ["NYU METS", "12.5\n13.5\n9\n9\n", { intervalMs: 1000 }, 11, 4_000, "one row every 1000 ms"],
    [
      "FCC, Measuring Broadband America",
      `"unit_id","dtime","fetch_time","bytes_total","bytes_sec"\n${rows((i) => `41,"2020-09-01 00:0${i}:17",1234,15,${1_000_000}`)}`,
      { intervalMs: 5000 },
      8,
      50_000,
      "`bytes_sec` in bytes-per-sec",
    ],
    [
      "Puffer",
      PUFFER + rows((i) => `${1_700_000_000 + 2 * i}000000000,a,0,80,10,20000,30000,1000000`, 5),
      {},
      8,
      10_000,
      "`delivery_rate` in bytes-per-sec, as Puffer writes it",
    ],
    [
      "iperf 2",
      rows((i) => `2024010112000${i},10.0.0.2,5001,10.0.0.1,4000,3,${i}.0-${i + 1}.0,1310720,10485760`, 5) +
        "20240101120005,10.0.0.2,5001,10.0.0.1,4000,3,0.0-5.0,6553600,10485760\n",
      {},
      10.48576,
      5_000,
      "a log of iperf 2",
    ],
    ["iperf 3", iperf3((i) => ({ streams: [], sum: interval(i, 1e7) })), {}, 10, 3_000, "bits_per_second"],
    [
      "iperf 3, one direction of two",
      iperf3((i) => ({ streams: [], sum: interval(i, 1e7), sum_bidir_reverse: interval(i, 2e7) })),
      { timeColumn: "sum_bidir_reverse.start", rateColumn: "sum_bidir_reverse.bits_per_second" },
      20,
      3_000,
      "sum_bidir_reverse",
    ],
    [
      "tshark's statistics",
      `\n====\n| IO Statistics |\n| Interval | Frames | Bytes |\n|------|\n${rows((i) => `|  ${i} <> ${i + 1} |  100 | 125000 |`, 3)}====\n`,
      {},
      1,
      3_000,
      "a log of tshark",
    ],
    [
      "starlink-grpc-tools",
      `datetimestamp_utc,pop_ping_latency_ms,downlink_throughput_bps,uplink_throughput_bps\n${rows((i) => `2024-01-01T00:00:0${i}+00:00,32,50000000,5000000`, 5)}`,
      { rateColumn: "downlink_throughput_bps" },
      50,
      5_000,
      "`datetimestamp_utc`, dates",
    ],
    [
      "a spreadsheet in another language",
      "\uFEFFZeit (s);Datenrate (Mbit/s)\r\n0,0;12,5\r\n1,0;13,5\r\n2,0;14,5\r\n",
      {},
      13.5,
      3_000,
      "`Zeit (s)` in s",
    ],
    [
      "Prometheus",
      JSON.stringify({
        data: {
          result: [
            { metric: { job: "x" }, values: [0, 1, 2].map((i) => [1_700_000_000 + 15 * i, "12000000"]) },
          ],
        },
      }),
      { rateUnit: "bps" },
      12,
      45_000,
      "times since 1970",
    ],
    [
      "pandas, as a table",
      JSON.stringify({
        schema: { fields: [{ name: "time" }] },
        data: [0, 1].map((time) => ({ time, mbps: 12 })),
      }),
      {},
      12,
      2_000,
      "`mbps`",
    ],
    [
      "minutes and seconds that have passed",
      "elapsed,kbps\n00:59.5,1000\n01:00.0,2000\n01:00.5,1500\n",
      {},
      1.5,
      1_500,
      "times of day",
    ],
    [
      "Wireshark's graph",
      '"Interval start","All packets","Bits/s"\n0,100,1250000\n1,110,1350000\n',
      {},
      1.3,
      2_000,
      "`Bits/s`",
    ],
    ["a scenario's points", '[{"atSec":0,"mbps":12},{"atSec":1,"mbps":24}]', {}, 18, 2_000, "`atSec` in s"],
    [
      "mm-link of Mahimahi",
      `# mahimahi mm-link (downlink)\n# base timestamp: 500\n${rows((i) => `${501 + i} # 1504\n${501 + i} + 1504\n${501 + i} - 1504 0`)}`,
      {},
      12,
      10,
      "a log of mm-link",
    ],
  ])("%s", (_what, text, options, meanMbps, periodMs, note) => {
    const { trace, meanMbps: got, notes } = importTrace(text, "x", options);
    expect(got).toBeCloseTo(meanMbps, 6);
    expect(trace.opportunitiesMs.at(-1)).toBe(periodMs);
    expect(notes.join("; ")).toContain(note);
  });
});

describe("what says no rate, or two, is one sentence", () => {
  it.each<[string, string, ImportOptions, string]>([
    [
      "a flow's log of Pantheon",
      "# init timestamp: 1\n0.5 + 1500 1\n0.9 - 1500 30.1 1\n",
      {},
      "log of packets, x: got arrivals and departures without",
    ],
    [
      "both directions",
      G_NET_TRACK + rows(netTrack),
      {},
      "rates of x: got `DL_bitrate` and `UL_bitrate`, expected --rate-column with one of them",
    ],
    [
      "downlink and uplink",
      "time,downlink,uplink\n0,10,1\n1,20,2\n",
      {},
      "got `downlink` and `uplink`, expected --rate-column",
    ],
    [
      "no times",
      LUMOS + rows((i) => `1,${i},45,-93,NR,-94,-80,${800 + i},driving,0`),
      {},
      "or --interval-ms where rows come at one interval",
    ],
    [
      "a list of numbers with points",
      "12.5\n13.5\n",
      {},
      "list of numbers, x: got no interval, expected --interval-ms",
    ],
    [
      "two directions of iperf 3",
      iperf3((i) => ({ sum: interval(i, 1e7), sum_bidir_reverse: interval(i, 2e7) })),
      {},
      "expected --time-column sum.start and --rate-column sum.bits_per_second",
    ],
    [
      "what iperf 3 prints",
      "Connecting to host 10.0.0.1, port 5201\n[ ID] Interval Transfer Bitrate\n",
      {},
      "expected its JSON (`iperf3 --json`)",
    ],
    [
      "FlowMonitor's XML",
      '<?xml version="1.0" ?>\n<FlowMonitor>\n</FlowMonitor>\n',
      {},
      "XML, x: got `<?xml version",
    ],
    [
      "a spreadsheet",
      "PK\u0003\u0004\u0014\u0000",
      {},
      "no text, x: got a zip archive, or a spreadsheet, expected",
    ],
    ["packets", "\ufffd\u00f2\ufffd\ufffd\u0002\u0000", {}, "no text, x: got packets (pcap), expected"],
    ["other bytes", "abc\u0000\u0001", {}, "no text, x: got bytes that are no text, expected"],
    [
      "a unit for a known log",
      rows((i) => `${1289406399 + i} ${1000 * i} 59 10 ${125_000} 1000`),
      { rateUnit: "kbps" },
      "--rate-unit, x: does not apply to a log of phones",
    ],
    [
      "a unit for mm-link's log",
      "1 # 1504\n2 # 1504\n",
      { rateUnit: "kbps" },
      "--rate-unit, x: does not apply to a Mahimahi trace",
    ],
  ])("%s", (_what, text, options, expected) => {
    let message = "";
    try {
      importTrace(text, "x", options);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain(expected);
    expect(message).not.toContain("\n");
  });
});
