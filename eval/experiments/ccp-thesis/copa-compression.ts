/**
 * Copa and compressed ACKs (CCP thesis, the table on Copa): ACKs that come in bursts, as over Wi-Fi, look like a queue. Copa that takes the
 * mean RTT of a report over-estimates the least RTT and starves; with the least RTT of each report it does not. 12 Mbit/s, 25 ms.
 *
 * How the thesis's bursts came is not known, and one period means little: a window swings with its bursts, so that what fits a
 * period of 30 ms misses one of 40. Hence a sweep of periods from one round trip to three, several seeds, and bursts of random
 * distance beside those of a clock.
 */
import Table from "cli-table3";
import { overCcp, resolveAlgorithm } from "../../../algorithms/reference.ts";
import type { CcpAlgorithm, Report } from "../../../ccp-bridge/agent/algorithm.ts";
import { Rng } from "../../../core/random.ts";
import { MICROS_PER_MILLI } from "../../../core/units.ts";
import { runAlgorithm } from "../../../envs/measured-run.ts";
import { makeLink } from "../../../scenarios/links.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { NO_SERIES } from "../../../testbeds/testbed.ts";
import { median } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { choice, positive, positives, seeds } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";

const LINK = { mbps: 12, rttMs: 25, bufferBdp: 8 } as const;
/** ACKs of a burst leave at once: as fast as the air, not as the link. */
const ACK_MBPS = 100;
/** Between two pauses: some 20 ACKs. */
const OPEN_MS = 0.1;
const FORMS = { without: "copa:modeSwitching=0,leastRtt=0", mended: "copa:modeSwitching=0" } as const;
type Form = keyof typeof FORMS;
const FORM_NAMES = Object.keys(FORMS) as Form[];
const FORM_WORDS: Readonly<Record<Form, string>> = { without: "mean RTT", mended: "least RTT" };

const OPTIONS = {
  everyMs: positives([20, 30, 40, 50, 75], { placeholder: "ms", help: "ACKs come in a burst so often" }),
  bursts: choice("clock", ["clock", "random"], {
    help: "at multiples of that time, or 0.5 to 1.5 of it apart",
  }),
  durationSec: positive(30, { placeholder: "s", help: "seconds per run" }),
  seeds: seeds(5),
};

type Bursts = "clock" | "random";

interface Row {
  readonly form: Form;
  readonly everyMs: number;
  readonly seed: number;
  readonly goodputMbps: number;
  readonly meanQueueDelayMs: number;
  /** the standing RTT that Copa acts on over the path's own, median of its reports */
  readonly overestimate: number;
}

/** What holds ACKs back. */
function held(
  everyMs: number,
  bursts: Bursts,
  durationSec: number,
  seed: number,
): Partial<Scenario["reverse"]> {
  if (bursts === "clock") return { slots: { everyMs, maxPackets: 1000 } };
  const rng = Rng.fromSeed(seed).fork("bursts");
  const outages: { fromSec: number; toSec: number }[] = [];
  for (let atMs = OPEN_MS; atMs < 1000 * durationSec; ) {
    const toMs = atMs + everyMs * (0.5 + rng.next());
    outages.push({ fromSec: atMs / 1000, toSec: toMs / 1000 });
    atMs = toMs + OPEN_MS;
  }
  return { outages };
}

/** Copa's standing RTT as in `copa.ts`: the less of two reports'. */
function watched(form: Form, seen: number[]): CcpAlgorithm {
  const copa = overCcp(resolveAlgorithm(FORMS[form]));
  const rttUsOf = (report: Report): number =>
    form === "mended" ? report.get("lowRtt") : report.get("rttSum") / report.get("samples");
  return {
    ...copa,
    newFlow: (control, info) => {
      const flow = copa.newFlow(control, info);
      let lastUs = Number.POSITIVE_INFINITY;
      return {
        onReport(report) {
          if (report.get("samples") > 0) {
            const rttUs = rttUsOf(report);
            seen.push(Math.min(rttUs, lastUs));
            lastUs = rttUs;
          }
          flow.onReport(report);
        },
      };
    },
  };
}

const pathUs = LINK.rttMs * MICROS_PER_MILLI;

export const copaCompression: Experiment = experiment({
  name: "copa-compression",
  summary: "Copa with ACKs that come in bursts, by the mean and by the least RTT of each report",
  source: "A. Narayan, thesis on CCP (MIT), chapter 4, table on Copa",
  options: OPTIONS,
  count: ({ everyMs, seeds }) => FORM_NAMES.length * everyMs.length * seeds.length,
  *run({ everyMs, bursts, durationSec, seeds }): Generator<Row> {
    const link = makeLink({ ...LINK, durationSec });
    for (const period of everyMs) {
      for (const form of FORM_NAMES) {
        for (const seed of seeds) {
          const reverse = {
            ...link.reverse,
            rate: { kind: "constant", mbps: ACK_MBPS },
            queue: { packets: 1000 },
            ...held(period, bursts, durationSec, seed),
          } as const;
          const seen: number[] = [];
          const { metrics } = runAlgorithm({
            scenario: { ...link, reverse },
            seed,
            rewardName: "score",
            seriesBinSec: NO_SERIES,
            algorithm: watched(form, seen),
          });
          const { goodputMbps, meanQueueDelayMs } = metrics;
          const overestimate = median(seen) / pathUs;
          yield { form, everyMs: period, seed, goodputMbps, meanQueueDelayMs, overestimate };
        }
      }
    }
  },
  describe: ({ form, everyMs }) => `${FORM_WORDS[form]}, every ${everyMs} ms`,
  report: (rows, { everyMs, bursts, seeds }) => {
    const of = (form: Form, period: number, what: "goodputMbps" | "meanQueueDelayMs" | "overestimate") =>
      rows.filter((row) => row.form === form && row.everyMs === period).map((row) => row[what]);
    const cells = FORM_NAMES.flatMap((form) =>
      everyMs.map((period) => ({
        form,
        everyMs: period,
        goodputMbps: median(of(form, period, "goodputMbps")),
        meanQueueDelayMs: median(of(form, period, "meanQueueDelayMs")),
        overestimate: median(of(form, period, "overestimate")),
      })),
    );
    const table = new Table({
      ...PLAIN_TABLE,
      head: [
        "bursts\nms",
        "Copa by",
        "goodput\nMbit/s",
        "least to\nlargest",
        "queue\nms",
        "standing RTT\nof the path's",
      ],
    });
    for (const period of everyMs) {
      for (const cell of cells.filter((each) => each.everyMs === period)) {
        const goodputs = of(cell.form, period, "goodputMbps");
        table.push([
          period,
          FORM_WORDS[cell.form],
          cell.goodputMbps.toFixed(2),
          `${Math.min(...goodputs).toFixed(2)} to ${Math.max(...goodputs).toFixed(2)}`,
          cell.meanQueueDelayMs.toFixed(1),
          cell.overestimate.toFixed(2),
        ]);
      }
    }
    const middle = (form: Form, what: "goodputMbps" | "meanQueueDelayMs" | "overestimate"): number =>
      median(cells.filter((cell) => cell.form === form).map((cell) => cell[what]));
    const gains = everyMs.map(
      (period) => median(of("mended", period, "goodputMbps")) / median(of("without", period, "goodputMbps")),
    );
    const values = cells.map(({ form, ...cell }) => ({ name: FORM_WORDS[form], ...cell }));
    const names = Object.values(FORM_WORDS);
    const x = axis({ field: "everyMs", title: "ACKs in bursts, ms apart" });
    return {
      text:
        `${table.toString()}\n${LINK.mbps} Mbit/s, ${LINK.rttMs} ms, bursts ${bursts === "clock" ? "at multiples of that time" : "0.5 to 1.5 of that time apart"}, ` +
        `medians of ${seeds.length} seeds; below, medians of the periods.\n`,
      claims: [
        judge({
          claim: "goodput by the mean RTT",
          published: "1.3 Mbit/s",
          measured: middle("without", "goodputMbps"),
          unit: "Mbit/s",
          threshold: { high: 2 },
        }),
        judge({
          claim: "goodput by the least RTT",
          published: "8.2 Mbit/s",
          measured: middle("mended", "goodputMbps"),
          unit: "Mbit/s",
          threshold: { low: 3.9 },
        }),
        judge({
          claim: "goodput by the least over that by the mean: the period where it gains least",
          published: "6.3",
          measured: Math.min(...gains),
          unit: "1",
          threshold: { low: 2 },
        }),
        judge({
          claim: "queueing delay by the mean RTT",
          published: "9 ms",
          measured: middle("without", "meanQueueDelayMs"),
          unit: "ms",
        }),
        judge({
          claim: "queueing delay by the least RTT",
          published: "11 ms",
          measured: middle("mended", "meanQueueDelayMs"),
          unit: "ms",
          threshold: { high: 11 },
        }),
        judge({
          claim: "standing RTT by the mean, of the path's: the period where it is largest",
          published: "5",
          measured: Math.max(
            ...cells.filter(({ form }) => form === "without").map(({ overestimate }) => overestimate),
          ),
          unit: "1",
        }),
      ],
      summary: cells,
      figure: page(
        {
          title: "Copa and compressed ACKs",
          subtitle: [`${LINK.mbps} Mbit/s, ${LINK.rttMs} ms, medians of ${seeds.length} seeds`],
        },
        names,
        [
          lines(names, {
            title: "Goodput",
            values,
            width: 280,
            x,
            y: axis({ field: "goodputMbps", title: "Goodput, Mbit/s" }),
          }),
          lines(names, {
            title: "Standing RTT that Copa acts on",
            values,
            width: 280,
            x,
            y: axis({ field: "overestimate", title: "Times the path's RTT" }),
          }),
        ],
      ),
    };
  },
});
