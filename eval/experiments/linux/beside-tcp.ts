/**
 * One stream of `ccpark/transport` and one connection of Linux's TCP through an emulated link, in real time: what each gets. Where
 * both have the same algorithm they are to share alike, by whatever code; priorities of DTL yield or take more.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import Table from "cli-table3";
import { CcparkError } from "../../../core/errors.ts";
import { type Mbps, NANOS_PER_SEC, toMbps } from "../../../core/units.ts";
import { type EmulatedLink, type LinkEnd, openLink } from "../../../testbeds/emulated/open-link.ts";
import { whyNoLinks } from "../../../testbeds/host/abilities.ts";
import { type Libc, loadLibc } from "../../../testbeds/host/libc.ts";
import { Hosts } from "../../../testbeds/linux/hosts.ts";
import { tcpInfo } from "../../../testbeds/linux/tcp-info.ts";
import { linkOf, quantile } from "../../bench/emulator/links.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { page, panelTitle } from "../figures.ts";
import { positive, whole } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { packetsIn, payloadMbps } from "../shares.ts";

interface Pair {
  readonly stream: string;
  readonly tcp: string;
  /** of what both get, the stream's */
  readonly published?: string;
  readonly threshold?: { readonly low?: number; readonly high?: number };
  /** of the link; default: one bandwidth-delay product */
  readonly queueMs?: number;
}

/** Two flows of one algorithm over drop-tail: 1/2, but for whom the losses hit. */
const ALIKE = { low: 0.35, high: 0.65 } as const;

const PAIRS: readonly Pair[] = [
  { stream: "reno", tcp: "reno", published: "1/2", threshold: ALIKE },
  { stream: "cubic", tcp: "cubic", published: "1/2", threshold: ALIKE },
  // what yields goes by the queue, which must hold more than LEDBAT's target of 100 ms
  { stream: "dtl:priority=0", tcp: "reno", published: "yields", threshold: { high: 0.2 }, queueMs: 200 },
  { stream: "dtl:priority=1", tcp: "reno", published: "1/2", threshold: ALIKE },
  {
    stream: "dtl:priority=2",
    tcp: "reno",
    published: "2/3, more where a full queue drops from both at once",
  },
];

interface Row {
  readonly stream: string;
  readonly tcp: string;
  readonly round: number;
  readonly streamMbps: Mbps;
  readonly tcpMbps: Mbps;
}

function startEnd({ namespace }: LinkEnd, args: readonly string[]): ChildProcess {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const script = fileURLToPath(new URL(`./stream-end.${extension}`, import.meta.url));
  // sources are run by tsx, also where this process has another loader
  const execArgv = extension === "ts" ? ["--import", "tsx"] : process.execArgv;
  return namespace.run(() => fork(script, args, { execArgv }));
}

async function answerOf(end: ChildProcess): Promise<number> {
  const [answer] = (await Promise.race([
    once(end, "message"),
    once(end, "exit").then(([code]): never => {
      throw new CcparkError("internal", `[experiment] an end of the stream ended with ${code}`);
    }),
  ])) as [number];
  return answer;
}

async function together(
  libc: Libc,
  link: EmulatedLink,
  pair: Pair,
  { settleSec, sec }: { readonly settleSec: number; readonly sec: number },
): Promise<Pick<Row, "streamMbps" | "tcpMbps">> {
  const hosts = new Hosts(libc, link.client, link.server, 1);
  const ends: ChildProcess[] = [];
  try {
    await hosts.ready;
    const receiver = startEnd(link.server, [link.server.address]);
    ends.push(receiver);
    const port = await answerOf(receiver);
    ends.push(startEnd(link.client, [link.server.address, String(port), pair.stream]));
    const tcp = hosts.connect(pair.tcp, Number.POSITIVE_INFINITY);
    hosts.start(tcp);
    const look = async (): Promise<{ stream: number; tcp: number; ns: number }> => {
      receiver.send("bytes");
      const stream = await answerOf(receiver);
      return { stream, tcp: tcpInfo(libc, tcp.fd).ackedBytes, ns: Number(process.hrtime.bigint()) };
    };
    await sleep(1_000 * settleSec);
    const from = await look();
    await sleep(1_000 * sec);
    const to = await look();
    const rate = (bytes: number): Mbps => toMbps((bytes * NANOS_PER_SEC) / (to.ns - from.ns));
    return { streamMbps: rate(to.stream - from.stream), tcpMbps: rate(to.tcp - from.tcp) };
  } finally {
    for (const end of ends) end.disconnect();
    await hosts.close();
  }
}

export const transportBesideTcp: Experiment = experiment({
  name: "transport-beside-tcp",
  summary: "streams of ccpark/transport beside Linux's own TCP through an emulated link (as root)",
  source: "RFC 5681, RFC 9438; Reale, Roverso, El-Ansary and Haridi, ICDCN 2012 (DTL)",
  options: {
    mbps: positive(24, { help: "of the link" }),
    rttMs: positive(40, { help: "of the link, in milliseconds" }),
    rounds: whole(1, { low: 1, high: 99, help: "in turns, whose medians count" }),
    settleSec: positive(5, { help: "seconds before what is measured" }),
    sec: positive(20, { help: "seconds that are measured" }),
  },
  refuses: whyNoLinks,
  count: ({ rounds }) => rounds * PAIRS.length,
  async *run({ mbps, rttMs, rounds, ...times }): AsyncGenerator<Row> {
    const libc = await loadLibc();
    for (let round = 0; round < rounds; round++) {
      for (const pair of PAIRS) {
        const { stream, tcp, queueMs = rttMs } = pair;
        const queue = { packets: packetsIn(mbps, queueMs) };
        const link = await openLink(linkOf(mbps, rttMs / 2, queue), 1, {});
        try {
          yield { stream, tcp, round, ...(await together(libc, link, pair, times)) };
        } finally {
          await link.close();
        }
      }
    }
  },
  describe: ({ stream, tcp, round }) => `${stream} beside ${tcp}, round ${round + 1}`,
  report(rows, { mbps, rttMs, rounds, sec }) {
    const results = PAIRS.map((pair) => {
      const own = rows.filter(({ stream, tcp }) => stream === pair.stream && tcp === pair.tcp);
      const median = (of: (row: Row) => number): number => quantile(own.map(of), 0.5);
      return {
        pair,
        streamMbps: median((row) => row.streamMbps),
        tcpMbps: median((row) => row.tcpMbps),
        share: median((row) => row.streamMbps / (row.streamMbps + row.tcpMbps)),
      };
    });
    const table = new Table({
      ...PLAIN_TABLE,
      head: [
        "stream",
        "Linux's TCP",
        "queue ms",
        "stream Mbit/s",
        "TCP Mbit/s",
        "the stream's share",
        "of the link",
      ],
    });
    for (const { pair, streamMbps, tcpMbps, share } of results) {
      const filled = (streamMbps + tcpMbps) / payloadMbps(mbps);
      const cells = [streamMbps, tcpMbps].map((rate) => rate.toFixed(2));
      table.push([
        pair.stream,
        pair.tcp,
        pair.queueMs ?? rttMs,
        ...cells,
        share.toFixed(3),
        `${(100 * filled).toFixed(1)} %`,
      ]);
    }
    const values = results.flatMap(({ pair, streamMbps, tcpMbps }) => [
      { pair: `${pair.stream} beside ${pair.tcp}`, name: "stream", mbps: streamMbps },
      { pair: `${pair.stream} beside ${pair.tcp}`, name: "TCP", mbps: tcpMbps },
    ]);
    const names = ["stream", "TCP"];
    const bars = {
      title: panelTitle("Medians"),
      width: 420,
      height: 180,
      data: { values },
      mark: "bar",
      encoding: {
        y: { field: "pair", type: "nominal", sort: null, title: null },
        x: { field: "mbps", type: "quantitative", title: "Mbit/s" },
        color: { field: "name", type: "nominal", scale: { domain: names } },
      },
    };
    return {
      text: `${table.toString()}\n${mbps} Mbit/s, ${rttMs} ms, drop-tail; ${sec} s each, medians of ${rounds} rounds, in real time.\n`,
      claims: results.map(({ pair: { stream, tcp, published, threshold }, share }) =>
        judge({
          claim: `${stream} beside Linux's ${tcp}: the stream's share`,
          ...(published !== undefined && { published }),
          measured: share,
          unit: "1",
          ...(threshold && { threshold }),
        }),
      ),
      figure: page({ title: "Beside Linux's TCP" }, names, [bars]),
    };
  },
});
