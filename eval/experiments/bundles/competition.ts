/**
 * A bundle beside traffic that is not its own (CCP thesis 4.7.6; Bundler, Cardwell et al., EuroSys 2021): datagrams
 * that answer nothing, and flows of Cubic that fill every queue. What the bundle gets, by what is its due.
 */
import Table from "cli-table3";
import { fromMbps, type Mbps, NANOS_PER_SEC, PACKET_BYTES, toMbps } from "../../../core/units.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import type { SimulatedRun } from "../../../testbeds/simulated/simulated.ts";
import { mean } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { whole } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { type Control, HOSTS, openSite, SENDBOX_ALGORITHM, siteRoute, siteScenario } from "./site.ts";

const SITE = { mbps: 96, rttMs: 50, durationSec: 90 } as const;
/** Of the bundle. */
const FLOWS = 4;
/** The bundle is there before the others come. */
const OTHERS_SEC = 10;
/** Who is on the link is seen by then. */
const SETTLED_SEC = 30;
const STEP_SEC = 0.5;
/** What is its due less a fifth. */
const LEAST_SHARE = 0.8;
const CONTROLS = ["status-quo", "bundle-sfq"] as const satisfies readonly Control[];

interface Rivals {
  readonly name: string;
  /** what is due to the bundle: what the datagrams leave, or a part for each flow */
  readonly dueMbps: Mbps;
  readonly others: Pick<Scenario, "flows" | "traffic">;
}

/** Past the sendbox. */
const ROUTE = { forward: ["forward"], reverse: ["reverse"] } as const;

const datagrams = (mbps: Mbps, arrivals: "constant" | "poisson"): Rivals => ({
  name: `${mbps} Mbit/s, ${arrivals}`,
  dueMbps: SITE.mbps - mbps,
  others: { traffic: [{ kind: "datagrams", arrivals, mbps, route: ROUTE, startSec: OTHERS_SEC }] },
});
const cubics = (count: number): Rivals => ({
  name: `${count} Cubic`,
  dueMbps: (SITE.mbps * FLOWS) / (FLOWS + count),
  others: {
    flows: [{ id: "rival", algorithm: HOSTS, count, startSec: OTHERS_SEC, startEverySec: 0.1, route: ROUTE }],
  },
});
const RIVALS: readonly Rivals[] = [
  datagrams(24, "constant"),
  datagrams(24, "poisson"),
  datagrams(48, "poisson"),
  cubics(1),
  cubics(2),
  cubics(4),
];

interface Row {
  readonly rivals: string;
  readonly control: Control;
  readonly seed: number;
  readonly atSec: number;
  readonly mbps: Mbps;
  readonly dueMbps: Mbps;
  readonly bottleneckMs: number;
  readonly sendboxMs: number;
}

function* measure(rivals: Rivals, control: Control, algorithm: string, seed: number): Generator<Row> {
  const { name, dueMbps, others } = rivals;
  const site = siteScenario({ ...SITE, control, algorithm });
  const long = { algorithm: HOSTS, count: FLOWS, startEverySec: 0.1, ...siteRoute(control) };
  const run = openSite({ ...site, ...others, flows: [long, ...(others.flows ?? [])] }, seed);
  const arrivedBytes = (): number => {
    const own = run.flows.slice(1, 1 + FLOWS).map(({ path }) => path);
    for (const path of own) path.advance(run.nowNs);
    return own.reduce((sum, { firstArrivedPackets }) => sum + firstArrivedPackets * PACKET_BYTES, 0);
  };
  let before = 0;
  for (let atSec = STEP_SEC; atSec <= SITE.durationSec; atSec += STEP_SEC) {
    run.runUntil(run.startNs + atSec * NANOS_PER_SEC);
    const bytes = arrivedBytes();
    const mbps = toMbps((bytes - before) / STEP_SEC);
    const { bottleneckMs, sendboxMs } = queuesOf(run);
    yield { rivals: name, control, seed, atSec, mbps, dueMbps, bottleneckMs, sendboxMs };
    before = bytes;
  }
  run.close();
}

/** What stands before the link, at its rate. */
function queuesOf(run: SimulatedRun): Pick<Row, "bottleneckMs" | "sendboxMs"> {
  const msOf = (bytes: number): number => (bytes / fromMbps(SITE.mbps)) * 1000;
  const sendbox = run.bundles[0]?.queuedBytes ?? 0;
  return { bottleneckMs: msOf(run.truth.forward.queuedBytes), sendboxMs: msOf(sendbox) };
}

export const bundleCompetition: Experiment = experiment({
  name: "bundle-competition",
  summary: "a bundle beside traffic of others, which answers or does not: what it gets of what is its due",
  source: "Narayan, MIT 2022 (CCP thesis), 4.7.6; Cardwell et al., EuroSys 2021",
  options: {
    algorithm: SENDBOX_ALGORITHM,
    seeds: whole(1, { low: 1, high: 100, help: "runs of each" }),
  },
  count: ({ seeds }) => (RIVALS.length * CONTROLS.length * seeds * SITE.durationSec) / STEP_SEC,
  *run({ algorithm, seeds }): Generator<Row> {
    for (const rivals of RIVALS) {
      for (const control of CONTROLS) {
        for (let seed = 1; seed <= seeds; seed++) yield* measure(rivals, control, algorithm, seed);
      }
    }
  },
  describe: ({ rivals, control, seed }) => `${control} beside ${rivals}, seed ${seed}`,
  report(rows) {
    const of = (rivals: string, control: Control, key: "mbps" | "bottleneckMs" | "sendboxMs"): number =>
      mean(
        rows
          .filter((row) => row.rivals === rivals && row.control === control && row.atSec > SETTLED_SEC)
          .map((row) => row[key]),
      );
    const table = new Table({
      ...PLAIN_TABLE,
      head: [
        "beside",
        "due\nMbit/s",
        "status quo\nMbit/s",
        "bundle\nMbit/s",
        "of its due",
        "bottleneck\nms",
        "sendbox\nms",
      ],
    });
    for (const { name, dueMbps } of RIVALS) {
      const [quo, bundle] = CONTROLS.map((control) => of(name, control, "mbps")) as [number, number];
      const figures = [dueMbps, quo, bundle].map((figure) => figure.toFixed(1));
      const queues = (["bottleneckMs", "sendboxMs"] as const).map((key) =>
        of(name, "bundle-sfq", key).toFixed(1),
      );
      table.push([name, ...figures, (bundle / dueMbps).toFixed(2), ...queues]);
    }
    const panels = RIVALS.map(({ name }) => {
      const values = rows
        .filter((row) => row.rivals === name)
        .map(({ control, atSec, mbps }) => ({ name: control, atSec, mbps }));
      const x = axis({ field: "atSec", title: "Time, s" });
      const y = axis({ field: "mbps", title: "Mbit/s" });
      return lines(CONTROLS, { title: name, values, x, y, width: 260 });
    });
    return {
      text: `${table.toString()}\nMeans after ${SETTLED_SEC} s; ${SITE.mbps} Mbit/s, ${SITE.rttMs} ms, drop-tail of 2 BDP, a bundle of ${FLOWS} flows of Cubic. Due: what the datagrams leave, or a part for each flow.\n`,
      claims: RIVALS.map(({ name, dueMbps }) =>
        judge({
          claim: `what a bundle gets of its due beside ${name}`,
          published: "its fair share",
          measured: of(name, "bundle-sfq", "mbps") / dueMbps,
          unit: "1",
          threshold: { low: LEAST_SHARE },
        }),
      ),
      figure: page({ title: "A bundle beside traffic of others" }, CONTROLS, panels),
    };
  },
});
