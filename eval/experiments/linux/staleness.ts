/**
 * How old is what an agent hears (CCP thesis, Fig. 4.7)? From the ACK that a report ends with to the agent, by how many ACKs a report takes
 * together; and what it takes to change the program of a flow that sends.
 */
import Table from "cli-table3";
import {
  CHANGED,
  type Change,
  change,
  QUANTILES,
  type Staleness,
  staleness,
} from "../../bench/kernel/traffic.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { judgeHere, LINUX_OPTIONS, machineText, onCable, whyNotHere } from "./bench.ts";

const SUBJECTS = [
  { every: "ack", isAwake: false },
  { every: 1000, isAwake: false },
  { every: 10_000, isAwake: false },
  // a report finds the agent's processor asleep where others are rare
  { every: 10_000, isAwake: true },
] as const;
/** Of an ACK's way to the agent, and of loading a program of so many instructions. */
const MOST = { medianUs: 100, changeMs: 2, instructions: 159 };

type Row = Staleness | Change;
const isStaleness = (row: Row): row is Staleness => "every" in row;
const nameOf = ({ every, isAwake }: Staleness): string =>
  every === "ack" ? "every ACK" : `every ${every / 1000} ms${isAwake ? ", processors awake" : ""}`;

export const kernelStaleness: Experiment = experiment({
  name: "kernel-staleness",
  summary: "how late an agent hears of an ACK in Linux's kernel, by how many are reported together (as root)",
  source: "A. Narayan, thesis on CCP (MIT), Fig. 4.7",
  options: LINUX_OPTIONS,
  refuses: whyNotHere,
  count: () => SUBJECTS.length + CHANGED.length,
  run: (settings): AsyncGenerator<Row> =>
    onCable(settings, async function* (bench): AsyncGenerator<Row> {
      yield* staleness(bench, SUBJECTS);
      yield* change(bench, CHANGED);
    }),
  describe: (row) => (isStaleness(row) ? nameOf(row) : `programs of ${row.instructions} instructions`),
  report: (rows, { rounds }) => {
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
      text: `${table.toString()}\n${text.join("")}One flow over ${machineText(rows)}. Medians of ${rounds} rounds; a program is changed ${changed[0]!.switches} times.\n`,
      claims: [
        ...heard.map((row) =>
          judgeHere(
            {
              claim: `${nameOf(row)}: from the ACK to the agent, median`,
              measured: at(row, 0.5),
              unit: "us",
              threshold: { high: MOST.medianUs },
            },
            { rounds, otherWork: row.otherWork },
          ),
        ),
        ...changed.flatMap(({ instructions, switches, medianMs, acksWithoutProgram, otherWork }) => [
          judgeHere(
            {
              claim: `a program of ${instructions} instructions loaded and chosen, median`,
              measured: medianMs,
              unit: "ms",
              // the longer one is there to see what length costs
              ...(instructions <= MOST.instructions && { threshold: { high: MOST.changeMs } }),
            },
            { rounds: switches, otherWork },
          ),
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
