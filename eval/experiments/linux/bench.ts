/** What experiments on this machine's own TCP have in common: the measuring of `bench:kernel`, and their options. */

import { whyNoHost, whyNoNamespaces } from "../../../testbeds/host/abilities.ts";
import { loadLibc } from "../../../testbeds/host/libc.ts";
import { whyNoKernel } from "../../../testbeds/linux/linux.ts";
import { makeRig } from "../../bench/kernel/rig.ts";
import { type Bench, KERNEL_CUBIC, type Throughput } from "../../bench/kernel/traffic.ts";
import { type ExperimentOption, positive, whole } from "../options.ts";

export const LINUX_OPTIONS: {
  readonly rounds: ExperimentOption<number>;
  readonly sec: ExperimentOption<number>;
} = {
  rounds: whole(3, { low: 1, high: 99, help: "rounds in turns, whose medians count" }),
  sec: positive(2, { placeholder: "s", help: "seconds of each run" }),
};

/** Undefined: programs can run in this machine's kernel, over a cable between two namespaces. */
export function whyNotHere(): string | undefined {
  return whyNoHost() ?? whyNoKernel() ?? whyNoNamespaces();
}

/** On two hosts joined by a cable, which are gone afterwards. */
export async function* onCable<Row>(
  { rounds, sec }: { readonly rounds: number; readonly sec: number },
  measure: (bench: Bench) => AsyncGenerator<Row>,
): AsyncGenerator<Row> {
  const libc = await loadLibc();
  const rig = makeRig(libc);
  try {
    yield* measure({ libc, rig, rounds, sec });
  } finally {
    rig.close();
  }
}

/** Processors that are busy for each Gbit/s, over those of Linux's Cubic. */
export function costRatio(row: Throughput, rows: readonly Throughput[]): number {
  const own = rows.find(({ flows, algorithm }) => flows === row.flows && algorithm === KERNEL_CUBIC)!;
  return row.cpuShare / row.mbps / (own.cpuShare / own.mbps);
}

export const MACHINE = "a cable between two namespaces of this machine; other work beside makes times longer";
