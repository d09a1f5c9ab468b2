/** Any k pieces of n: what asking for more than needed is worth when some holders are slow and some are silent. */
import Table from "cli-table3";
import { NANOS_PER_SEC } from "../../../core/units.ts";
import { workOf } from "../../../testbeds/overlays/overlay.ts";
import type { Fetched, FetchWork } from "../../../testbeds/overlays/works/fetch.ts";
import { mean, quantile } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { OVERLAY_OPTIONS, openOverlay, overlayScenario } from "./run.ts";

const NAME = "kofn-fetch";
const NEED = 3;
const ASKED = [3, 5, 8] as const;
/** Those that begin later may not have their time. */
const REST_SEC = 20;

interface Row extends Fetched {
  readonly ask: number;
}

const nameOf = (ask: number): string => `${NEED} of ${ask}`;

function* measure(ask: number, algorithm: string, seed: number): Generator<Row> {
  const scenario = overlayScenario(NAME, ({ work }) => ({
    algorithm,
    work: { ...work!, ask, need: NEED } as typeof work,
  }));
  const run = openOverlay(scenario, seed, algorithm);
  const { fetches }: FetchWork = workOf(run.overlay, "fetch");
  run.runUntil(run.startNs + scenario.durationSec * NANOS_PER_SEC);
  for (const { atSec, asked, ms } of fetches)
    if (atSec < scenario.durationSec - REST_SEC) yield { ask, atSec, asked, ms };
}

export const kofn: Experiment = experiment({
  name: NAME,
  summary: "a file of any three pieces, of three, five or eight holders: slow and silent ones",
  source: "ccpark, scenario kofn-fetch; inspired by Publius (Waldman et al., 2000) and Freenet",
  options: OVERLAY_OPTIONS,
  count: () => (ASKED.length * 160) / 3,
  *run({ algorithm, seed }): Generator<Row> {
    for (const ask of ASKED) yield* measure(ask, algorithm, seed);
  },
  describe: ({ ask }) => nameOf(ask),
  report(rows) {
    const times = (ask: number): Float64Array =>
      Float64Array.from(
        rows.filter((row) => row.ask === ask && !Number.isNaN(row.ms)),
        ({ ms }) => ms,
      ).sort();
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["", "files", "done", "mean ms", "p50 ms", "p95 ms", "asked"],
    });
    for (const ask of ASKED) {
      const own = rows.filter((row) => row.ask === ask);
      const all = times(ask);
      const figures = [mean([...all]), quantile(all, 0.5), quantile(all, 0.95)].map((ms) => ms.toFixed(0));
      table.push([
        nameOf(ask),
        own.length,
        all.length,
        ...figures,
        mean(own.map(({ asked }) => asked)).toFixed(2),
      ]);
    }
    const names = ASKED.map(nameOf);
    const values = ASKED.flatMap((ask) => {
      const all = times(ask);
      return Array.from({ length: 100 }, (_, i) => ({
        name: nameOf(ask),
        ms: quantile(all, i / 100),
        share: i / 100,
      }));
    });
    const p95 = (ask: number): number => quantile(times(ask), 0.95);
    return {
      text: `${table.toString()}\nPieces of 60 kB of eight holders with 1 to 8 Mbit/s; one holder of ten is silent, drawn for each file, and given up after 2 s.\n`,
      claims: [
        judge({
          claim: "files of any three of five that are done",
          measured: times(5).length / rows.filter(({ ask }) => ask === 5).length,
          unit: "1",
          threshold: { low: 1 },
        }),
        judge({
          claim: "95 % of times, any three of five by all of three",
          measured: p95(5) / p95(3),
          unit: "1",
          threshold: { high: 0.8 },
        }),
      ],
      figure: page({ title: "Any three pieces" }, names, [
        lines(names, {
          title: "",
          values,
          x: axis({ field: "ms", title: "Time of a file, ms", log: true }),
          y: axis({ field: "share", title: "Share of files", domain: [0, 1] }),
          width: 420,
        }),
      ]),
    };
  },
});
