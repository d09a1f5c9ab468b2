/**
 * What CCP costs a host (CCP thesis, Table 4.1): throughput and processors of one flow, as fast as the machine can, under Linux's own Cubic
 * and with programs in the kernel that report every ACK, every 10 ms, or to nobody.
 */
import Table from "cli-table3";
import { KERNEL_CUBIC, type Throughput, throughput } from "../../bench/kernel/traffic.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, marks, page } from "../figures.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { costRatio, judgeHere, LINUX_OPTIONS, machineText, onCable, whyNotHere } from "./bench.ts";

/** Of the throughput under Linux's Cubic. */
const LEAST: Readonly<Record<string, number>> = {
  "reports-ack": 0.95,
  "reports-10000": 0.98,
  "no-agent": 0.98,
};

export const kernelOverhead: Experiment = experiment({
  name: "kernel-overhead",
  summary: "throughput and processors of a flow over CCP in Linux's kernel, beside Linux's Cubic (as root)",
  source: "A. Narayan, thesis on CCP (MIT), Table 4.1",
  options: LINUX_OPTIONS,
  refuses: whyNotHere,
  count: () => 1 + Object.keys(LEAST).length,
  run: (settings): AsyncGenerator<Throughput> => onCable(settings, throughput),
  describe: ({ algorithm }) => algorithm,
  report: (rows, { rounds }) => {
    const table = new Table({
      ...PLAIN_TABLE,
      head: [
        "",
        "Gbit/s",
        "of Linux's Cubic",
        "reports/s",
        "processors",
        "processors per Gbit/s, of Linux's Cubic",
      ],
    });
    for (const row of rows) {
      const { algorithm, mbps, ofKernelCubic, reportsPerSec, cpuShare } = row;
      table.push([
        algorithm,
        (mbps / 1000).toFixed(1),
        ofKernelCubic.toFixed(3),
        reportsPerSec.toFixed(0),
        cpuShare.toFixed(2),
        costRatio(row, rows).toFixed(3),
      ]);
    }
    const names = rows.map(({ algorithm }) => algorithm);
    return {
      text: `${table.toString()}\nOver ${machineText(rows)}. Medians of ${rounds} rounds in turns, ratios within each.\n`,
      claims: rows
        .filter(({ algorithm }) => algorithm !== KERNEL_CUBIC)
        .flatMap((row) => [
          judgeHere(
            {
              claim: `${row.algorithm}: throughput over Linux's Cubic`,
              published: "similar to the kernel's",
              measured: row.ofKernelCubic,
              unit: "1",
              threshold: { low: LEAST[row.algorithm]! },
            },
            { rounds, otherWork: row.otherWork },
          ),
          judge({
            claim: `${row.algorithm}: processor time per byte over Linux's Cubic`,
            published: "a few percent more",
            measured: costRatio(row, rows),
            unit: "1",
          }),
        ]),
      summary: rows,
      figure: page({ title: "What CCP costs a host", legend: "control" }, names, [
        marks(names, {
          title: "One flow, as fast as it can",
          values: rows.map(({ algorithm, mbps, cpuShare }) => ({
            name: algorithm,
            gbps: mbps / 1000,
            cpuShare,
          })),
          width: 420,
          x: axis({ field: "gbps", title: "Throughput, Gbit/s" }),
          y: axis({ field: "cpuShare", title: "Processors that are busy" }),
        }),
      ]),
    };
  },
});
