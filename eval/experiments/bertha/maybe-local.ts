/**
 * What it is worth to know that the peer is on this host: echoes over an encrypted stack by UDP, over the same one of which `optimise` has made
 * a stack that goes by a unix socket and is not encrypted where nobody outside can listen, over one without encryption, and over TLS, as others have it. In real
 * time over loopback, in turn, so that what else happens on the machine meets all alike.
 */
import Table from "cli-table3";
import {
  type ChunnelSpec,
  encrypt,
  local,
  OpenStack,
  openLocalPort,
  optimise,
  realSurroundings,
  stack,
  udp,
} from "../../../transport/index.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { page, panelTitle } from "../figures.ts";
import { whole, wholes } from "../options.ts";
import { quantile } from "../p2/nodes.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { BERTHA_SOURCE } from "./establishment.ts";
import { type EchoWire, openTlsPair } from "./tls-pair.ts";

const ENCRYPTED = "encrypted, UDP";
const FUSED = "maybe-local, fused";
const PLAIN = "plain, UDP";
const TLS = "TLS, TCP";
const WAYS = [ENCRYPTED, FUSED, PLAIN, TLS] as const;
type WayName = (typeof WAYS)[number];

const WARM_UP = 500;
const GIVE_UP_MS = 1_000;
const SESSION = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

interface Row {
  readonly way: WayName;
  readonly bytes: number;
  readonly trial: number;
  readonly us: number;
}

function stackOf(way: Exclude<WayName, typeof TLS>): readonly ChunnelSpec[] {
  const secret = encrypt({ secret: "of both" });
  if (way === PLAIN) return stack(udp());
  if (way === ENCRYPTED) return stack(secret, udp());
  return optimise(stack(secret, local(), udp())).stack;
}

interface Pair {
  /** @returns microseconds until the same has come back; NaN: it has not */
  echo(bytes: Uint8Array): Promise<number>;
  close(): void;
}

async function openStacks(specs: readonly ChunnelSpec[]): Promise<EchoWire> {
  const server = await openLocalPort(
    {},
    (datagram, from, isLocal) => serverEnd?.arrive(datagram, from, isLocal),
    () => serverEnd?.drained(),
  );
  const client = await openLocalPort(
    {},
    (datagram, from, isLocal) => clientEnd?.arrive(datagram, from, isLocal),
    () => clientEnd?.drained(),
  );
  const surroundings = realSurroundings();
  const common = { stack: specs, surroundings, session: SESSION };
  const serverEnd: OpenStack = new OpenStack({
    ...common,
    port: server.port,
    side: "server",
    peer: client.port.self,
    app: { receive: (messages) => serverEnd.send(messages.map(({ data }) => ({ data }))) },
  });
  const clientEnd: OpenStack = new OpenStack({
    ...common,
    port: client.port,
    side: "client",
    peer: server.port.self,
    app: { receive: () => wire.heard() },
  });
  const wire: EchoWire = {
    heard: () => {},
    send: (data) => clientEnd.send([{ data }]),
    close: () => {
      for (const each of [clientEnd, serverEnd, client, server]) each.close();
    },
  };
  return wire;
}

async function openPair(way: WayName): Promise<Pair> {
  const wire: EchoWire = await (way === TLS ? openTlsPair() : openStacks(stackOf(way)));
  return {
    echo: (data) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => resolve(Number.NaN), GIVE_UP_MS);
        const startMs = performance.now();
        wire.heard = () => {
          clearTimeout(timer);
          resolve((performance.now() - startMs) * 1_000);
        };
        wire.send(data);
      }),
    close: () => wire.close(),
  };
}

const SHARES = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

export const berthaMaybeLocal: Experiment = experiment({
  name: "bertha-maybe-local",
  summary:
    "latency inside a host: a stack fused with maybe-local, by a unix socket, against encryption over UDP and TLS",
  source: BERTHA_SOURCE,
  options: {
    trials: whole(2_000, { low: 1, high: 1_000_000, help: "echoes of each kind and size, in real time" }),
    bytes: wholes([64, 1_024], { low: 1, high: 1_400, help: "bytes of an echo" }),
  },
  count: ({ trials, bytes }) => WAYS.length * trials * bytes.length,
  async *run({ trials, bytes }): AsyncGenerator<Row> {
    const pairs = await Promise.all(WAYS.map(openPair));
    try {
      for (const size of bytes) {
        const data = new Uint8Array(size);
        for (let trial = -WARM_UP; trial < trials; trial++) {
          for (const [i, way] of WAYS.entries()) {
            const us = await pairs[i]!.echo(data);
            if (trial >= 0) yield { way, bytes: size, trial, us };
          }
        }
      }
    } finally {
      for (const pair of pairs) pair.close();
    }
  },
  describe: ({ way, bytes }) => `${way}, ${bytes} bytes`,
  report(rows, { trials, bytes }) {
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["stack", "bytes", ...SHARES.map((share) => `p${Math.round(100 * share)} us`)],
    });
    const boxes = bytes.flatMap((size) =>
      WAYS.map((way) => {
        const all = rows.filter((row) => row.way === way && row.bytes === size).map(({ us }) => us);
        const [p5, p25, p50, p75, p95] = SHARES.map((share) => quantile(all, share)) as [
          number,
          number,
          number,
          number,
          number,
        ];
        return { name: way, bytes: size, label: `${way}, ${size} B`, p5, p25, p50, p75, p95 };
      }),
    );
    for (const { name, bytes: size, p5, p25, p50, p75, p95 } of boxes) {
      table.push([name, String(size), ...[p5, p25, p50, p75, p95].map((us) => us.toFixed(0))]);
    }
    const median = (way: WayName, size: number): number =>
      boxes.find((box) => box.name === way && box.bytes === size)!.p50;
    const x = (field: string): object => ({
      field,
      type: "quantitative",
      title: "Microseconds until the echo",
    });
    const y = { field: "label", type: "nominal", sort: null, title: null };
    const color = { field: "name", type: "nominal", scale: { domain: [...WAYS] }, legend: null };
    return {
      text: `${table.toString()}\n${trials} echoes each, over loopback, both ends in one process.\n`,
      claims: bytes.flatMap((size) =>
        ([ENCRYPTED, TLS] as const).map((other) =>
          judge({
            claim: `median of ${size} bytes, fused over ${other}`,
            published: "faster",
            measured: median(FUSED, size) / median(other, size),
            unit: "1",
            threshold: { high: 1 },
          }),
        ),
      ),
      summary: boxes,
      figure: page({ title: "A peer on this host" }, WAYS, [
        {
          title: panelTitle("p5 to p95, quartiles and median"),
          width: 420,
          height: 60 * bytes.length + 60,
          data: { values: boxes },
          layer: [
            { mark: { type: "rule" }, encoding: { y, x: x("p5"), x2: { field: "p95" } } },
            { mark: { type: "bar", size: 16 }, encoding: { y, x: x("p25"), x2: { field: "p75" }, color } },
            { mark: { type: "tick", color: "black", size: 16, thickness: 2 }, encoding: { y, x: x("p50") } },
          ],
        },
      ]),
    };
  },
});
