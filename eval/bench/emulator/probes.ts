/** One packet at a time, on a link that is otherwise silent: what is late is the machine and the emulator. */
import { NANOS_PER_MICRO, NANOS_PER_MILLI, NANOS_PER_SEC } from "../../../core/units.ts";
import { hurry } from "../../../testbeds/emulated/hurry.ts";
import { MSG_DONTWAIT, POLLIN, SCHED_OTHER } from "../../../testbeds/host/constants.ts";
import {
  Datagrams,
  linkOf,
  type PartOptions,
  quantile,
  type Row,
  UDP_HEADER_BYTES,
  withLink,
} from "./links.ts";

const COUNT = 1000;
const EVERY_NS = 1.5 * NANOS_PER_MILLI;
const ONE_WAY_MS = 20;
const MBPS = 48;
const PROBE_BYTES = 64;
/** Awake so long before something is due, so that this thread's own waking is not counted. */
const EARLY_NS = 250_000;
const PATIENCE_NS = 20 * NANOS_PER_SEC;

function clockNs(): number {
  return Number(process.hrtime.bigint());
}

export async function* probes({ libc }: PartOptions): AsyncGenerator<Row> {
  const computedNs =
    ONE_WAY_MS * NANOS_PER_MILLI + ((PROBE_BYTES + UDP_HEADER_BYTES) * 8 * NANOS_PER_SEC) / (MBPS * 1e6);
  const lateUs = await withLink(linkOf(MBPS, ONE_WAY_MS, { packets: 100 }), {}, (link) => {
    const sockets = new Datagrams(libc, link);
    hurry(libc);
    try {
      return measure(libc, sockets, computedNs);
    } finally {
      libc.schedSetscheduler(SCHED_OTHER, 0);
      sockets.close();
    }
  });
  yield {
    probes: lateUs.length,
    p50Us: quantile(lateUs, 0.5),
    p99Us: quantile(lateUs, 0.99),
    maxUs: Math.max(...lateUs),
  };
}

function measure(libc: PartOptions["libc"], { from, to }: Datagrams, computedNs: number): number[] {
  const into = new Uint8Array(2048);
  const probe = new Float64Array(PROBE_BYTES / 8);
  const late: number[] = [];
  const due: number[] = [];
  const polled = new Int32Array([to, POLLIN]);
  const firstNs = clockNs() + 5 * NANOS_PER_MILLI;
  for (let sent = 0; late.length < COUNT && clockNs() < firstNs + PATIENCE_NS; ) {
    if (sent < COUNT && clockNs() >= firstNs + sent * EVERY_NS) {
      probe[0] = clockNs();
      due.push(probe[0] + computedNs);
      libc.send(from, new Uint8Array(probe.buffer));
      sent++;
    }
    const nextSendNs = sent < COUNT ? firstNs + sent * EVERY_NS : Number.POSITIVE_INFINITY;
    const waitNs = Math.min(nextSendNs, due[late.length] ?? nextSendNs) - clockNs();
    if (waitNs > EARLY_NS) libc.ppoll(polled, waitNs - EARLY_NS);
    if (libc.recv(to, into, into.length, MSG_DONTWAIT) > 0) {
      const sentNs = new Float64Array(into.buffer, 0, 1)[0]!;
      late.push((clockNs() - sentNs - computedNs) / NANOS_PER_MICRO);
    }
  }
  return late;
}
