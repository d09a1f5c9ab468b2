/** RFC 9743 section 7: queues with a mind of their own, changing, slow, far and odd paths, data centres, policers. */
import type { DisciplineSpec } from "../../../scenarios/disciplines/registry.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { LINUX_SENDER } from "../../../scenarios/sender-options.ts";
import type { RunResult } from "../../../testbeds/results.ts";
import {
  backAfter,
  beside,
  courses,
  flowMarks,
  flowsOf,
  goodputOf,
  type LinkParts,
  link,
  lossOfAll,
  moreTest,
  OURS,
  quantity,
  REFERENCE,
  utilisationBetween,
} from "../parts.ts";
import { type CcwgRow, EVALUATED, medianOf, type Quantity, type RowResults } from "../row.ts";

const ECN_SENDER = { ...LINUX_SENDER, ecn: "classic" } as const;

/** One flow and one run, which is most of these. */
function single(
  facts: Omit<CcwgRow, "runs" | "figure" | "measure">,
  parts: LinkParts,
  measure: (of: (pick: (result: RunResult) => number) => number) => readonly Quantity[],
): CcwgRow {
  return {
    ...facts,
    runs: [{ id: "evaluated", contender: EVALUATED, scenario: link(facts.name, parts) }],
    measure: (results) => measure((pick) => medianOf(results, "evaluated", pick)),
    figure: (results) => courses(facts.requirement, results),
  };
}

/** A row that asks to be no worse than CUBIC on the same path. */
function besideCubicsOwn(
  facts: Omit<CcwgRow, "runs" | "figure" | "measure">,
  scenario: Scenario,
  measure: (results: RowResults) => readonly Quantity[],
): CcwgRow {
  return {
    ...facts,
    runs: [
      { id: "evaluated", contender: EVALUATED, scenario },
      { id: "cubic", contender: REFERENCE.cubic, scenario },
    ],
    measure,
    figure: (results) => courses(facts.requirement, results),
  };
}

const utilisation = ({ metrics }: RunResult): number => metrics.utilisation;
const lossRate = ({ metrics }: RunResult): number => metrics.lossRate;

function underAqm(
  name: string,
  what: string,
  discipline: DisciplineSpec,
  targetMs: number,
  source: string,
): CcwgRow {
  return {
    name: `aqm-${name}`,
    section: "7.1",
    level: "SHOULD",
    requirement: `active queue management: ${what}`,
    experiment: `two flows of the algorithm, and one, on 20 Mbit/s, 40 ms under ${what}, classic ECN`,
    runs: [1, 2].map((count) => ({
      id: count === 1 ? "1 flow" : "2 flows",
      contender: EVALUATED,
      scenario: link(`aqm-${name}`, {
        mbps: 20,
        rttMs: 40,
        bufferBdp: 10,
        durationSec: 60,
        sender: ECN_SENDER,
        forward: { queue: { discipline } },
        flows: moreTest(count - 1),
      }),
    })),
    measure: (results) => [
      quantity(
        "utilisation, 1 flow",
        medianOf(results, "1 flow", utilisation),
        { low: 0.8 },
        `${OURS}: four fifths`,
      ),
      quantity(
        "mean queueing delay, 1 flow",
        medianOf(results, "1 flow", ({ metrics }) => metrics.meanQueueDelayMs),
        { high: 4 * targetMs },
        `${OURS}: four times the target of ${source} (${targetMs} ms)`,
        "ms",
      ),
      quantity(
        "packets lost, 2 flows",
        medianOf(results, "2 flows", lossOfAll),
        { high: 0.02 },
        "LossThresh of draft-ietf-ccwg-bbr (2 %)",
      ),
    ],
    figure: (results) => courses(`Under ${what}`, results),
  };
}

/** The L4S queue's other user. */
const l4s: CcwgRow = {
  name: "aqm-l4s",
  section: "7.1",
  level: "SHOULD",
  requirement: "active queue management: DualPI2 with an L4S flow beside",
  experiment: "one flow beside one of Prague on 40 Mbit/s, 20 ms under DualPI2 (RFC 9332), accurate ECN",
  runs: [
    {
      id: "beside prague",
      contender: EVALUATED,
      scenario: link("aqm-l4s", {
        mbps: 40,
        rttMs: 20,
        bufferBdp: 10,
        durationSec: 60,
        sender: { ...LINUX_SENDER, ecn: "accurate" },
        forward: { queue: { discipline: { kind: "dualpi2" } } },
        flows: [beside("prague")],
      }),
    },
  ],
  measure: (results) => [
    quantity(
      "Prague's mean queueing delay",
      medianOf(results, "beside prague", (result) => flowsOf(result)[1]!.meanQueueDelayMs),
      { high: 2 },
      "RFC 9332 section 1: the queue of L4S is to wait a millisecond in the mean; twice that is ours",
      "ms",
    ),
    quantity(
      "evaluated / Prague's goodput",
      medianOf(results, "beside prague", (result) => goodputOf(0)(result) / goodputOf(1)(result)),
      { low: 0.25, high: 4 },
      `${OURS}: RFC 9332 section 1 wants rates about equal at equal round trips; a factor of four is let pass`,
    ),
  ],
  figure: (results) => flowMarks("The evaluated (1) beside Prague (2) under DualPI2", results),
};

const reordered = link("reordering", {
  mbps: 20,
  rttMs: 40,
  bufferBdp: 2,
  durationSec: 40,
  forward: { jitter: { kind: "exponential", meanMs: 4, reorder: true } },
});
const iot = link("low-rate", { mbps: 0.064, rttMs: 400, bufferBdp: 4, durationSec: 300 });
const highDelay = link("high-delay", { mbps: 20, rttMs: 600, bufferBdp: 1, durationSec: 90 });
const circuit = link("circuit-breaker", {
  mbps: 5,
  rttMs: 80,
  bufferBdp: 1,
  durationSec: 60,
  flows: moreTest(15, { startEverySec: 0.2 }),
});

const INCAST = { senders: 16, bytes: 256_000, mbps: 1_000 } as const;
/** What all of them have to send, at the link's rate, with headers. */
const INCAST_LEAST_MS = (INCAST.senders * INCAST.bytes * 8 * (1500 / 1448)) / (INCAST.mbps * 1000);
const incastScenario = link("data-centre", {
  mbps: INCAST.mbps,
  rttMs: 0.2,
  bufferBdp: 8,
  durationSec: 4,
  sender: { ...LINUX_SENDER, ecn: "classic", minRtoMs: 10 },
  forward: { queue: { discipline: { kind: "step-mark", thresholdPackets: 30 } } },
  application: { kind: "finite", bytes: INCAST.bytes },
  flows: moreTest(INCAST.senders - 1, { application: { kind: "finite", bytes: INCAST.bytes } }),
});

/** When the last of them was done; a flow that was not counts as the whole run. */
function lastDoneMs(result: RunResult): number {
  return Math.max(
    ...flowsOf(result).map(({ completionMs = Number.NaN }) =>
      Number.isNaN(completionMs) ? 4000 : completionMs,
    ),
  );
}

export const SPECIAL_ROWS: readonly CcwgRow[] = [
  underAqm("fq-codel", "FQ-CoDel (RFC 8290)", { kind: "fq-codel", ecn: true }, 5, "RFC 8290"),
  underAqm("pie", "PIE (RFC 8033)", { kind: "pie", ecn: true }, 15, "RFC 8033"),
  l4s,
  {
    name: "circuit-breaker",
    section: "7.2",
    level: "criterion",
    requirement: "within the envelope of circuit breakers",
    experiment: "16 flows of the algorithm on 5 Mbit/s, 80 ms, 1 BDP",
    runs: [{ id: "16 flows", contender: EVALUATED, scenario: circuit }],
    measure: (results) => [
      quantity(
        "packets lost",
        medianOf(results, "16 flows", lossOfAll),
        { high: 0.1 },
        "RFC 8084 section 5.1 gives 10 % over some seconds as an example of excessive loss",
      ),
    ],
    figure: (results) => flowMarks("16 flows of the algorithm", results),
  },
  single(
    {
      name: "varying-delay",
      section: "7.3",
      level: "SHOULD",
      requirement: "a significant change of the least delay",
      experiment:
        "one flow on 20 Mbit/s, 1 BDP of 100 ms: the round trip is 40 ms, from 20 s on 120 ms, from 50 s on 40 ms again",
    },
    {
      mbps: 20,
      rttMs: 40,
      bufferBdp: 2.5,
      durationSec: 80,
      delay: {
        forward: {
          kind: "steps",
          points: [
            { atSec: 0, delayMs: 20 },
            { atSec: 20, delayMs: 100 },
            { atSec: 50, delayMs: 20 },
          ],
        },
      },
    },
    (of) => [
      quantity(
        "utilisation with the longer delay, 10 to 30 s after the change",
        of(utilisationBetween(30, 50)),
        { low: 0.7 },
        `${OURS}: a delay that is no congestion costs less than a third; BBR's least RTT is 10 s old then`,
      ),
      quantity(
        "utilisation 5 to 30 s after the delay fell",
        of(utilisationBetween(55, 80)),
        { low: 0.8 },
        `${OURS}: four fifths`,
      ),
    ],
  ),
  besideCubicsOwn(
    {
      name: "low-rate",
      section: "7.4",
      level: "criterion",
      requirement: "things and constrained nodes: a very low rate",
      experiment: "one flow on 64 kbit/s, 400 ms, 4 BDP (9 packets), and CUBIC on its own",
    },
    iot,
    (results) => [
      quantity(
        "utilisation",
        medianOf(results, "evaluated", utilisation),
        { low: 0.8 },
        `${OURS}: four fifths`,
      ),
      quantity(
        "packets lost",
        medianOf(results, "evaluated", lossRate),
        { high: Math.max(0.05, 2 * medianOf(results, "cubic", lossRate)) },
        `${OURS}: each packet costs power; 5 %, or twice what CUBIC loses there`,
      ),
    ],
  ),
  besideCubicsOwn(
    {
      name: "high-delay",
      section: "7.5",
      level: "criterion",
      requirement: "paths with high delay",
      experiment: "one flow on a geostationary path of 20 Mbit/s, 600 ms, 1 BDP, and CUBIC on its own",
    },
    highDelay,
    (results) => [
      quantity(
        "utilisation, 30 to 90 s",
        medianOf(results, "evaluated", utilisationBetween(30, 90)),
        { low: 0.7 },
        `${OURS}: seven tenths once 50 round trips have passed`,
      ),
    ],
  ),
  single(
    {
      name: "misbehaving",
      section: "7.6",
      level: "SHOULD",
      requirement: "senders that do not comply",
      experiment: "one flow on 20 Mbit/s, 40 ms, 1 BDP beside 12 Mbit/s of datagrams that answer to nothing",
    },
    {
      mbps: 20,
      rttMs: 40,
      bufferBdp: 1,
      durationSec: 60,
      traffic: [{ kind: "datagrams", arrivals: "poisson", mbps: 12 }],
    },
    (of) => [
      quantity(
        "goodput / what is left of the link",
        of(({ metrics }) => metrics.goodputMbps / (8 * (1448 / 1500))),
        { low: 0.6 },
        `${OURS}: three fifths of what the datagrams leave`,
      ),
      quantity(
        "packets of the flow lost",
        of(lossRate),
        { high: 0.05 },
        `${OURS}: Poisson arrivals fill a queue of 1 BDP by chance; 5 % is what a call stands`,
      ),
    ],
  ),
  besideCubicsOwn(
    {
      name: "reordering",
      section: "7.7",
      level: "criterion",
      requirement: "extreme reordering",
      experiment:
        "one flow on 20 Mbit/s, 40 ms, 2 BDP where each packet is late by 4 ms in the mean (seven packets), and CUBIC on its own",
    },
    reordered,
    (results) => [
      quantity(
        "utilisation / CUBIC's",
        medianOf(results, "evaluated", utilisation) / medianOf(results, "cubic", utilisation),
        { low: 0.8 },
        `${OURS}: no worse than RFC 9438 with the same sender (RACK-TLP) but for a fifth`,
      ),
    ],
  ),
  single(
    {
      name: "transient",
      section: "7.8",
      level: "SHOULD",
      requirement: "transient events: sudden onset of congestion, a link that is gone for a while",
      experiment:
        "one flow on 20 Mbit/s, 40 ms, 2 BDP: 16 Mbit/s of datagrams from 15 to 25 s, no service from 40 to 42 s",
    },
    {
      mbps: 20,
      rttMs: 40,
      bufferBdp: 2,
      durationSec: 60,
      traffic: [{ kind: "datagrams", arrivals: "constant", mbps: 16, startSec: 15, stopSec: 25 }],
      forward: { outages: [{ fromSec: 40, toSec: 42 }] },
    },
    (of) => [
      quantity(
        "seconds until nine tenths of the link are used again, after the datagrams",
        of(backAfter(25, 0.9)),
        { high: 10 },
        `${OURS}: 250 round trips`,
        "s",
      ),
      quantity(
        "seconds until nine tenths of the link are used again, after the outage",
        of(backAfter(42, 0.9)),
        { high: 5 },
        `${OURS}: the timer has doubled to 2 s at most (RFC 6298), and slow start`,
        "s",
      ),
      quantity("packets lost", of(lossRate), { high: 0.02 }, "LossThresh of draft-ietf-ccwg-bbr (2 %)"),
    ],
  ),
  single(
    {
      name: "path-change",
      section: "7.9",
      level: "MUST",
      requirement: "changes of the path at intervals of re-routing",
      experiment:
        "one flow whose path changes every 15 s between 40 Mbit/s with 40 ms and 8 Mbit/s with 100 ms, 200 packets of queue",
    },
    {
      mbps: 40,
      rttMs: 40,
      bufferBdp: 1,
      durationSec: 75,
      forward: {
        rate: {
          kind: "steps",
          points: [
            { atSec: 0, mbps: 40 },
            { atSec: 15, mbps: 8 },
          ],
          periodSec: 30,
        },
        queue: { packets: 200 },
      },
      delay: {
        forward: {
          kind: "steps",
          points: [
            { atSec: 0, delayMs: 20 },
            { atSec: 15, delayMs: 80 },
          ],
          periodSec: 30,
        },
      },
    },
    (of) => [
      quantity(
        "utilisation of the narrow path, 5 to 15 s after the changes",
        of((result) => (utilisationBetween(20, 30)(result) + utilisationBetween(50, 60)(result)) / 2),
        { low: 0.8 },
        `${OURS}: four fifths`,
      ),
      quantity(
        "utilisation of the wide path, 5 to 15 s after the changes",
        of((result) => (utilisationBetween(35, 45)(result) + utilisationBetween(65, 75)(result)) / 2),
        { low: 0.7 },
        `${OURS}: seven tenths: five times the rate is to be found within 125 round trips`,
      ),
      quantity("packets lost", of(lossRate), { high: 0.02 }, "LossThresh of draft-ietf-ccwg-bbr (2 %)"),
    ],
  ),
  {
    name: "data-centre",
    section: "7.11",
    level: "SHOULD",
    requirement: "data centres: many nodes end a task at once",
    experiment: `${INCAST.senders} flows of ${INCAST.bytes / 1000} kB at once on 1 Gbit/s, 0.2 ms, marks above 30 packets, least timer 10 ms`,
    runs: [{ id: "incast", contender: EVALUATED, scenario: incastScenario }],
    measure: (results) => [
      quantity(
        "last completion / least possible",
        medianOf(results, "incast", lastDoneMs) / INCAST_LEAST_MS,
        { high: 2 },
        `${OURS}: twice the time that the link takes for all of it, which leaves one timer`,
      ),
    ],
    figure: (results) => flowMarks("Incast: goodput of each flow", results),
  },
  single(
    {
      name: "policer",
      section: "5.1.3",
      level: "criterion",
      requirement: "a policer, which drops without a queue",
      experiment: "one flow on 100 Mbit/s, 40 ms behind a token bucket of 10 Mbit/s with 100 kB",
    },
    {
      mbps: 100,
      rttMs: 40,
      bufferBdp: 1,
      durationSec: 60,
      forward: { policer: { mbps: 10, burstBytes: 100_000 } },
    },
    (of) => [
      quantity(
        "goodput / the policer's rate",
        of(({ metrics }) => metrics.goodputMbps / (10 * (1448 / 1500))),
        { low: 0.6 },
        `${OURS}: three fifths of the token rate`,
      ),
      quantity(
        "packets lost",
        of(lossRate),
        { high: 0.1 },
        "Flach et al., SIGCOMM 2016: policed senders lose a tenth to a fifth; RFC 8084's example is 10 %",
      ),
    ],
  ),
];
