/** RFC 9743 section 5.1: one or more flows of the evaluated algorithm alone. */
import { median } from "../../statistics.ts";
import {
  courses,
  flowMarks,
  goodputOf,
  goodputRatio,
  leastOfFair,
  link,
  moreTest,
  OURS,
  points,
  quantity,
  REFERENCE,
  sumOfFlows,
} from "../parts.ts";
import { type CcwgRow, EVALUATED, medianOf, type RowResults, resultsOf } from "../row.ts";

const LOSS_BUFFERS = [0.5, 1, 1.5, 3] as const;
const LOSS_FLOWS = 4;
/** LossThresh of draft-ietf-ccwg-bbr, which is the fix that section 5.1.3 speaks of. */
const HIGH_LOSS = 0.02;

const SHORT = { bytes: 60_000, count: 40 } as const;

/** Slow starts are over then: section 5.1.3 speaks of loss that lasts. */
const LOSS_FROM_SEC = 15;
const LOSS_UNTIL_SEC = 60;

const lossLink = (bufferBdp: number, durationSec: number) =>
  link("high-loss", {
    mbps: 20,
    rttMs: 40,
    bufferBdp,
    durationSec,
    flows: moreTest(LOSS_FLOWS - 1, { startEverySec: 0.5 }),
  });

function lossRun(contender: string, bdp: number, untilSec: number): string {
  return `${contender}, ${bdp} BDP, until ${untilSec} s`;
}

/** Dropped / sent by all flows once slow starts are over, by seed. */
function lastingLosses(results: RowResults, contender: string, bdp: number): number[] {
  const until = resultsOf(results, lossRun(contender, bdp, LOSS_UNTIL_SEC));
  const from = resultsOf(results, lossRun(contender, bdp, LOSS_FROM_SEC));
  return until.map((late, i) => {
    const gained = (of: "droppedPackets" | "sentPackets"): number =>
      sumOfFlows(late, of) - sumOfFlows(from[i]!, of);
    return gained("droppedPackets") / gained("sentPackets");
  });
}

const withShort = (first: "long" | "absent") =>
  link("short-flows", {
    mbps: 20,
    rttMs: 40,
    bufferBdp: 1,
    durationSec: 45,
    ...(first === "absent" && { application: { kind: "finite", bytes: SHORT.bytes } }),
    flows: moreTest(SHORT.count, {
      startSec: 5,
      startEverySec: 1,
      application: { kind: "finite", bytes: SHORT.bytes },
    }),
  });

/** The median completion of the flows beside the first, over all of them and the seeds; one that was not done is Infinity. */
export function medianCompletionMs(results: RowResults, id: string): number {
  const all = resultsOf(results, id)
    .flatMap(({ flows = [] }) => flows.slice(1))
    .map(({ completionMs = Number.NaN }) =>
      Number.isNaN(completionMs) ? Number.POSITIVE_INFINITY : completionMs,
    )
    .sort((a, b) => a - b);
  return all[all.length >> 1] ?? Number.NaN;
}

/** The same by place, for pictures. */
export function completionMarks(results: RowResults): { name: string; x: number; y: number }[] {
  return [...results].flatMap(([name, all]) =>
    all.flatMap(({ flows = [] }) =>
      flows
        .slice(1)
        .map(({ startSec, completionMs = Number.NaN }) => ({ name, x: startSec, y: completionMs })),
    ),
  );
}

export const SINGLE_ROWS: readonly CcwgRow[] = [
  {
    name: "congestion-collapse",
    section: "5.1.1",
    level: "criterion",
    requirement: "full backoff, or a pause, where congestion persists",
    experiment:
      "one flow whose path loses 85 % of all packets (20 Mbit/s, 100 ms), and 40 flows on 2 Mbit/s with a queue of 0.5 BDP",
    runs: [
      {
        id: "85 % lost",
        contender: EVALUATED,
        scenario: link("congestion-collapse", {
          mbps: 20,
          rttMs: 100,
          bufferBdp: 1,
          durationSec: 60,
          forward: { lossRate: 0.85 },
        }),
      },
      {
        id: "40 flows",
        contender: EVALUATED,
        scenario: link("congestion-collapse", {
          mbps: 2,
          rttMs: 100,
          bufferBdp: 0.5,
          durationSec: 60,
          flows: moreTest(39, { startEverySec: 0.1 }),
        }),
      },
    ],
    measure: (results) => [
      quantity(
        "packets sent per round trip while 85 % are lost",
        medianOf(results, "85 % lost", ({ metrics }) => (metrics.sentPackets / metrics.durationSec) * 0.1),
        { high: 4 },
        `${OURS}: BBR's least window of 4 packets; RFC 8961 and RFC 2914 ask for one and exponential backoff`,
      ),
      quantity(
        "payload delivered / link, 40 flows",
        medianOf(results, "40 flows", (result) => {
          const got = (result.flows ?? []).reduce(
            (sum, flow) => sum + flow.goodputMbps * flow.durationSec,
            0,
          );
          return got / (result.metrics.durationSec * 2 * (1448 / 1500));
        }),
        { low: 0.8 },
        `${OURS}: RFC 2914 section 3 calls collapse what leaves a link busy with packets that are of no use`,
      ),
    ],
    figure: (results) => courses("Congestion collapse", results),
  },
  {
    name: "bufferbloat",
    section: "5.1.2",
    level: "criterion",
    requirement: "no excessive queues",
    experiment: "one flow on 20 Mbit/s, 40 ms, drop-tail of 10 BDP",
    runs: [
      {
        id: "10 BDP",
        contender: EVALUATED,
        scenario: link("bufferbloat", { mbps: 20, rttMs: 40, bufferBdp: 10, durationSec: 60 }),
      },
    ],
    measure: (results) => [
      quantity(
        "mean queueing delay / base RTT",
        medianOf(results, "10 BDP", ({ metrics }) => metrics.meanQueueDelayMs / 40),
        { high: 1 },
        `${OURS}: one BDP of queue, what RFC 5681 senders need; section 5.1.2 says that Reno and CUBIC fill any buffer`,
      ),
    ],
    figure: (results) => courses("Bufferbloat: 10 BDP of buffer", results),
  },
  {
    name: "high-loss",
    section: "5.1.3",
    level: "criterion",
    requirement: "no excessive loss, and less sending where loss is high",
    experiment: `${LOSS_FLOWS} flows of the algorithm on 20 Mbit/s, 40 ms, drop-tail of ${LOSS_BUFFERS.join(", ")} BDP, and as many Reno flows on their own: losses from ${LOSS_FROM_SEC} to ${LOSS_UNTIL_SEC} s, as the difference of two runs that end then`,
    runs: LOSS_BUFFERS.flatMap((bdp) =>
      [EVALUATED, REFERENCE.reno].flatMap((contender) =>
        [LOSS_FROM_SEC, LOSS_UNTIL_SEC].map((untilSec) => ({
          id: lossRun(contender, bdp, untilSec),
          contender,
          scenario: lossLink(bdp, untilSec),
        })),
      ),
    ),
    measure: (results) =>
      LOSS_BUFFERS.map((bdp) =>
        quantity(
          `packets lost, ${bdp} BDP`,
          median(lastingLosses(results, EVALUATED, bdp)),
          { high: Math.max(HIGH_LOSS, 2 * median(lastingLosses(results, REFERENCE.reno, bdp))) },
          "LossThresh of draft-ietf-ccwg-bbr (2 %), or twice what as many Reno flows (RFC 5681) lose, whichever is more",
        ),
      ),
    figure: (results) =>
      points(
        "Loss by the size of the buffer",
        ["evaluated", "Reno"],
        LOSS_BUFFERS.flatMap((bdp) => [
          ...lastingLosses(results, EVALUATED, bdp).map((loss) => ({
            name: "evaluated",
            x: bdp,
            y: 100 * loss,
          })),
          ...lastingLosses(results, REFERENCE.reno, bdp).map((loss) => ({
            name: "Reno",
            x: bdp,
            y: 100 * loss,
          })),
        ]),
        { x: "buffer (BDP)", y: "packets lost (%)" },
      ),
  },
  {
    name: "fairness",
    section: "5.1.4",
    level: "criterion",
    requirement: "how flows of the algorithm share a link",
    experiment: "four flows, 5 s apart, on 40 Mbit/s, 40 ms, 1 BDP, for 120 s",
    runs: [
      {
        id: "4 flows",
        contender: EVALUATED,
        scenario: link("fairness", {
          mbps: 40,
          rttMs: 40,
          bufferBdp: 1,
          durationSec: 120,
          flows: moreTest(3, { startSec: 5, startEverySec: 5 }),
        }),
      },
    ],
    measure: (results) => [
      quantity(
        "Jain's index of goodput",
        medianOf(results, "4 flows", ({ jainIndex = Number.NaN }) => jainIndex),
        { low: 0.8 },
        `${OURS}: the index of Jain, Chiu and Hawe 1984; 0.8 is four flows of which one has nothing to send and 0.05 more`,
      ),
    ],
    figure: (results) => flowMarks("Four flows of the algorithm", results),
  },
  {
    name: "fairness-rtt",
    section: "5.1.4",
    level: "criterion",
    requirement: "how flows with unlike round trips share a link",
    experiment: "two flows with 20 and 120 ms on 40 Mbit/s, drop-tail of 1 BDP of the longer, for 120 s",
    runs: [
      {
        id: "20 and 120 ms",
        contender: EVALUATED,
        scenario: link("fairness-rtt", {
          mbps: 40,
          rttMs: 120,
          bufferBdp: 1,
          durationSec: 120,
          flows: moreTest(1, { propagationDelayMs: 10 }),
        }),
      },
    ],
    measure: (results) => [
      quantity(
        "least goodput / half of the sum",
        medianOf(results, "20 and 120 ms", leastOfFair),
        { low: 0.5 },
        `${OURS}: half of its fair part; RFC 9331 section 4.3 asks scalable controls to lessen their bias by round trip`,
      ),
      quantity(
        "greatest / least goodput",
        medianOf(results, "20 and 120 ms", goodputRatio),
        { high: 3 },
        `${OURS}: the same as a ratio; Reno's law (Padhye et al. 1998) makes it the ratio of round trips, 2 to 6 with queues`,
      ),
    ],
    figure: (results) => flowMarks("20 and 120 ms (flow 2 has the shorter)", results),
  },
  {
    name: "short-flows",
    section: "5.1.5",
    level: "MUST",
    requirement: "how short flows affect long ones, and the reverse, within the algorithm",
    experiment: `${SHORT.count} flows of ${SHORT.bytes / 1000} kB, one a second, beside a long one on 20 Mbit/s, 40 ms, 1 BDP; and each without the other`,
    runs: [
      { id: "short beside long", contender: EVALUATED, scenario: withShort("long") },
      { id: "short alone", contender: EVALUATED, scenario: withShort("absent") },
      {
        id: "long alone",
        contender: EVALUATED,
        scenario: link("short-flows", { mbps: 20, rttMs: 40, bufferBdp: 1, durationSec: 45 }),
      },
      { id: "Reno: short beside long", contender: REFERENCE.reno, scenario: withShort("long") },
    ],
    measure: (results) => [
      quantity(
        "median completion of short flows beside a long one / the same of Reno",
        medianCompletionMs(results, "short beside long") /
          medianCompletionMs(results, "Reno: short beside long"),
        { high: 1.5 },
        `${OURS}: RFC 5681 is the measure of section 5.2; half as much again is allowed`,
      ),
      quantity(
        "goodput of the long flow beside short ones / alone",
        medianOf(results, "short beside long", goodputOf(0)) / medianOf(results, "long alone", goodputOf(0)),
        { low: 0.75 },
        `${OURS}: the short ones ask for 2.4 % of the link; a tenth of what Reno keeps is allowed besides`,
      ),
    ],
    figure: (results) =>
      points(
        "Completion of short flows",
        ["short beside long", "short alone", "Reno: short beside long"],
        completionMarks(results).filter(({ name }) => name !== "long alone"),
        { x: "start (s)", y: "completion (ms)" },
      ),
  },
];
