/** The agent of a flow is killed: when a standby takes the flow over, and what of its goodput is left. */
import Table from "cli-table3";
import { ccpAlgorithm } from "../../../algorithms/reference.ts";
import { NANOS_PER_SEC } from "../../../core/units.ts";
import { algorithms } from "../algorithm-options.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { page } from "../figures.ts";
import { goodputOf } from "../overlays/run.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { between, openFlows, overTime, SEED, sourceOf } from "./run.ts";

const NAME = "flows-standby";
const END_SEC = 20;
const BIN_SEC = 0.1;
const KILL_SEC = 10;
/** Renewed last when the agent died, or up to a renewal's time before. */
const [LEASE_SEC, RENEWAL_SEC] = [0.5, 0.1];
const LATE_SEC = 0.1;
const LOOK_SEC = 2;

interface Row {
  readonly algorithm: string;
  readonly atSec: number;
  readonly mbps: number;
  /** when agents have got the flow so far */
  readonly takenSec: readonly number[];
}

function* measure(name: string, seed: number): Generator<Row> {
  const algorithm = ccpAlgorithm(name);
  const takenUs: number[] = [];
  const run = openFlows(NAME, seed, {
    ...algorithm,
    newFlow: (control, info) => {
      takenUs.push(info.nowUs);
      return algorithm.newFlow(control, info);
    },
  });
  const zeroSec = run.startNs / NANOS_PER_SEC;
  for (const { atSec, mbps } of goodputOf(run, BIN_SEC)) {
    yield { algorithm: name, atSec, mbps: mbps[0]!, takenSec: takenUs.map((us) => us / 1e6 - zeroSec) };
  }
}

export const flowsStandby: Experiment = experiment({
  name: NAME,
  summary: "a flow's agent is killed, with a lease of 0.5 s: when a standby acts, and what goodput is left",
  source: sourceOf(NAME),
  options: {
    algorithms: algorithms(["reno", "cubic", "bbr"], "of both agents, each in a run"),
    seed: SEED,
  },
  count: ({ algorithms }) => Math.round((algorithms.length * END_SEC) / BIN_SEC),
  *run({ algorithms, seed }): Generator<Row> {
    for (const algorithm of algorithms) yield* measure(algorithm, seed);
  },
  describe: ({ algorithm }) => algorithm,
  report(rows) {
    const names = [...new Set(rows.map(({ algorithm }) => algorithm))];
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["", "standby acts\ns", "before\nMbit/s", `next ${LOOK_SEC} s\nMbit/s`],
    });
    const found = names.map((name) => {
      const own = rows.filter(({ algorithm }) => algorithm === name);
      const [, actsSec = Number.NaN] = own.at(-1)!.takenSec;
      const before = between(own, [KILL_SEC - 4, KILL_SEC], ({ mbps }) => mbps);
      const after = between(own, [KILL_SEC + LEASE_SEC, KILL_SEC + LEASE_SEC + LOOK_SEC], ({ mbps }) => mbps);
      table.push([name, actsSec.toFixed(4), before.toFixed(2), after.toFixed(2)]);
      return { name, actsSec, left: after / before };
    });
    return {
      text: `${table.toString()}\nThe agent dies at ${KILL_SEC} s. Its lease of ${LEASE_SEC} s is renewed every ${RENEWAL_SEC} s.\n`,
      claims: found.flatMap(({ name, actsSec, left }) => [
        judge({
          claim: `${name}: the standby acts after the agent's death`,
          measured: actsSec - KILL_SEC,
          unit: "s",
          threshold: { low: LEASE_SEC - RENEWAL_SEC, high: LEASE_SEC + LATE_SEC },
        }),
        judge({
          claim: `${name}: goodput over the next ${LOOK_SEC} s, of what it was`,
          measured: left,
          unit: "1",
          threshold: { low: 0.8 },
        }),
      ]),
      figure: page({ title: "A standby takes a flow over" }, names, [
        overTime(names, rows, {
          title: `the agent dies at ${KILL_SEC} s`,
          field: "mbps",
          unit: "Mbit/s",
          width: 560,
        }),
      ]),
    };
  },
});
