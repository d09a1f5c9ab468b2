/** The form of DTL's experiments: cases of flows at one bottleneck, seeds, what each flow got in spans of time, and curves. */

import Table from "cli-table3";
import type { Mbps } from "../../../core/units.ts";
import type { DisciplineSpec } from "../../../scenarios/disciplines/registry.ts";
import { jainIndex } from "../../../testbeds/fairness.ts";
import { seedsText } from "../../seeds.ts";
import { mean } from "../../statistics.ts";
import { type Claim, type Experiment, experiment, shortNumber } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { choices, positive, seeds } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";
import {
  type Bottleneck,
  CARRIERS,
  type Carrier,
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
  readonly over: Carrier;
}

/** The same case with all its times so many times as long. */
function scaled({ label, link, contestants, spans }: ShareCase, times: number): ShareCase {
  return {
    label,
    link: { ...link, durationSec: Math.ceil(link.durationSec * times) },
    contestants: contestants.map(({ startSec, stopSec, changes, ...flow }) => ({
      ...flow,
      startSec: startSec * times,
      ...(stopSec !== undefined && { stopSec: stopSec * times }),
      ...(changes && { changes: changes.map(({ atSec, params }) => ({ atSec: atSec * times, params })) }),
    })),
    spans,
  };
}

/** What the flows of one case had in a span, by seed. */
export class CaseShares {
  readonly #rows: readonly CaseRow[];
  readonly #case: ShareCase;
  readonly #seeds: readonly number[];
  readonly #times: number;

  /** @param times as the case was scaled; spans are those of the case as it is */
  constructor(
    rows: readonly CaseRow[],
    of: ShareCase,
    {
      seeds: seedList,
      over,
      times,
    }: { readonly seeds: readonly number[]; readonly over: Carrier; readonly times: number },
  ) {
    this.#rows = rows.filter((row) => row.case === of.label && row.over === over);
    this.#case = of;
    this.#seeds = seedList;
    this.#times = times;
  }

  /** Mbit/s of each flow in their order, of one seed */
  rates([fromSec, toSec]: readonly [number, number], seed: number): Mbps[] {
    const ofSeed = this.#rows.filter((row) => row.seed === seed);
    const times = this.#times;
    return this.#case.contestants.map(({ id }) => meanMbps(ofSeed, id, fromSec * times, toSec * times));
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
  /** by which flows are told apart in the picture; absent: all by their own */
  readonly kinds?: (id: string) => string;
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

/** Of a panel that has the picture for itself. */
const ALONE_WIDTH = 560;

/** Claim by claim, what each carrier measured; empty where there is one alone. */
function besideTable(over: readonly Carrier[], claimsOf: (carrier: Carrier) => readonly Claim[]): string {
  if (over.length < 2) return "";
  const table = new Table({ ...PLAIN_TABLE, head: ["claim", "required", ...over] });
  const all = over.map(claimsOf);
  all[0]!.forEach(({ claim, threshold }, i) => {
    const { low, high } = threshold ?? {};
    const required = [low !== undefined && `>= ${low}`, high !== undefined && `<= ${high}`];
    table.push([
      claim,
      required.filter((each) => each !== false).join(", "),
      ...all.map((claims) => `${shortNumber(claims[i]!.measured)} ${claims[i]!.verdict ?? ""}`.trim()),
    ]);
  });
  return `The same over each:\n${table.toString()}\n`;
}

export function shareExperiment(definition: ShareDefinition): Experiment {
  const { name, summary, cases, kinds = (id) => id } = definition;
  return experiment({
    name,
    summary,
    source: DTL_SOURCE,
    options: {
      seeds: seeds(definition.seeds),
      over: choices<Carrier>(["engine"], CARRIERS, {
        help: "what carries the flows, one or more side by side; transport-udp runs in real time",
      }),
      times: positive(1, { help: "all times of the experiment so many times as long" }),
    },
    count: ({ seeds: seedList, over, times }) =>
      over.length *
      seedList.length *
      sum(
        cases
          .map((each) => scaled(each, times))
          .map(({ link, contestants }) => link.durationSec * contestants.length),
      ),
    async *run({ seeds: seedList, over, times }): AsyncGenerator<CaseRow> {
      for (const carrier of over) {
        for (const { label, link, contestants } of cases.map((each) => scaled(each, times))) {
          for (const seed of seedList) {
            const options = { name, source: DTL_SOURCE, seed, over: carrier };
            const rows = await runShares(link, contestants, options);
            for (const row of rows) yield { case: label, over: carrier, ...row };
          }
        }
      }
    },
    describe: (row) => `${row.case}, over ${row.over}, seed ${row.seed}`,
    report(rows, { seeds: seedList, over, times }) {
      const sharesOf = (carrier: Carrier): ((label: string) => CaseShares) => {
        const options = { seeds: seedList, over: carrier, times };
        const shares = new Map(cases.map((each) => [each.label, new CaseShares(rows, each, options)]));
        return (label) => shares.get(label)!;
      };
      const claimsOf = (carrier: Carrier): Claim[] => definition.claims(sharesOf(carrier));
      const names = [...new Set(cases.flatMap(({ contestants }) => contestants.map(({ id }) => kinds(id))))];
      const title = `${summary[0]!.toUpperCase()}${summary.slice(1)}`;
      const panels = over.flatMap((carrier) =>
        cases
          .map((each) => scaled(each, times))
          .map(({ label, link, contestants }) => {
            const ofSeed = rows.filter(
              (row) => row.case === label && row.over === carrier && row.seed === seedList[0],
            );
            const bins = Math.floor(link.durationSec / PICTURE_BIN_SEC);
            const values = contestants.flatMap(({ id, startSec, stopSec = Number.POSITIVE_INFINITY }) =>
              Array.from({ length: bins }, (_, bin) => bin * PICTURE_BIN_SEC)
                .filter((atSec) => atSec + PICTURE_BIN_SEC > startSec && atSec < stopSec)
                .map((atSec) => ({
                  name: kinds(id),
                  ...(kinds(id) !== id && { detail: id }),
                  atSec,
                  mbps: meanMbps(ofSeed, id, atSec, atSec + PICTURE_BIN_SEC),
                })),
            );
            return lines(names, {
              title: over.length === 1 ? label : `${label}, ${carrier}`,
              values,
              x: axis({ field: "atSec", title: "Time, s", domain: [0, link.durationSec] }),
              y: axis({ field: "mbps", title: "Throughput, Mbit/s" }),
              ...(cases.length * over.length === 1 && { width: ALONE_WIDTH }),
            });
          }),
      );
      const subtitle = [`seed ${seedList[0]}, means of ${PICTURE_BIN_SEC} s`];
      const texts = over.map(
        (carrier) => `${over.length === 1 ? "" : `Over ${carrier}.\n`}${tableOf(cases, sharesOf(carrier))}`,
      );
      const scale = times === 1 ? "" : ` All times are ${times} times those of the tables.`;
      return {
        text: `${texts.join("\n")}Means over ${seedsText(seedList.length)}.${scale}\n${besideTable(over, claimsOf)}`,
        claims: over.flatMap((carrier) =>
          claimsOf(carrier).map((claim) =>
            carrier === "engine" ? claim : { ...claim, claim: `over ${carrier}: ${claim.claim}` },
          ),
        ),
        figure: page(
          { title, subtitle, columns: cases.length % 4 === 0 ? 4 : Math.min(cases.length, 3) },
          names,
          panels,
        ),
      };
    },
  });
}
