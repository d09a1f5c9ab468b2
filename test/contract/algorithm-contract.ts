/**
 * What every congestion control keeps on any link, whatever it decides by: run it on each. It runs in the simulator with the
 * meters of a benchmark, and its window and pacing rate are looked at after each event.
 */
import { describe, expect, it } from "vitest";
import type { AlgorithmParam, ParamValues } from "../../algorithms/spec.ts";
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import type { CongestionControl, CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import { runCcpAlgorithm } from "../../ccp-bridge/in-process-flow.ts";
import type { Bytes } from "../../core/units.ts";
import { runAlgorithm } from "../../envs/measured-run.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { fixedScenario, type ScenarioTemplate } from "../../scenarios/template.ts";
import type { RunResult } from "../../testbeds/results.ts";

export interface AlgorithmUnderTest {
  readonly label: string;
  /** with the parameters' defaults, or with these */
  readonly make: (params?: ParamValues) => CcpAlgorithm | CongestionControlFactory;
  readonly params: readonly AlgorithmParam[];
  /** its window never falls below */
  readonly minCwndPackets: number;
  /** why it is not back at half of the link 10 s after an outage; absent: it is */
  readonly recovery?: string;
}

/** of every run; the links are constant, so it draws losses, the start and the jitter of sending */
const SEED = 1;
const OUTAGE_SEC = { from: 8, to: 10 };
/** until when an algorithm has to be back, and over how long the rate is taken then */
const RECOVERY_SEC = { within: 10, mean: 2 };
const RECOVERED = 0.5;

type Link = { readonly mbps: number; readonly rttMs: number; readonly durationSec: number };

/** A buffer of one bandwidth-delay product, at least ten packets. */
function link({ mbps, rttMs, durationSec }: Link, over: ScenarioTemplate = {}): Scenario {
  const bdpPackets = Math.ceil((mbps * rttMs * 1000) / 8 / 1500);
  const direction = {
    rate: { kind: "constant", mbps } as const,
    queue: { packets: Math.max(bdpPackets, 10) },
  };
  const { forward, ...rest } = over;
  return fixedScenario(
    {
      propagationDelayMs: rttMs / 2,
      durationSec,
      forward: { ...direction, ...(forward as object) },
      reverse: direction,
      ...rest,
    },
    { name: `${mbps} Mbit/s, ${rttMs} ms` },
  );
}

/** slow to fast, near to far; the fast ones for as long as a core can carry in a second or so */
const LINKS: readonly Link[] = [
  { mbps: 0.1, rttMs: 20, durationSec: 30 },
  { mbps: 0.1, rttMs: 600, durationSec: 60 },
  { mbps: 1, rttMs: 200, durationSec: 20 },
  { mbps: 42, rttMs: 600, durationSec: 20 },
  { mbps: 1000, rttMs: 0.02, durationSec: 0.2 },
  { mbps: 1000, rttMs: 100, durationSec: 2 },
  { mbps: 10_000, rttMs: 0.02, durationSec: 0.1 },
  { mbps: 10_000, rttMs: 10, durationSec: 0.4 },
  { mbps: 10_000, rttMs: 600, durationSec: 3 },
];

const BROADBAND: Link = { mbps: 12, rttMs: 40, durationSec: 20 };

const HARDSHIPS: readonly (readonly [string, Scenario])[] = [
  ["1 % loss", link(BROADBAND, { forward: { lossRate: 0.01 } })],
  [
    "1 % loss on a fast long path",
    link({ mbps: 100, rttMs: 100, durationSec: 5 }, { forward: { lossRate: 0.01 } }),
  ],
  [
    "a rate in steps from 1 to 50 Mbit/s and back",
    link(BROADBAND, {
      forward: {
        rate: {
          kind: "steps",
          points: [
            { atSec: 0, mbps: 20 },
            { atSec: 5, mbps: 1 },
            { atSec: 10, mbps: 50 },
            { atSec: 15, mbps: 5 },
          ],
        },
      },
    }),
  ],
  [
    "an application that has less to send than the link takes",
    link(BROADBAND, { application: { kind: "constant-rate", mbps: 2 } }),
  ],
  [
    "restarts after silence",
    link(BROADBAND, {
      application: {
        kind: "pauses",
        pauses: [
          { fromSec: 4, toSec: 9 },
          { fromSec: 12, toSec: 12.5 },
        ],
      },
    }),
  ],
];

/** links on which an algorithm has to come back: slow, middling and fast */
const OUTAGE_LINKS: readonly Omit<Link, "durationSec">[] = [
  { mbps: 1, rttMs: 100 },
  { mbps: 12, rttMs: 40 },
  { mbps: 48, rttMs: 20 },
];

class Watch {
  readonly wrong: string[] = [];
  events = 0;
  readonly #minCwndPackets: number;

  constructor(minCwndPackets: number) {
    this.#minCwndPackets = minCwndPackets;
  }

  around(factory: CongestionControlFactory): CongestionControlFactory {
    return (start) => {
      const control = factory(start);
      const minCwndBytes = this.#minCwndPackets * start.mssBytes;
      const look = (after: string, nowUs: number): void => this.#look(control, minCwndBytes, after, nowUs);
      look("the start", start.nowUs);
      const watched: CongestionControl = {
        name: control.name,
        ...(control.ignoresMarks !== undefined && { ignoresMarks: control.ignoresMarks }),
        isDecidedOutside: control.isDecidedOutside ?? false,
        ...(control.isScalable !== undefined && { isScalable: control.isScalable }),
        ...(control.readsPackets !== undefined && { readsPackets: control.readsPackets }),
        onPacketAcked: (packet) => control.onPacketAcked?.(packet),
        onPacketLost: (packet) => control.onPacketLost?.(packet),
        get cwndBytes() {
          return control.cwndBytes;
        },
        get pacingRateBytesPerSec() {
          return control.pacingRateBytesPerSec;
        },
        ...(control.onSent && { onSent: (sent) => control.onSent!(sent) }),
        onAck(ack) {
          control.onAck(ack);
          look(ack.timeout ? "a timeout" : "an ACK", ack.nowUs);
        },
        onCongestion(event) {
          control.onCongestion(event);
          look(event.kind, event.nowUs);
        },
        onSpuriousCongestion(event) {
          control.onSpuriousCongestion?.(event);
          look(`spurious ${event.kind}`, event.nowUs);
        },
        onClose: () => control.onClose?.(),
      };
      return watched;
    };
  }

  #look(control: CongestionControl, minCwndBytes: Bytes, after: string, nowUs: number): void {
    this.events++;
    const { cwndBytes, pacingRateBytesPerSec: rate } = control;
    const isRight =
      Number.isFinite(cwndBytes) &&
      cwndBytes >= minCwndBytes &&
      (rate === undefined || (Number.isFinite(rate) && rate > 0));
    if (isRight || this.wrong.length === 3) return;
    this.wrong.push(`after ${after} at ${nowUs} us: cwnd ${cwndBytes} B, pacing ${rate} B/s`);
  }
}

interface Watched {
  readonly result: RunResult;
  readonly watch: Watch;
}

function run(
  { make, minCwndPackets }: AlgorithmUnderTest,
  scenario: Scenario,
  seriesBinSec?: number,
): Watched {
  const watch = new Watch(minCwndPackets);
  const made = make();
  const control = typeof made === "function" ? made : runCcpAlgorithm(made);
  const result = runAlgorithm({
    scenario,
    seed: SEED,
    rewardName: "score",
    algorithm: watch.around(control),
    ...(seriesBinSec !== undefined && { seriesBinSec }),
  });
  return { result, watch };
}

function expectSane({ result, watch }: Watched, where: string): void {
  expect(watch.wrong, `${where}, seed ${SEED}: windows and rates`).toEqual([]);
  expect(watch.events, `${where}: events`).toBeGreaterThan(10);
  expect(result.metrics.goodputMbps, `${where}: goodput`).toBeGreaterThan(0);
  expect(result.metrics.utilisation, `${where}: utilisation`).toBeLessThanOrEqual(1);
}

/** Share of the link after the outage, when the time to come back is over. */
function shareAfterOutage(
  algorithm: AlgorithmUnderTest,
  path: Omit<Link, "durationSec">,
): Watched & { share: number } {
  const durationSec = OUTAGE_SEC.to + RECOVERY_SEC.within;
  const outages = [{ fromSec: OUTAGE_SEC.from, toSec: OUTAGE_SEC.to }];
  const watched = run(algorithm, link({ ...path, durationSec }, { forward: { outages } }), RECOVERY_SEC.mean);
  const { throughputMbps, capacityMbps } = watched.result.series;
  return { ...watched, share: throughputMbps.at(-1)! / capacityMbps.at(-1)! };
}

export function algorithmContract(algorithm: AlgorithmUnderTest): void {
  describe(`algorithm ${algorithm.label}`, () => {
    it.each(LINKS)("delivers within its limits on $mbps Mbit/s, $rttMs ms", (path) => {
      expectSane(run(algorithm, link(path)), `${path.mbps} Mbit/s, ${path.rttMs} ms`);
    });

    it.each(HARDSHIPS)("delivers within its limits with %s", (name, scenario) => {
      expectSane(run(algorithm, scenario), name);
    });

    const { recovery, params, make } = algorithm;
    it.runIf(params.length > 0)("delivers within its limits at either end of its parameters' ranges", () => {
      for (const end of ["low", "high"] as const) {
        const values = Object.fromEntries(params.map((param) => [param.name, param[end]]));
        const extreme = { ...algorithm, make: () => make(values) };
        expectSane(run(extreme, link({ ...BROADBAND, durationSec: 3 })), JSON.stringify(values));
      }
    });

    const aim = recovery === undefined ? "is back at half of the link" : "is not back at half of some link";
    it(`${aim} 10 s after an outage of 2 s`, () => {
      const shares = OUTAGE_LINKS.map((path) => {
        const watched = shareAfterOutage(algorithm, path);
        expectSane(watched, `outage on ${path.mbps} Mbit/s`);
        return watched.share;
      });
      const worst = Math.min(...shares);
      if (recovery === undefined) expect(worst, `shares ${shares}`).toBeGreaterThanOrEqual(RECOVERED);
      else expect(worst, `shares ${shares}, although: ${recovery}`).toBeLessThan(RECOVERED);
    });
  });
}
