/** RFC 9743 section 5.2: flows of the evaluated algorithm beside flows of others. */

import type { SenderOptions } from "../../../scenarios/sender-options.ts";
import { harmOfLess, harmOfMore } from "../../../testbeds/fairness.ts";
import type { RunResult } from "../../../testbeds/results.ts";
import {
  asBeside,
  beside,
  courses,
  flowMarks,
  flowsOf,
  goodputOf,
  link,
  OURS,
  points,
  quantity,
  REFERENCE,
} from "../parts.ts";
import {
  type CcwgRow,
  EVALUATED,
  medianOf,
  type PlannedRun,
  type Quantity,
  type RowResults,
} from "../row.ts";
import { completionMarks, medianCompletionMs } from "./single.ts";

const WARE =
  "section 5.2: no more harm (Ware et al., HotNets 2019) than a standard does: the other to itself, or CUBIC to it; 0.1 beside is ours";
/** Beside harm that a standard does. */
const TOLERATED = 0.1;

interface Standard {
  /** as in a row's name */
  readonly name: string;
  readonly algorithm: string;
  readonly what: string;
  /** of its senders */
  readonly sender?: SenderOptions;
}

/** The ones that section 5.2.1 names. */
const STANDARDS: readonly Standard[] = [
  { name: "reno", algorithm: "reno", what: "RFC 5681 (Reno)" },
  {
    name: "quic",
    algorithm: "reno",
    what: "RFC 9002 (NewReno with QUIC's loss detection: packets, time and probes)",
    sender: { lossDetection: "rack-tlp", prr: "off" },
  },
  { name: "cubic", algorithm: "cubic", what: "RFC 9438 (CUBIC)" },
];

const BUFFERS = [1, 4] as const;
/** Native forms of these are those of scenario files: the reference of a flow that stands first. */
const DURATION_SEC = 60;

/** The flow under test and one of the other, or the other alone: the other stands last, so that its place is known. */
function competition(standard: Standard, bdp: number): PlannedRun[] {
  const at = { mbps: 20, rttMs: 40, bufferBdp: bdp, durationSec: DURATION_SEC };
  const { algorithm, sender, name } = standard;
  const other = beside(algorithm, sender && { sender });
  const path = `against-${name}`;
  return [
    { id: `beside, ${bdp} BDP`, contender: EVALUATED, scenario: link(path, { ...at, flows: [other] }) },
    {
      id: `itself, ${bdp} BDP`,
      contender: asBeside(algorithm),
      scenario: link(path, { ...at, ...(sender && { sender }), flows: [other] }),
    },
    {
      id: `CUBIC's, ${bdp} BDP`,
      contender: REFERENCE.cubic,
      scenario: link(path, { ...at, flows: [other] }),
    },
    {
      id: `alone, ${bdp} BDP`,
      contender: asBeside(algorithm),
      scenario: link(path, { ...at, ...(sender && { sender }) }),
    },
  ];
}

const lastFlow = (result: RunResult) => flowsOf(result).at(-1)!;

function harms(results: RowResults, bdp: number): Quantity[] {
  const of = (id: string, pick: (result: RunResult) => number): number =>
    medianOf(results, `${id}, ${bdp} BDP`, pick);
  const goodput = (result: RunResult): number => lastFlow(result).goodputMbps;
  const delay = (result: RunResult): number => lastFlow(result).p95OneWayDelayMs;
  const goodputHarm = (id: string): number => harmOfMore(of("alone", goodput), of(id, goodput));
  const delayHarm = (id: string): number => harmOfLess(of("alone", delay), of(id, delay));
  const bar = (harm: (id: string) => number) => ({
    high: Math.min(1, Math.max(harm("itself"), harm("CUBIC's")) + TOLERATED),
  });
  return [
    quantity(`harm to the other's goodput, ${bdp} BDP`, goodputHarm("beside"), bar(goodputHarm), WARE),
    quantity(`harm to the other's p95 one-way delay, ${bdp} BDP`, delayHarm("beside"), bar(delayHarm), WARE),
  ];
}

function competitionRow(standard: Standard, level: CcwgRow["level"]): CcwgRow {
  return {
    name: `against-${standard.name}`,
    section: "5.2.1",
    level,
    requirement: `competition with ${standard.what}`,
    experiment: `one flow beside one of the other on 20 Mbit/s, 40 ms, ${BUFFERS.join(" and ")} BDP; the other beside its like, beside CUBIC and alone`,
    runs: BUFFERS.flatMap((bdp) => competition(standard, bdp)),
    measure: (results) => BUFFERS.flatMap((bdp) => harms(results, bdp)),
    figure: (results) => flowMarks(`Beside ${standard.name}`, results),
  };
}

const STARVING_BUFFERS = [0.5, 1, 4] as const;
const STARVERS = ["reno", "cubic"] as const;
const SHORT = { bytes: 60_000, count: 40 } as const;

const starvationRuns: readonly PlannedRun[] = STARVERS.flatMap((other) =>
  STARVING_BUFFERS.map((bdp) => ({
    id: `${other}, ${bdp} BDP`,
    contender: EVALUATED,
    scenario: link("starvation", {
      mbps: 20,
      rttMs: 40,
      bufferBdp: bdp,
      durationSec: DURATION_SEC,
      flows: [beside(other)],
    }),
  })),
);

/** When the ACKs stop, and for how long. */
const SILENCE = { fromSec: 10, toSec: 40 } as const;
const silenceUntil = (durationSec: number) =>
  link("feedback-loss", {
    mbps: 20,
    rttMs: 40,
    bufferBdp: 1,
    durationSec,
    reverse: { blackholes: [SILENCE] },
  });

const media = { kind: "video", mbps: 2.5 } as const;
const realTime = (flows: "none" | "evaluated" | "cubic") =>
  link("real-time", {
    mbps: 10,
    rttMs: 100,
    bufferBdp: 3,
    durationSec: 60,
    ...(flows === "none" && { application: { kind: "finite", bytes: 1448 } }),
    flows: [beside("gcc", { application: media, startSec: flows === "none" ? 0.1 : 0 })],
  });

/** Short flows of one beside a long one of another. */
const mixedShort = (short: string) =>
  link("short-and-long", {
    mbps: 20,
    rttMs: 40,
    bufferBdp: 1,
    durationSec: 45,
    flows: [
      beside(short, {
        count: SHORT.count,
        startSec: 5,
        startEverySec: 1,
        application: { kind: "finite", bytes: SHORT.bytes },
      }),
    ],
  });

/** @param against further algorithms that are widely deployed, by reference */
export function mixedRows(against: readonly string[]): readonly CcwgRow[] {
  const further = against.filter((name) => STANDARDS.every((standard) => standard.name !== name));
  return [
    ...STANDARDS.map((standard) => competitionRow(standard, "MUST")),
    ...further.map((algorithm) =>
      competitionRow(
        { name: algorithm, algorithm, what: `${algorithm} (widely deployed, not a standard)` },
        "criterion",
      ),
    ),
    {
      name: "starvation",
      section: "5.2",
      level: "MUST",
      requirement: "nobody starves, neither the other nor the evaluated",
      experiment: `one flow beside one of Reno and one of CUBIC on 20 Mbit/s, 40 ms, ${STARVING_BUFFERS.join(", ")} BDP, ${DURATION_SEC} s`,
      runs: starvationRuns,
      measure: (results) =>
        STARVERS.flatMap((other) =>
          STARVING_BUFFERS.map((bdp) =>
            quantity(
              `evaluated / ${other} goodput, ${bdp} BDP`,
              medianOf(
                results,
                `${other}, ${bdp} BDP`,
                (result) => goodputOf(0)(result) / goodputOf(1)(result),
              ),
              { low: 0.1, high: 10 },
              `${OURS}: ten to one; Arun et al., SIGCOMM 2022, call it starvation where the ratio has no bound`,
            ),
          ),
        ),
      figure: (results) => flowMarks("The evaluated (1) beside the other (2)", results),
    },
    {
      name: "feedback-loss",
      section: "5.2",
      level: "MUST",
      requirement: "backoff where all feedback is lost",
      experiment: `the ACKs of one flow on 20 Mbit/s, 40 ms stop ${SILENCE.fromSec} to ${SILENCE.toSec} s; what it sends in the last half of that time, as the difference of two runs that end at its beginning and its end`,
      runs: [
        { id: "until 25 s", contender: EVALUATED, scenario: silenceUntil(25) },
        { id: "until 40 s", contender: EVALUATED, scenario: silenceUntil(SILENCE.toSec) },
      ],
      measure: (results) => [
        quantity(
          "packets sent per second, 15 to 30 s after the last ACK",
          (medianOf(results, "until 40 s", ({ metrics }) => metrics.sentPackets) -
            medianOf(results, "until 25 s", ({ metrics }) => metrics.sentPackets)) /
            15,
          { high: 1 },
          "RFC 8961 section 4 (4) and RFC 6298 section 5: the timer doubles, from 1 s where nothing is known",
          "1/s",
        ),
      ],
      figure: (results) => courses("No ACKs from 10 s on", results),
    },
    {
      name: "real-time",
      section: "5.2.2",
      level: "SHOULD",
      requirement: "coexistence with real-time congestion control",
      experiment:
        "one flow beside a video of 2.5 Mbit/s over GCC on 10 Mbit/s, 100 ms, 300 ms of queue (RFC 8867 section 5.6); the video beside CUBIC, and alone",
      runs: [
        { id: "beside", contender: EVALUATED, scenario: realTime("evaluated") },
        { id: "beside cubic", contender: REFERENCE.cubic, scenario: realTime("cubic") },
        { id: "alone", contender: REFERENCE.cubic, scenario: realTime("none") },
      ],
      measure: (results) => {
        const of = (id: string, pick: (result: RunResult) => number): number => medianOf(results, id, pick);
        const goodput = (result: RunResult): number => lastFlow(result).goodputMbps;
        const delay = (result: RunResult): number => lastFlow(result).p95OneWayDelayMs;
        const alone = of("alone", goodput);
        return [
          quantity(
            "harm to the video's rate",
            harmOfMore(alone, of("beside", goodput)),
            { high: Math.min(1, harmOfMore(alone, of("beside cubic", goodput)) + TOLERATED) },
            `no more than CUBIC does (RFC 9438); ${TOLERATED} beside is ours`,
          ),
          quantity(
            "p95 one-way delay of the video",
            of("beside", delay),
            { high: Math.max(150, of("beside cubic", delay) * 1.1) },
            "ITU-T G.114: 150 ms one way, or a tenth more than beside CUBIC",
            "ms",
          ),
        ];
      },
      figure: (results) => flowMarks("The evaluated (1) beside a video over GCC (2)", results),
    },
    {
      name: "short-and-long",
      section: "5.2.3",
      level: "MUST",
      requirement: "short and long flows across algorithms",
      experiment: `${SHORT.count} CUBIC flows of ${SHORT.bytes / 1000} kB beside a long flow, and as many short flows beside a long CUBIC flow, on 20 Mbit/s, 40 ms, 1 BDP`,
      runs: [
        { id: "short CUBIC beside it", contender: EVALUATED, scenario: mixedShort("cubic") },
        { id: "short CUBIC beside CUBIC", contender: REFERENCE.cubic, scenario: mixedShort("cubic") },
        { id: "short beside CUBIC", contender: EVALUATED, scenario: besideLongCubic() },
        { id: "CUBIC: short beside CUBIC", contender: REFERENCE.cubic, scenario: besideLongCubic() },
      ],
      measure: (results) => [
        quantity(
          "median completion of short CUBIC flows beside it / beside CUBIC",
          medianCompletionMs(results, "short CUBIC beside it") /
            medianCompletionMs(results, "short CUBIC beside CUBIC"),
          { high: 1.5 },
          `${OURS}: CUBIC (RFC 9438) is the measure; half as much again is allowed`,
        ),
        quantity(
          "harm of short flows to a long CUBIC flow",
          harmOfMore(
            medianOf(results, "CUBIC: short beside CUBIC", longCubic),
            medianOf(results, "short beside CUBIC", longCubic),
          ),
          { high: TOLERATED },
          `${OURS}: a tenth more than short CUBIC flows do`,
        ),
      ],
      figure: (results) =>
        points("Completion of short flows", [...results.keys()], completionMarks(results), {
          x: "start (s)",
          y: "completion (ms)",
        }),
    },
  ];
}

/** Short flows under test, the first among them, beside a long one of CUBIC, which stands last. */
function besideLongCubic() {
  const application = { kind: "finite", bytes: SHORT.bytes } as const;
  return link("short-and-long", {
    mbps: 20,
    rttMs: 40,
    bufferBdp: 1,
    durationSec: 45,
    application,
    flows: [
      { algorithm: "test", count: SHORT.count - 1, startSec: 5, startEverySec: 1, application },
      beside("cubic"),
    ],
  });
}

function longCubic(result: RunResult): number {
  return lastFlow(result).goodputMbps;
}
