/** What experiments on this machine's own TCP have in common: the measuring of `bench:kernel`, and their options. */

import { whyNoHost, whyNoNamespaces } from "../../../testbeds/host/abilities.ts";
import { loadLibc } from "../../../testbeds/host/libc.ts";
import { whyNoKernel } from "../../../testbeds/linux/linux.ts";
import { makeRig } from "../../bench/kernel/rig.ts";
import { type Bench, KERNEL_CUBIC, type Throughput } from "../../bench/kernel/traffic.ts";
import { type Claim, judge } from "../experiment.ts";
import { type ExperimentOption, positive, whole } from "../options.ts";

/** A median of fewer is no median. */
const LEAST_ROUNDS = 3;
/** Processors: from here on what was measured tells of the others, too. */
const MOST_OTHER_WORK = 0.2;

export const LINUX_OPTIONS: {
  readonly rounds: ExperimentOption<number>;
  readonly sec: ExperimentOption<number>;
} = {
  rounds: whole(5, { low: 1, high: 99, help: "rounds in turns, whose medians count" }),
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

/**
 * As `judge`, but what too few rounds or others' work can explain has no verdict: that only adds to a time, which may pass beside it,
 * but takes from one turn what it leaves the next, so that a ratio of turns says nothing. @param otherWork processors, as `Sent.otherWork`
 */
export function judgeHere(
  claim: Parameters<typeof judge>[0],
  { rounds, otherWork }: { readonly rounds: number; readonly otherWork: number },
): Claim {
  const { verdict, ...judged } = judge(claim);
  const onlyAdds = claim.threshold?.low === undefined;
  if (verdict === "fail" || (verdict === "pass" && !onlyAdds)) {
    if (rounds < LEAST_ROUNDS) return { ...judged, notJudged: `fewer than ${LEAST_ROUNDS} rounds` };
    if (otherWork > MOST_OTHER_WORK) {
      return { ...judged, notJudged: `other work had ${otherWork.toFixed(1)} processors` };
    }
  }
  return verdict === undefined ? judged : { ...judged, verdict };
}

/** Processors that are busy for each Gbit/s, over those of Linux's Cubic. */
export function costRatio(row: Throughput, rows: readonly Throughput[]): number {
  const own = rows.find(({ flows, algorithm }) => flows === row.flows && algorithm === KERNEL_CUBIC)!;
  return row.cpuShare / row.mbps / (own.cpuShare / own.mbps);
}

/** The worst of the rows. */
export function otherWorkOf(rows: readonly { readonly otherWork: number }[]): number {
  return Math.max(0, ...rows.map(({ otherWork }) => otherWork));
}

/** Where it was, and what else was there. */
export function machineText(rows: readonly { readonly otherWork: number }[]): string {
  return `a cable between two namespaces of this machine, on which other work had ${otherWorkOf(rows).toFixed(1)} processors`;
}
