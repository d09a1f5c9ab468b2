/**
 * BBR's pulses (CCP thesis, Fig. 4.2): a datapath program cycles the pacing rate through 1.25, 0.75 and six times 1 of the estimated
 * bandwidth, one round trip each, without the agent. 48 Mbit/s, 20 ms, 160 packets. Pulses are read off the pacing rate that the
 * sender had after each ACK, once start-up is over.
 */
import Table from "cli-table3";
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import { runAlgorithm } from "../../../envs/measured-run.ts";
import { makeLink } from "../../../scenarios/links.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { positive } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";

const LINK = { mbps: 48, rttMs: 20, bufferBdp: 2 } as const;
const SEED = 1;
/** Start-up and its drain are over. */
const WARM_UP_SEC = 5;
/** Of the cruising rate: half of the way to the pulses. */
const HIGH = 1.125;
const LOW = 0.875;
/** Of the picture. */
const SHOWN_SEC = 2;

interface Row {
  /** since the flow's start */
  readonly timeSec: readonly number[];
  readonly rateMbps: readonly number[];
}

interface QlogRecord {
  readonly time?: number;
  readonly data?: { readonly pacing_rate?: number };
}

const OPTIONS = {
  durationSec: positive(30, { placeholder: "s", help: "seconds of the run" }),
};

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

interface Pulses {
  readonly cruisingMbps: number;
  readonly up: number;
  readonly down: number;
  /** from the beginning of one to that of the next, in round trips of the empty path */
  readonly everyRounds: number;
  readonly count: number;
}

function pulsesOf({ timeSec, rateMbps }: Row): Pulses {
  const from = timeSec.findIndex((sec) => sec >= WARM_UP_SEC);
  const rates = rateMbps.slice(from);
  const cruisingMbps = median(rates);
  const relative = rates.map((rate) => rate / cruisingMbps);
  const starts = relative.flatMap((value, i) =>
    value > HIGH && (relative[i - 1] ?? 1) <= HIGH ? [timeSec[from + i]!] : [],
  );
  const gaps = starts.slice(1).map((at, i) => (at - starts[i]!) / (LINK.rttMs / 1000));
  return {
    cruisingMbps,
    up: median(relative.filter((value) => value > HIGH)),
    // lower ones are those of ProbeRTT
    down: median(relative.filter((value) => value < LOW && value > 0.5)),
    everyRounds: median(gaps),
    count: starts.length,
  };
}

export const bbrPulses: Experiment = experiment({
  name: "bbr-pulses",
  summary: "BBR's cycle of pacing gains, kept by the datapath program without the agent",
  source: "A. Narayan, thesis on CCP (MIT), Fig. 4.2",
  options: OPTIONS,
  count: () => 1,
  *run({ durationSec }): Generator<Row> {
    const { recordings } = runAlgorithm({
      scenario: makeLink({ ...LINK, durationSec }),
      seed: SEED,
      rewardName: "score",
      algorithm: makeAlgorithm(resolveAlgorithm("bbr")),
      recording: { formats: ["qlog"], title: "bbr" },
    });
    const records = recordings!
      .qlog!.split("\u001e")
      .filter((text) => text.includes('"pacing_rate"'))
      .map((text) => JSON.parse(text) as QlogRecord);
    yield {
      timeSec: records.map(({ time }) => time! / 1000),
      rateMbps: records.map(({ data }) => data!.pacing_rate! / 1e6),
    };
  },
  report: (rows) => {
    const row = rows[0]!;
    const { cruisingMbps, up, down, everyRounds, count } = pulsesOf(row);
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["", "cruising Mbit/s", "pulse up", "pulse down", "every RTTs", "pulses"],
    });
    table.push([
      "bbr",
      cruisingMbps.toFixed(1),
      up.toFixed(3),
      down.toFixed(3),
      everyRounds.toFixed(1),
      count,
    ]);
    const name = "pacing rate";
    const shown = row.timeSec.flatMap((timeSec, i) =>
      timeSec >= WARM_UP_SEC && timeSec <= WARM_UP_SEC + SHOWN_SEC
        ? [{ name, timeSec, rateMbps: row.rateMbps[i]! }]
        : [],
    );
    const title = "Pacing rate, Mbit/s";
    return {
      text: `${table.toString()}\n${LINK.mbps} Mbit/s, ${LINK.rttMs} ms, ${LINK.bufferBdp} BDP of queue, seed ${SEED}, after ${WARM_UP_SEC} s.\n`,
      claims: [
        judge({
          claim: "pulse up, of the cruising rate",
          published: "1.25",
          measured: up,
          unit: "1",
          threshold: { low: 1.2, high: 1.3 },
        }),
        judge({
          claim: "pulse down, of the cruising rate",
          published: "0.75",
          measured: down,
          unit: "1",
          threshold: { low: 0.7, high: 0.8 },
        }),
        judge({
          claim: "from pulse to pulse",
          published: "8 RTTs",
          measured: everyRounds,
          unit: "RTTs",
          threshold: { low: 8, high: 10 },
        }),
      ],
      summary: { cruisingMbps, up, down, everyRounds, count },
      figure: page(
        { title: "BBR's pulses", subtitle: [`${LINK.mbps} Mbit/s, ${LINK.rttMs} ms`] },
        [name],
        [
          lines(
            [name],
            {
              title,
              values: shown,
              width: 560,
              x: axis({ field: "timeSec", title: "Time, s", zero: false }),
              y: axis({ field: "rateMbps", title, zero: false }),
            },
            { interpolate: "step-after" },
          ),
        ],
      ),
    };
  },
});
