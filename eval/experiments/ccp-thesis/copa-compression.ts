/**
 * Copa and compressed ACKs (CCP thesis, the table on Copa): ACKs that come in bursts, as over Wi-Fi, look like a queue. Copa that takes the
 * mean RTT of a report over-estimates the least RTT and starves; with the least RTT of each report it does not. 12 Mbit/s, 25 ms.
 */
import Table from "cli-table3";
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import { runAlgorithm } from "../../../envs/measured-run.ts";
import { makeLink } from "../../../scenarios/links.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { positive } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";

const LINK = { mbps: 12, rttMs: 25, bufferBdp: 8 } as const;
const SEED = 1;
const BIN_SEC = 0.25;
const FORMS = { without: "copa:modeSwitching=0,leastRtt=0", mended: "copa:modeSwitching=0" } as const;
type Form = keyof typeof FORMS;
const FORM_NAMES = Object.keys(FORMS) as Form[];

const OPTIONS = {
  everyMs: positive(50, { placeholder: "ms", help: "ACKs come in a burst so often" }),
  durationSec: positive(30, { placeholder: "s", help: "seconds per run" }),
};

interface Row {
  readonly form: Form;
  readonly goodputMbps: number;
  readonly meanQueueDelayMs: number;
  readonly timeSec: readonly number[];
  readonly throughputMbps: readonly number[];
}

export const copaCompression: Experiment = experiment({
  name: "copa-compression",
  summary: "Copa with ACKs that come in bursts, by the mean and by the least RTT of each report",
  source: "A. Narayan, thesis on CCP (MIT), chapter 4, table on Copa",
  options: OPTIONS,
  count: () => FORM_NAMES.length,
  *run({ everyMs, durationSec }): Generator<Row> {
    const link = makeLink({ ...LINK, durationSec });
    const reverse = {
      ...link.reverse,
      rate: { kind: "constant", mbps: LINK.mbps },
      queue: { packets: 1000 },
      slots: { everyMs, maxPackets: 1000 },
    } as const;
    for (const form of FORM_NAMES) {
      const { metrics, series } = runAlgorithm({
        scenario: { ...link, reverse },
        seed: SEED,
        rewardName: "score",
        seriesBinSec: BIN_SEC,
        algorithm: makeAlgorithm(resolveAlgorithm(FORMS[form])),
      });
      const { goodputMbps, meanQueueDelayMs } = metrics;
      const { timeSec, throughputMbps } = series;
      yield { form, goodputMbps, meanQueueDelayMs, timeSec, throughputMbps };
    }
  },
  describe: ({ form }) => form,
  report: (rows, { everyMs }) => {
    const of = (form: Form): Row => rows.find((row) => row.form === form)!;
    const table = new Table({ ...PLAIN_TABLE, head: ["Copa", "goodput Mbit/s", "mean queueing delay ms"] });
    for (const { form, goodputMbps, meanQueueDelayMs } of rows) {
      const words = form === "mended" ? "least RTT of each report" : "mean RTT of each report";
      table.push([words, goodputMbps.toFixed(2), meanQueueDelayMs.toFixed(2)]);
    }
    const values = rows.flatMap(({ form, timeSec, throughputMbps }) =>
      timeSec.map((sec, i) => ({ name: form, timeSec: sec, throughputMbps: throughputMbps[i]! })),
    );
    return {
      text: `${table.toString()}\n${LINK.mbps} Mbit/s, ${LINK.rttMs} ms, ACKs every ${everyMs} ms at once, seed ${SEED}.\n`,
      claims: [
        judge({
          claim: "goodput by the mean RTT",
          published: "1.3 Mbit/s",
          measured: of("without").goodputMbps,
          unit: "Mbit/s",
          threshold: { high: 2 },
        }),
        judge({
          claim: "goodput by the least RTT",
          published: "8.2 Mbit/s",
          measured: of("mended").goodputMbps,
          unit: "Mbit/s",
          threshold: { low: 3.9 },
        }),
        judge({
          claim: "queueing delay by the mean RTT",
          published: "9 ms",
          measured: of("without").meanQueueDelayMs,
          unit: "ms",
        }),
        judge({
          claim: "queueing delay by the least RTT",
          published: "11 ms",
          measured: of("mended").meanQueueDelayMs,
          unit: "ms",
          threshold: { high: 11 },
        }),
      ],
      summary: rows.map(({ form, goodputMbps, meanQueueDelayMs }) => ({
        form,
        goodputMbps,
        meanQueueDelayMs,
      })),
      figure: page(
        { title: "Copa and compressed ACKs", subtitle: [`${LINK.mbps} Mbit/s, ${LINK.rttMs} ms`] },
        FORM_NAMES,
        [
          lines(FORM_NAMES, {
            title: "Throughput, Mbit/s",
            values,
            width: 560,
            x: axis({ field: "timeSec", title: "Time, s" }),
            y: axis({ field: "throughputMbps", title: "Throughput, Mbit/s" }),
          }),
        ],
      ),
    };
  },
});
