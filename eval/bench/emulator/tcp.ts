/** Linux's Cubic through links of constant rate: what it is acknowledged of what fits, without headers. */
import { setTimeout as sleep } from "node:timers/promises";
import { MSS_BYTES, NANOS_PER_SEC, PACKET_BYTES, toMbps } from "../../../core/units.ts";
import { Hosts } from "../../../testbeds/linux/hosts.ts";
import { tcpInfo } from "../../../testbeds/linux/tcp-info.ts";
import { linkOf, type PartOptions, type Row, withLink } from "./links.ts";

const RATES = [12, 48, 96, 500];
const ONE_WAY_MS = 10;
/** Two round trips of queue: the link never runs dry. */
const QUEUE_SEC = 0.04;
/** Slow start is over. */
const SETTLED_MS = 1500;

export async function* tcp({ libc, sec }: PartOptions): AsyncGenerator<Row> {
  for (const mbps of RATES) {
    const bytes = Math.max(60_000, Math.round((mbps * 1e6 * QUEUE_SEC) / 8));
    const row = await withLink(linkOf(mbps, ONE_WAY_MS, { bytes }), {}, async (link) => {
      const hosts = new Hosts(libc, link.client, link.server, 1);
      try {
        await hosts.ready;
        const sender = hosts.connect("cubic", Number.POSITIVE_INFINITY);
        hosts.start(sender);
        await sleep(SETTLED_MS);
        const look = (): { readonly bytes: number; readonly ns: number } => ({
          bytes: tcpInfo(libc, sender.fd).ackedBytes,
          ns: Number(process.hrtime.bigint()),
        });
        const from = look();
        await sleep(1000 * sec);
        const to = look();
        const reached = toMbps(((to.bytes - from.bytes) * NANOS_PER_SEC) / (to.ns - from.ns));
        // 20 bytes of IPv4, 32 of TCP with time stamps
        const possible = (mbps * MSS_BYTES) / PACKET_BYTES;
        const { medianUs, p99Us } = link.timing.packetLatenessUs;
        return {
          mbps,
          reachedMbps: reached,
          possibleMbps: possible,
          share: reached / possible,
          medianUs,
          p99Us,
        };
      } finally {
        await hosts.close();
      }
    });
    yield row;
  }
}
