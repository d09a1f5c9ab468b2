/** Four servers that are as good as each other: who answers sooner, and how evenly they work. */
import Table from "cli-table3";
import { NANOS_PER_SEC } from "../../../core/units.ts";
import { workOf } from "../../../testbeds/overlays/overlay.ts";
import type { Answer, RequestWork } from "../../../testbeds/overlays/works/requests.ts";
import { mean, quantile } from "../../statistics.ts";
import { type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import { OVERLAY_OPTIONS, openOverlay, overlayScenario } from "./run.ts";

const NAME = "anycast-4x20";
/** Equivalent sets: answers expected within so many times the best. */
const CASES = [
  { name: "nearest", choose: "nearest" },
  { name: "random", choose: "random" },
  { name: "anycast, best alone", choose: "anycast", within: 1 },
  { name: "anycast, within 1.5", choose: "anycast", within: 1.5 },
  { name: "anycast, within 2.5", choose: "anycast", within: 2.5 },
] as const;
type Name = (typeof CASES)[number]["name"];
const NAMES = CASES.map(({ name }) => name);
/** Load of a server is looked at in spans of so much. */
const SPAN_SEC = 1;
/** Nothing is known before. */
const SETTLED_SEC = 5;

interface Row {
  readonly name: Name;
  readonly asked: number;
  readonly answers: readonly Pick<Answer, "server" | "bytes" | "atSec" | "responseMs">[];
}

function measure(at: (typeof CASES)[number], algorithm: string, seed: number): Row {
  const { name, choose } = at;
  const scenario = overlayScenario(NAME, ({ work }) => ({
    work: { ...work!, choose, ...("within" in at && { within: at.within }) } as typeof work,
  }));
  const run = openOverlay(scenario, seed, algorithm);
  const requests: RequestWork = workOf(run.overlay, "requests");
  run.runUntil(run.startNs + scenario.durationSec * NANOS_PER_SEC);
  const answers = requests.answers
    .filter(({ atSec }) => atSec > SETTLED_SEC)
    .map(({ server, bytes, atSec, responseMs }) => ({ server, bytes, atSec, responseMs }));
  return { name, asked: requests.asked, answers };
}

/** Standard deviation by mean of what is asked of a server in a span, mean over servers. */
function loadVariation(answers: Row["answers"]): number {
  const servers = [...new Set(answers.map(({ server }) => server))].sort();
  const spans = Math.ceil(Math.max(...answers.map(({ atSec }) => atSec)) / SPAN_SEC);
  return mean(
    servers.map((server) => {
      const loads = new Array<number>(spans).fill(0);
      for (const answer of answers)
        if (answer.server === server) loads[Math.floor(answer.atSec / SPAN_SEC)]! += 1;
      const seen = loads.slice(SETTLED_SEC / SPAN_SEC);
      const level = mean(seen);
      return Math.sqrt(mean(seen.map((load) => (load - level) ** 2))) / level;
    }),
  );
}

export const anycast: Experiment = experiment({
  name: NAME,
  summary: "20 clients and four equivalent servers: nearest, random, and anycast with sets of three sizes",
  source: "ccpark, scenario anycast-4x20; inspired by Zegura et al., ToN 2000 (application-layer anycasting)",
  options: OVERLAY_OPTIONS,
  count: () => CASES.length,
  *run({ algorithm, seed }): Generator<Row> {
    for (const each of CASES) yield measure(each, algorithm, seed);
  },
  describe: ({ name }) => name,
  report(rows) {
    const of = (name: Name): Row["answers"] => rows.find((row) => row.name === name)!.answers;
    const response = (name: Name): number => mean(of(name).map(({ responseMs }) => responseMs));
    const sorted = (name: Name): Float64Array =>
      Float64Array.from(of(name), ({ responseMs }) => responseMs).sort();
    const table = new Table({
      ...PLAIN_TABLE,
      head: ["", "answers", "mean\nms", "p95\nms", "load\nvariation", "share of\nbusiest"],
    });
    for (const name of NAMES) {
      const answers = of(name);
      const servers = [...new Set(answers.map(({ server }) => server))];
      const most = Math.max(...servers.map((one) => answers.filter(({ server }) => server === one).length));
      table.push([
        name,
        answers.length,
        response(name).toFixed(0),
        quantile(sorted(name), 0.95).toFixed(0),
        loadVariation(answers).toFixed(3),
        (most / answers.length).toFixed(3),
      ]);
    }
    const best = "anycast, within 1.5";
    const [alone, some, many] = NAMES.slice(2).map((name) => loadVariation(of(name))) as [
      number,
      number,
      number,
    ];
    const values = NAMES.flatMap((name) => {
      const all = sorted(name);
      return Array.from({ length: 100 }, (_, i) => ({ name, ms: quantile(all, i / 100), share: i / 100 }));
    });
    return {
      text: `${table.toString()}\nPages of 40 kB on average; load: questions of a server in ${SPAN_SEC} s, its standard deviation by its mean.\n`,
      claims: [
        judge({
          claim: `mean response, ${best}, by nearest`,
          published: "better",
          measured: response(best) / response("nearest"),
          unit: "1",
          threshold: { high: 0.95 },
        }),
        judge({
          claim: `mean response, ${best}, by random`,
          published: "better",
          measured: response(best) / response("random"),
          unit: "1",
          threshold: { high: 0.95 },
        }),
        judge({
          claim: "load variation, set within 1.5 by the best alone",
          published: "lower",
          measured: some / alone,
          unit: "1",
          threshold: { high: 0.98 },
        }),
        judge({
          claim: "load variation, set within 2.5 by set within 1.5",
          published: "lower",
          measured: many / some,
          unit: "1",
          threshold: { high: 0.98 },
        }),
      ],
      figure: page({ title: "Answers of four servers" }, NAMES, [
        lines(NAMES, {
          title: "",
          values,
          x: axis({ field: "ms", title: "Response, ms", log: true }),
          y: axis({ field: "share", title: "Share of answers", domain: [0, 1] }),
          width: 420,
        }),
      ]),
    };
  },
});
