/**
 * Flows on one host (CCP thesis, Fig. 4.8): throughput and processors of 1, 8 and 64 flows, as fast as the machine can, under Linux's own
 * Cubic, under Cubic over CCP, and with a report of each flow every 10 ms.
 */
import Table from "cli-table3";
import { flows, KERNEL_CUBIC, type Throughput } from "../../bench/kernel/traffic.ts";
import { type Experiment, experiment } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { wholes } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { costRatio, judgeHere, LINUX_OPTIONS, machineText, onCable, whyNotHere } from "./bench.ts";

const SUBJECTS = 3;
/** Of the throughput under Linux's Cubic, with reports every 10 ms. */
const LEAST = 0.98;

export const kernelScalability: Experiment = experiment({
  name: "kernel-scalability",
  summary:
    "1, 8 and 64 flows over CCP in Linux's kernel: throughput and processors beside Linux's Cubic (as root)",
  source: "A. Narayan, thesis on CCP (MIT), Fig. 4.8",
  options: { flows: wholes([1, 8, 64], { low: 1, high: 512, help: "flows at once" }), ...LINUX_OPTIONS },
  refuses: whyNotHere,
  count: (settings) => SUBJECTS * settings.flows.length,
  run: (settings): AsyncGenerator<Throughput> => onCable(settings, (bench) => flows(bench, settings.flows)),
  describe: (row) => `${row.flows} flows, ${row.algorithm}`,
  report: (rows, { rounds }) => {
    const table = new Table({
      ...PLAIN_TABLE,
      head: [
        "flows",
        "",
        "Gbit/s",
        "of Linux's Cubic",
        "reports/s",
        "processors",
        "per Gbit/s, of Linux's Cubic",
      ],
    });
    for (const row of rows) {
      table.push([
        row.flows,
        row.algorithm,
        (row.mbps / 1000).toFixed(1),
        row.ofKernelCubic.toFixed(3),
        row.reportsPerSec.toFixed(0),
        row.cpuShare.toFixed(2),
        costRatio(row, rows).toFixed(3),
      ]);
    }
    const names = [...new Set(rows.map(({ algorithm }) => algorithm))];
    const values = rows.map((row) => ({ ...row, name: row.algorithm, gbps: row.mbps / 1000 }));
    const x = axis({
      field: "flows",
      title: "Flows",
      log: true,
      values: [...new Set(rows.map((row) => row.flows))],
    });
    return {
      text: `${table.toString()}\nAll flows together, over ${machineText(rows)}. Medians of ${rounds} rounds in turns, ratios within each.\n`,
      claims: rows
        .filter(({ algorithm }) => algorithm !== KERNEL_CUBIC)
        .map((row) =>
          judgeHere(
            {
              claim: `${row.flows} flows, ${row.algorithm}: throughput over Linux's Cubic`,
              published: "similar to the kernel's",
              measured: row.ofKernelCubic,
              unit: "1",
              // a window that the algorithm decides is another one
              ...(row.algorithm !== "cubic" && { threshold: { low: LEAST } }),
            },
            { rounds, otherWork: row.otherWork },
          ),
        ),
      summary: rows,
      figure: page({ title: "Flows on one host", legend: "control" }, names, [
        lines(names, {
          title: "Throughput",
          values,
          x,
          y: axis({ field: "gbps", title: "All flows, Gbit/s" }),
        }),
        lines(names, {
          title: "Processors",
          values,
          x,
          y: axis({ field: "cpuShare", title: "Processors that are busy" }),
        }),
      ]),
    };
  },
});
