/** The form of DTL's experiments: cases of flows at one bottleneck, seeds, what each flow got in spans of time, and curves. */
import Table from "cli-table3";
import type { Mbps } from "../../../core/units.ts";
import type { DisciplineSpec } from "../../../scenarios/disciplines/registry.ts";
import { jainIndex } from "../../../testbeds/fairness.ts";
import { mean } from "../../statistics.ts";
import { type Claim, type Experiment, experiment } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { seeds } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import {
  type Bottleneck,
  type Contestant,
  meanMbps,
  packetsIn,
  payloadMbps,
  runShares,
  type ShareRow,
} from "../shares.ts";

export const DTL_SOURCE = "Reale, Roverso, El-Ansary and Haridi, ICDCN 2012 (DTL)";

/** A queue that holds twice LEDBAT's target, so that it is the delay that tells of others. */
export const QUEUE_MS = 200;

export interface ShareCase {
  readonly label: string;
  readonly link: Bottleneck;
  readonly contestants: readonly Contestant[];
  /** in the table, each with what the flows had in it */
  readonly spans: readonly (readonly [number, number])[];
}

export interface CaseRow extends ShareRow {
  readonly case: string;
}

/** What the flows of one case had in a span, by seed. */
export class CaseShares {
  readonly #rows: readonly CaseRow[];
  readonly #case: ShareCase;
  readonly #seeds: readonly number[];

  constructor(rows: readonly CaseRow[], of: ShareCase, seedList: readonly number[]) {
    this.#rows = rows.filter((row) => row.case === of.label);
    this.#case = of;
    this.#seeds = seedList;
  }

  /** Mbit/s of each flow in their order, of one seed */
  rates([fromSec, toSec]: readonly [number, number], seed: number): Mbps[] {
    const ofSeed = this.#rows.filter((row) => row.seed === seed);
    return this.#case.contestants.map(({ id }) => meanMbps(ofSeed, id, fromSec, toSec));
  }

  /** Mean over the seeds of what `of` makes of the flows' rates. */
  mean(span: readonly [number, number], of: (rates: readonly Mbps[]) => number): number {
    return mean(this.#seeds.map((seed) => of(this.rates(span, seed))));
  }

  utilisation(span: readonly [number, number]): number {
    return this.mean(span, (rates) => sum(rates) / payloadMbps(this.#case.link.mbps));
  }

  /** Of the flows with these places. */
  jain(span: readonly [number, number], places: readonly number[]): number {
    return this.mean(span, (rates) => jainIndex(places.map((place) => rates[place]!)));
  }

  /** What the flows with these places have of all that is delivered. */
  share(span: readonly [number, number], places: readonly number[]): number {
    return this.mean(span, (rates) => sum(places.map((place) => rates[place]!)) / sum(rates));
  }
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * Random early detection between two queueing delays. A full drop-tail queue drops from all flows at once,
 * whatever they send, while the laws of TCP's throughput, and so MulTCP's weights, are of losses that hit packets alike.
 */
export function redBetween(mbps: Mbps, fromMs: number, toMs: number, maxProbability: number): DisciplineSpec {
  return {
    kind: "red",
    minPackets: packetsIn(mbps, fromMs),
    maxPackets: packetsIn(mbps, toMs),
    maxProbability,
  };
}

interface ShareDefinition {
  readonly name: string;
  readonly summary: string;
  readonly seeds: number;
  readonly cases: readonly ShareCase[];
  /** @param of what the flows of a case had, by its label */
  readonly claims: (of: (label: string) => CaseShares) => Claim[];
}

function tableOf(cases: readonly ShareCase[], of: (label: string) => CaseShares): string {
  const parts = cases.map(({ label, link, contestants, spans }) => {
    const head = ["flow", ...spans.map(([fromSec, toSec]) => `${fromSec} to ${toSec} s`)];
    const table = new Table({ ...PLAIN_TABLE, head });
    const shares = of(label);
    contestants.forEach(({ id }, i) => {
      table.push([id, ...spans.map((span) => shares.mean(span, (rates) => rates[i]!).toFixed(3))]);
    });
    table.push(["of the link", ...spans.map((span) => `${(100 * shares.utilisation(span)).toFixed(1)} %`)]);
    const { mbps, rttMs, queuePackets, discipline } = link;
    const queue = `${discipline?.kind ?? "drop-tail"}, ${queuePackets} packets`;
    return `${label}: Mbit/s of payload\n${table.toString()}\n${mbps} Mbit/s, ${rttMs} ms, ${queue}.\n`;
  });
  return parts.join("\n");
}

/** Bins of a picture: each the mean of so many seconds. */
const PICTURE_BIN_SEC = 5;

export function shareExperiment(definition: ShareDefinition): Experiment {
  const { name, summary, cases } = definition;
  return experiment({
    name,
    summary,
    source: DTL_SOURCE,
    options: { seeds: seeds(definition.seeds) },
    count: (settings) =>
      settings.seeds.length *
      sum(cases.map(({ link, contestants }) => Math.round(link.durationSec) * contestants.length)),
    *run({ seeds: seedList }): Generator<CaseRow> {
      for (const { label, link, contestants } of cases) {
        for (const seed of seedList) {
          const rows = runShares(link, contestants, { name, source: DTL_SOURCE, seed });
          for (const row of rows) yield { case: label, ...row };
        }
      }
    },
    describe: (row) => `${row.case}, seed ${row.seed}`,
    report(rows, { seeds: seedList }) {
      const shares = new Map(cases.map((each) => [each.label, new CaseShares(rows, each, seedList)]));
      const of = (label: string): CaseShares => shares.get(label)!;
      const names = [...new Set(cases.flatMap(({ contestants }) => contestants.map(({ id }) => id)))];
      const panels = cases.map(({ label, link, contestants }) => {
        const ofSeed = rows.filter((row) => row.case === label && row.seed === seedList[0]);
        const bins = Math.floor(link.durationSec / PICTURE_BIN_SEC);
        const values = contestants.flatMap(({ id, startSec, stopSec = Number.POSITIVE_INFINITY }) =>
          Array.from({ length: bins }, (_, bin) => bin * PICTURE_BIN_SEC)
            .filter((atSec) => atSec + PICTURE_BIN_SEC > startSec && atSec < stopSec)
            .map((atSec) => ({
              name: id,
              atSec,
              mbps: meanMbps(ofSeed, id, atSec, atSec + PICTURE_BIN_SEC),
            })),
        );
        return lines(names, {
          title: label,
          values,
          x: axis({ field: "atSec", title: "Seconds", domain: [0, link.durationSec] }),
          y: axis({ field: "mbps", title: "Mbit/s" }),
        });
      });
      const subtitle = [`seed ${seedList[0]}, means of ${PICTURE_BIN_SEC} s`];
      return {
        text: `${tableOf(cases, of)}Means over ${seedList.length} seeds.\n`,
        claims: definition.claims(of),
        figure: page({ title: summary, subtitle, columns: Math.min(cases.length, 3) }, names, panels),
      };
    },
  });
}
