/** Files that a campus takes from peers, and the pages beside them: how long pages take, by the congestion control of the files. */
import Table from "cli-table3";
import { loadZoo, ZOO_PREFIX } from "../../../agents/zoo-files.ts";
import { resolveAlgorithm } from "../../../algorithms/reference.ts";
import type { CcpAlgorithm } from "../../../ccp-bridge/agent/algorithm.ts";
import { NANOS_PER_SEC, PACKET_BYTES, toMbps } from "../../../core/units.ts";
import { policyAlgorithm } from "../../../envs/policy-algorithm.ts";
import { workOf } from "../../../testbeds/overlays/overlay.ts";
import type { RequestWork } from "../../../testbeds/overlays/works/requests.ts";
import { storedPolicy } from "../../../training/described-env.ts";
import { mean, quantile } from "../../statistics.ts";
import { algorithms } from "../algorithm-options.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { whole } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { openOverlay, overlayScenario } from "./run.ts";

const NAME = "campus-100";
const NOBODY = "none";
/** The files' flows have begun. */
const SETTLED_SEC = 5;

interface Row {
  readonly background: string;
  /** sorted */
  readonly pagesMs: readonly number[];
  readonly filesMbps: number;
}

function measure(background: string, seed: number): Row {
  const scenario = overlayScenario(NAME);
  const isAlone = background === NOBODY;
  const one = { application: { kind: "finite", bytes: PACKET_BYTES } } as const;
  const run = openOverlay(
    isAlone ? { ...scenario, ...one, flows: scenario.flows!.map((plan) => ({ ...plan, ...one })) } : scenario,
    seed,
    isAlone ? "native-cubic" : background.startsWith(ZOO_PREFIX) ? policyOf(background) : background,
  );
  const requests: RequestWork = workOf(run.overlay, "requests");
  run.runUntil(run.startNs + scenario.durationSec * NANOS_PER_SEC);
  const bytes = run.flows.reduce((sum, { path, mssBytes }) => sum + path.firstArrivedPackets * mssBytes, 0);
  const pagesMs = requests.answers
    .filter(({ atSec }) => atSec > SETTLED_SEC)
    .map(({ responseMs }) => responseMs)
    .sort((a, b) => a - b);
  return { background, pagesMs, filesMbps: toMbps(bytes / scenario.durationSec) };
}

/** @throws CcparkError (not-found) with the nearest name */
function policyOf(name: string): () => CcpAlgorithm {
  const { policy, env } = storedPolicy(loadZoo(name));
  const algorithm = policyAlgorithm(name, policy, env);
  return () => algorithm;
}

/** @throws CcparkError for what cannot send files */
function checkBackground(name: string): void {
  if (name.startsWith(ZOO_PREFIX)) loadZoo(name);
  else if (name !== NOBODY) resolveAlgorithm(name);
}

export const campus: Experiment = experiment({
  name: NAME,
  summary: "pages of 100 hosts beside nothing, and beside files under Cubic, LEDBAT and a learned policy",
  source: "ccpark, scenario campus-100; inspired by what Napster and Gnutella did to campus links",
  options: {
    background: algorithms(
      [NOBODY, "cubic", "ledbat", "zoo:general"],
      "of the files' flows, each in a run, policies by zoo:NAME too; none: no files",
      checkBackground,
    ),
    seed: whole(1, { low: 0, high: 1_000_000, help: "draws the pages" }),
  },
  count: ({ background }) => background.length,
  *run({ background, seed }): Generator<Row> {
    for (const each of background) yield measure(each, seed);
  },
  describe: ({ background }) => background,
  report(rows) {
    const at = (row: Row, share: number): number => quantile(Float64Array.from(row.pagesMs), share);
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["files by", "pages", "mean ms", "p50 ms", "p95 ms", "files\nMbit/s"],
    });
    for (const row of rows) {
      const figures = [mean([...row.pagesMs]), at(row, 0.5), at(row, 0.95)].map((ms) => ms.toFixed(0));
      table.push([row.background, row.pagesMs.length, ...figures, row.filesMbps.toFixed(1)]);
    }
    const names = rows.map(({ background }) => background);
    const values = rows.flatMap((row) =>
      Array.from({ length: 100 }, (_, i) => ({ name: row.background, ms: at(row, i / 100), share: i / 100 })),
    );
    const find = (name: string): Row | undefined => rows.find(({ background }) => background === name);
    const [none, cubic] = [find(NOBODY), find("cubic")];
    const compare = (name: string, high: number) => {
      const row = find(name);
      return row === undefined || cubic === undefined
        ? []
        : [
            judge({
              claim: `95 % of page times beside ${name}, by those beside cubic`,
              measured: at(row, 0.95) / at(cubic, 0.95),
              unit: "1",
              threshold: { high },
            }),
          ];
    };
    return {
      text: `${table.toString()}\nAn uplink of 40 Mbit/s; pages of 5 to 500 kB by Cubic, 50 in a second; eight files without an end; after ${SETTLED_SEC} s.\n`,
      claims: [
        ...(none === undefined || cubic === undefined
          ? []
          : [
              judge({
                claim: "95 % of page times beside cubic, by those beside nothing",
                published: "the campus slows down",
                measured: at(cubic, 0.95) / at(none, 0.95),
                unit: "1",
                threshold: { low: 1.1 },
              }),
            ]),
        ...compare("ledbat", 0.95),
        ...compare("zoo:general", 1),
      ],
      figure: page({ title: "Pages beside files" }, names, [
        lines(names, {
          title: "",
          values,
          x: axis({ field: "ms", title: "Time of a page, ms", log: true }),
          y: axis({ field: "share", title: "Share of pages", domain: [0, 1] }),
          width: 420,
        }),
      ]),
    };
  },
});
