/** What if everyone chooses paths? Twenty flows and two paths: who moves in each period, and what is left of the rate. */
import Table from "cli-table3";
import { workOf } from "../../../testbeds/overlays/overlay.ts";
import type { RouteWork } from "../../../testbeds/overlays/works/route.ts";
import { mean } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { payloadMbps } from "../shares.ts";
import { goodputOf, OVERLAY_OPTIONS, openOverlay, overlayScenario } from "./run.ts";

const NAME = "ron-everyone-20";
/** The first measurements, and the first moves, are over. */
const SETTLED_SEC = 20;
const PATH_MBPS = 20;
const CASES = [
  { name: "greedy, 1/4", kind: "min-latency", share: 0.25 },
  { name: "greedy, 1/2", kind: "min-latency", share: 0.5 },
  { name: "greedy, all", kind: "min-latency", share: 1 },
  { name: "damped, all", kind: "damped", share: 1 },
] as const;
type Name = (typeof CASES)[number]["name"];
const NAMES = CASES.map(({ name }) => name);

interface Row {
  readonly name: Name;
  /** end of a period */
  readonly atSec: number;
  /** of all flows */
  readonly mbps: number;
  /** of the flows that choose: the share that moved in the period */
  readonly moved: number;
  /** flows over the relay at its end */
  readonly overRelay: number;
}

function* measure(
  { name, kind, share }: (typeof CASES)[number],
  algorithm: string,
  seed: number,
): Generator<Row> {
  const scenario = overlayScenario(NAME, (overlay) => ({
    policy: { ...overlay.policy!, kind },
    work: { kind: "route", relays: ["relay"], share },
  }));
  const { everySec } = scenario.overlay.policy!;
  const run = openOverlay(scenario, seed, algorithm);
  const route: RouteWork = workOf(run.overlay, "route");
  const choosing = Math.round(share * run.flows.length);
  let counted = 0;
  for (const { atSec, mbps } of goodputOf(run, everySec)) {
    const { changes } = route;
    yield {
      name,
      atSec,
      mbps: mbps.reduce((sum, each) => sum + each),
      moved: (changes.length - counted) / choosing,
      overRelay: run.flows.filter((_, place) => route.hostsOf(place).length > 2).length,
    };
    counted = changes.length;
  }
}

export const ronEveryone: Experiment = experiment({
  name: NAME,
  summary: "20 flows that all choose the better of two paths: greedy ones flip together, damped ones settle",
  source: "ccpark, scenario ron-everyone-20; the question is that of RON (Andersen et al., SOSP 2001)",
  options: OVERLAY_OPTIONS,
  count: () => CASES.length * 30,
  *run({ algorithm, seed }): Generator<Row> {
    for (const each of CASES) yield* measure(each, algorithm, seed);
  },
  describe: ({ name }) => name,
  report(rows) {
    const of = (name: Name): readonly Row[] =>
      rows.filter((row) => row.name === name && row.atSec > SETTLED_SEC);
    /** A period flips when most of those who choose move in it. */
    const flips = (name: Name): number => mean(of(name).map(({ moved }) => (moved > 0.5 ? 1 : 0)));
    const moved = (name: Name): number => mean(of(name).map((row) => row.moved));
    const mbps = (name: Name): number => mean(of(name).map((row) => row.mbps));
    const table = new Table({
      ...PLAIN_TABLE,
      head: [
        "who chooses",
        "periods\nthat flip",
        "moved in\na period",
        "all flows\nMbit/s",
        "over the\nrelay",
      ],
    });
    for (const name of NAMES) {
      const relay = mean(of(name).map(({ overRelay }) => overRelay));
      const figures = [flips(name), moved(name), mbps(name)].map((figure) => figure.toFixed(3));
      table.push([name, ...figures, relay.toFixed(1)]);
    }
    const values = rows.map(({ name, atSec, mbps: rate, overRelay }) => ({
      name,
      atSec,
      mbps: rate,
      overRelay,
    }));
    const x = axis({ field: "atSec", title: "Time, s" });
    return {
      text: `${table.toString()}\nTwo paths of ${PATH_MBPS} Mbit/s; means after ${SETTLED_SEC} s; a period flips when more than half of those who choose move.\n`,
      claims: [
        judge({
          claim: "greedy, everyone: periods that flip",
          measured: flips("greedy, all"),
          unit: "1",
          threshold: { low: 0.9 },
        }),
        judge({
          claim: "damped, everyone: share of flows that move in a period",
          measured: moved("damped, all"),
          unit: "1",
          threshold: { high: 0.05 },
        }),
        judge({
          claim: "damped, everyone: periods that flip",
          measured: flips("damped, all"),
          unit: "1",
          threshold: { high: 0.05 },
        }),
        judge({
          claim: "damped, everyone: of both paths' payload, what is used",
          measured: mbps("damped, all") / payloadMbps(2 * PATH_MBPS),
          unit: "1",
          threshold: { low: 0.9 },
        }),
        judge({
          claim: "greedy, everyone: of both paths' payload, what is used",
          measured: mbps("greedy, all") / payloadMbps(2 * PATH_MBPS),
          unit: "1",
          threshold: { high: 0.8 },
        }),
      ],
      figure: page({ title: "When everyone chooses", columns: 1 }, NAMES, [
        lines(NAMES, {
          title: "flows over the relay",
          values,
          x,
          y: axis({ field: "overRelay", title: "Flows" }),
          width: 480,
          height: 160,
        }),
        lines(NAMES, {
          title: "all flows together",
          values,
          x,
          y: axis({ field: "mbps", title: "Mbit/s" }),
          width: 480,
          height: 160,
        }),
      ]),
    };
  },
});
