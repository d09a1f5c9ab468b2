/**
 * How old is what an agent hears (CCP thesis, Fig. 4.7)? From the ACK that a report ends with to the agent, by how many ACKs a report takes
 * together; and what it takes to change the program of a flow that sends.
 */
import Table from "cli-table3";
import { type Change, change, QUANTILES, type Staleness, staleness } from "../../bench/kernel/traffic.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { LINUX_OPTIONS, MACHINE, onCable, whyNotHere } from "./bench.ts";

const INTERVALS = ["ack", 1000, 10_000] as const;
/** Of an ACK's way to the agent, and of loading a program. */
const MOST = { medianUs: 100, changeMs: 2 };

type Row = Staleness | Change;
const isStaleness = (row: Row): row is Staleness => "every" in row;
const nameOf = ({ every }: Staleness): string => (every === "ack" ? "every ACK" : `every ${every / 1000} ms`);

export const kernelStaleness: Experiment = experiment({
  name: "kernel-staleness",
  summary: "how late an agent hears of an ACK in Linux's kernel, by how many are reported together (as root)",
  source: "A. Narayan, thesis on CCP (MIT), Fig. 4.7",
  options: { sec: LINUX_OPTIONS.sec },
  refuses: whyNotHere,
  count: () => INTERVALS.length + 1,
  run: ({ sec }): AsyncGenerator<Row> =>
    onCable({ rounds: 1, sec }, async function* (bench): AsyncGenerator<Row> {
      yield* staleness(bench, INTERVALS);
      yield* change(bench);
    }),
  describe: (row) => (isStaleness(row) ? nameOf(row) : "programs changed"),
  report: (rows) => {
    const heard = rows.filter(isStaleness);
    const changed = rows.filter((row): row is Change => !isStaleness(row));
    const names = heard.map(nameOf);
    const at = ({ latencyUs }: Staleness, q: (typeof QUANTILES)[number]): number =>
      latencyUs[QUANTILES.indexOf(q)]!;
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["a report", "reports/s", "ACKs each", "p50 us", "p90 us", "p99 us", "p99.9 us"],
    });
    for (const row of heard) {
      const percentiles = ([0.5, 0.9, 0.99, 0.999] as const).map((q) => at(row, q).toFixed(0));
      table.push([nameOf(row), row.reportsPerSec.toFixed(0), row.acksPerReport.toFixed(1), ...percentiles]);
    }
    const text = changed.map(
      ({ instructions, switches, medianMs, maxMs, acks, acksWithoutProgram }) =>
        `A program of ${instructions} instructions loaded and chosen ${switches} times under traffic: median ${medianMs.toFixed(2)} ms, most ${maxMs.toFixed(2)} ms; ${acksWithoutProgram} of ${acks} ACKs found none.\n`,
    );
    return {
      text: `${table.toString()}\n${text.join("")}One flow over ${MACHINE}.\n`,
      claims: [
        ...heard.map((row) =>
          judge({
            claim: `${nameOf(row)}: from the ACK to the agent, median`,
            measured: at(row, 0.5),
            unit: "us",
            threshold: { high: MOST.medianUs },
          }),
        ),
        ...changed.flatMap(({ medianMs, acksWithoutProgram }) => [
          judge({
            claim: "another program loaded and chosen, median",
            measured: medianMs,
            unit: "ms",
            threshold: { high: MOST.changeMs },
          }),
          judge({
            claim: "ACKs that found no program",
            measured: acksWithoutProgram,
            unit: "1",
            threshold: { high: 0 },
          }),
        ]),
      ],
      summary: rows,
      figure: page({ title: "How late an agent hears of an ACK", legend: "a report" }, names, [
        lines(names, {
          title: "One flow, as fast as it can",
          values: heard.flatMap((row) =>
            QUANTILES.map((q) => ({ name: nameOf(row), latencyUs: at(row, q), quantile: q })),
          ),
          width: 420,
          x: axis({ field: "latencyUs", title: "From the ACK to the agent, us", log: true }),
          y: axis({ field: "quantile", title: "Share of the reports", domain: [0, 1] }),
        }),
      ]),
    };
  },
});
