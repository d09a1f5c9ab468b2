/**
 * Where the queue stands (CCP thesis, Fig. 4.14): a few long flows of Cubic from one site to another. Without a bundle they
 * fill the bottleneck's queue; with one theirs stands in the sendbox, where the site can choose who goes first.
 */
import Table from "cli-table3";
import { NANOS_PER_MILLI, PACKET_BYTES } from "../../../core/units.ts";
import { mean } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { whole } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { type Control, HOSTS, openSite, SENDBOX_ALGORITHM, siteRoute, siteScenario } from "./site.ts";

const SITE = { mbps: 96, rttMs: 50, durationSec: 60 } as const;
const FLOWS = 4;
/** Beginnings are another matter. */
const SETTLED_SEC = 10;
const STEP_MS = 100;
const CONTROLS = ["status-quo", "bundle-sfq"] as const satisfies readonly Control[];

interface Row {
  readonly control: Control;
  readonly atSec: number;
  readonly bottleneckMs: number;
  readonly sendboxMs: number;
  readonly mbps: number;
}

function* measure(control: Control, algorithm: string, seed: number): Generator<Row> {
  const scenario = siteScenario({ ...SITE, control, algorithm });
  const long = { algorithm: HOSTS, count: FLOWS, startEverySec: 0.1, ...siteRoute(control) };
  const run = openSite({ ...scenario, flows: [long] }, seed);
  const msOf = (bytes: number): number => (bytes * 8) / (SITE.mbps * 1000);
  let before = 0;
  for (let atMs = STEP_MS; atMs <= 1000 * SITE.durationSec; atMs += STEP_MS) {
    run.runUntil(run.startNs + atMs * NANOS_PER_MILLI);
    const served = run.truth.forward.servedBytes(run.nowNs);
    yield {
      control,
      atSec: atMs / 1000,
      bottleneckMs: msOf(run.truth.forward.queuedBytes),
      sendboxMs: msOf(run.bundles[0]?.queuedBytes ?? 0),
      mbps: ((served - before) * 8) / (STEP_MS * 1000),
    };
    before = served;
  }
  run.close();
}

export const bundleQueue: Experiment = experiment({
  name: "bundle-queue",
  summary: "four long flows between two sites: where their queue stands, without and with a bundle",
  source: "Narayan, MIT 2022 (CCP thesis), Fig. 4.14",
  options: {
    algorithm: SENDBOX_ALGORITHM,
    seed: whole(1, { low: 0, high: 1_000_000, help: "draws the start" }),
  },
  count: () => (CONTROLS.length * 1000 * SITE.durationSec) / STEP_MS,
  *run({ algorithm, seed }): Generator<Row> {
    for (const control of CONTROLS) yield* measure(control, algorithm, seed);
  },
  describe: ({ control }) => control,
  report(rows) {
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["", "bottleneck\nms", "sendbox\nms", "link\nMbit/s"],
    });
    const of = (control: Control, key: "bottleneckMs" | "sendboxMs" | "mbps"): number =>
      mean(rows.filter((row) => row.control === control && row.atSec > SETTLED_SEC).map((row) => row[key]));
    for (const control of CONTROLS) {
      const figures = (["bottleneckMs", "sendboxMs", "mbps"] as const).map((key) => of(control, key));
      table.push([control, ...figures.map((figure) => figure.toFixed(1))]);
    }
    const places = ["bottleneck", "sendbox"];
    const panels = CONTROLS.map((control) => {
      const values = rows
        .filter((row) => row.control === control)
        .flatMap(({ atSec, bottleneckMs, sendboxMs }) => [
          { name: "bottleneck", atSec, ms: bottleneckMs },
          { name: "sendbox", atSec, ms: sendboxMs },
        ]);
      const x = axis({ field: "atSec", title: "Time, s" });
      const y = axis({ field: "ms", title: "Queue, ms" });
      return lines(places, { title: control, values, x, y, width: 260 });
    });
    return {
      text: `${table.toString()}\nMeans after ${SETTLED_SEC} s; ${SITE.mbps} Mbit/s, ${SITE.rttMs} ms, drop-tail of 2 BDP, ${FLOWS} flows of Cubic, packets of ${PACKET_BYTES} bytes.\n`,
      claims: [
        judge({
          claim: "the bottleneck's queue with a bundle, of what it is without one",
          published: "it moves to the sendbox",
          measured: of("bundle-sfq", "bottleneckMs") / of("status-quo", "bottleneckMs"),
          unit: "1",
          threshold: { high: 0.3 },
        }),
        judge({
          claim: "of the queue with a bundle, what stands in the sendbox",
          measured:
            of("bundle-sfq", "sendboxMs") /
            (of("bundle-sfq", "sendboxMs") + of("bundle-sfq", "bottleneckMs")),
          unit: "1",
          threshold: { low: 0.7 },
        }),
        judge({
          claim: "of the link, what the bundle uses",
          measured: of("bundle-sfq", "mbps") / SITE.mbps,
          unit: "1",
          threshold: { low: 0.9 },
        }),
      ],
      figure: page({ title: "Where the queue stands" }, places, panels),
    };
  },
});
