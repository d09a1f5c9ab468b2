/**
 * What the recipes of Aurora and Orca keep of their papers, each on links of the kind that it was trained on. Aurora (Jay et al. 2019,
 * section 5): at random loss that leaves Cubic next to nothing it keeps most of the link. Orca (Abbasloo et al. 2020, section 6): most of
 * Cubic's throughput at a part of its queueing delay, and without its losses. What both do away from home is in the league.
 */
import Table from "cli-table3";
import { loadZoo } from "../../../agents/zoo-files.ts";
import { crossTrafficAlgorithm } from "../../../algorithms/cross-traffic.ts";
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import { runAlgorithm } from "../../../envs/measured-run.ts";
import { DEFAULT_REWARD } from "../../../envs/signals/rewards.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { resolveScenario } from "../../../scenarios/scenario-files.ts";
import { fixedScenario } from "../../../scenarios/template.ts";
import type { FlowMetrics } from "../../../testbeds/results.ts";
import { storedPolicy } from "../../../training/described-env.ts";
import { greedyRuns } from "../../../training/evaluation/validation.ts";
import { mean } from "../../statistics.ts";
import { type Claim, type Experiment, experiment, judge } from "../experiment.ts";
import { axis, lines, page } from "../figures.ts";
import { positive, type Settings } from "../options.ts";
import { PLAIN_TABLE } from "../plain-table.ts";

/** Random loss, of which Aurora was trained on up to 5 %. */
const LOSS_RATES = [0, 0.001, 0.003, 0.01, 0.02, 0.03, 0.05] as const;
/** From here on Cubic is held back by losses that are not its own. */
const LOSSY_FROM = 0.01;
const ORCA_LINK = "orca-sample";
const CONTENDERS = {
  aurora: ["zoo:aurora", "cubic", "bbr"],
  orca: ["zoo:orca", "cubic", "vegas"],
} as const;

const OPTIONS = { seconds: positive(60, { placeholder: "sec", help: "length of each run" }) };

type Paper = keyof typeof CONTENDERS;

interface PublishedRow {
  readonly paper: Paper;
  readonly name: string;
  readonly lossRate: number;
  readonly utilisation: number;
  readonly meanQueueDelayMs: number;
  readonly lost: number;
}

/** In the middle of Aurora's links: 300 packets a second, 300 ms, a queue of one product. */
function lossyLink(lossRate: number, durationSec: number): Scenario {
  return fixedScenario({
    name: `${100 * lossRate} % of loss`,
    rttMs: 300,
    durationSec,
    forward: { rate: { kind: "constant", mbps: 3.6 }, queue: { bdp: 1 }, lossRate },
    reverse: { rate: { kind: "unlimited" } },
  });
}

function linksOf(
  paper: Paper,
  durationSec: number,
): { readonly lossRate: number; readonly link: Scenario }[] {
  if (paper === "orca") return [{ lossRate: 0, link: { ...resolveScenario(ORCA_LINK), durationSec } }];
  return LOSS_RATES.map((lossRate) => ({ lossRate, link: lossyLink(lossRate, durationSec) }));
}

function run(name: string, scenario: Scenario): FlowMetrics {
  if (name.startsWith("zoo:")) {
    const checkpoint = loadZoo(name);
    return greedyRuns(checkpoint, storedPolicy(checkpoint).env, [scenario])[0]!.metrics;
  }
  const algorithm = makeAlgorithm(resolveAlgorithm(name));
  const common = { seed: 1, rewardName: DEFAULT_REWARD, algorithms: crossTrafficAlgorithm };
  return runAlgorithm({ ...common, scenario, algorithm }).metrics;
}

// ------------------------------------------------------------------------------------------------------------- report

const of = (rows: readonly PublishedRow[], paper: Paper, name: string): PublishedRow[] =>
  rows.filter((row) => row.paper === paper && row.name === name);
const percent = (share: number): string => (100 * share).toFixed(1);

function tableOf(rows: readonly PublishedRow[]): string {
  const head = ["paper", "", "random loss %", "utilisation %", "queue ms", "lost %"];
  const colAligns = head.map((_, i) => (i < 2 ? ("left" as const) : ("right" as const)));
  const table = new Table({ ...PLAIN_TABLE, head, colAligns });
  for (const { paper, name, lossRate, utilisation, meanQueueDelayMs, lost } of rows) {
    const figures = [percent(lossRate), percent(utilisation), meanQueueDelayMs.toFixed(1), percent(lost)];
    table.push([paper, name, ...figures]);
  }
  return `${table.toString()}\nAurora: 3.6 Mbit/s, 300 ms, drop-tail of 1 BDP; Orca: ${ORCA_LINK}. Lost: of what was sent, random loss included.\n`;
}

function claimsOf(rows: readonly PublishedRow[]): Claim[] {
  const lossy = (name: string): number =>
    mean(of(rows, "aurora", name).flatMap((row) => (row.lossRate >= LOSSY_FROM ? [row.utilisation] : [])));
  const [orca, cubic] = ["zoo:orca", "cubic"].map((name) => of(rows, "orca", name)[0]!);
  return [
    judge({
      claim: "of a link with 1 to 5 % of random loss, what Aurora uses",
      published: "near all of it up to 5 %",
      measured: lossy("zoo:aurora"),
      unit: "1",
      threshold: { low: 0.75 },
    }),
    judge({
      claim: "the same of Cubic, of what Aurora uses",
      published: "a small part of it",
      measured: lossy("cubic") / lossy("zoo:aurora"),
      unit: "1",
      threshold: { high: 0.5 },
    }),
    judge({
      claim: "of Cubic's throughput at home, what Orca has",
      published: "about as much",
      measured: orca!.utilisation / cubic!.utilisation,
      unit: "1",
      threshold: { low: 0.8 },
    }),
    judge({
      claim: "of Cubic's queueing delay at home, what Orca has",
      published: "a part of it",
      measured: orca!.meanQueueDelayMs / cubic!.meanQueueDelayMs,
      unit: "1",
      threshold: { high: 0.6 },
    }),
  ];
}

export const published: Experiment = experiment({
  name: "published",
  summary: "Aurora's and Orca's recipes at home: what they keep of their papers",
  source: "Jay et al. 2019 (Aurora), section 5; Abbasloo et al. 2020 (Orca), section 6",
  options: OPTIONS,
  count: () => CONTENDERS.aurora.length * LOSS_RATES.length + CONTENDERS.orca.length,
  *run({ seconds }: Settings<typeof OPTIONS>): Generator<PublishedRow> {
    for (const paper of ["aurora", "orca"] as const) {
      for (const { lossRate, link } of linksOf(paper, seconds)) {
        for (const name of CONTENDERS[paper]) {
          const { utilisation, meanQueueDelayMs, lossRate: lost } = run(name, link);
          yield { paper, name, lossRate, utilisation, meanQueueDelayMs, lost };
        }
      }
    }
  },
  describe: ({ paper, name, utilisation }) => `${paper}: ${name}, ${percent(utilisation)} % of the link`,
  report(rows) {
    const values = rows
      .filter(({ paper }) => paper === "aurora")
      .map(({ name, lossRate, utilisation }) => ({ name, loss: 100 * lossRate, utilisation }));
    const x = axis({ field: "loss", title: "Random loss, %" });
    const y = axis({ field: "utilisation", title: "Utilisation", domain: [0, 1] });
    return {
      text: tableOf(rows),
      claims: claimsOf(rows),
      figure: page({ title: "Aurora at random loss" }, CONTENDERS.aurora, [
        lines(CONTENDERS.aurora, { title: "3.6 Mbit/s, 300 ms, 1 BDP", values, x, y }),
      ]),
    };
  },
});
