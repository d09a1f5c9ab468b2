/** `ccpark distill`: a policy as a decision tree that a datapath runs without an agent. */
import { type Command, Option } from "commander";
import type { Scenario } from "../../../scenarios/scenario.ts";
import type { LinkScores, Round } from "../../../training/distill/distill.ts";
import { printErr } from "../../console.ts";
import { MAX_SEED, parseList, parsePositive, parseWhole } from "../../options.ts";

interface DistillCommandOptions {
  readonly to: "tree";
  readonly out: string;
  readonly leaves: number;
  readonly rounds: number;
  readonly links: number;
  readonly scenario?: readonly string[];
  readonly episode?: number;
  readonly split?: readonly string[];
  readonly seed: number;
  readonly json?: true;
  readonly quiet?: true;
}

const MAX_LEAVES = 31;
const RANGE = "training-range";
/** Rounds of the measurement of speed, ACKs each. */
const EXECUTIONS = 1_000_000;

/** The links of a split, or of the training range; recorded traces where this machine has them. */
async function linksOf(name: string): Promise<readonly Scenario[]> {
  if (name === RANGE) return (await import("../../../training/distill/distill.ts")).rangeLinks();
  const { join } = await import("node:path");
  const { findSplit } = await import("../../../eval/league/splits.ts");
  const { resolveSplit } = await import("../../../eval/league/split-files.ts");
  const folder = join(process.env["CCPARK_TEST_DATA"] ?? "../shared", "traces");
  const { links, skipped } = resolveSplit(findSplit(name), folder);
  for (const reason of skipped) printErr(`left out: ${reason}\n`);
  return links;
}

async function distillPolicy(policy: string, options: DistillCommandOptions): Promise<void> {
  const { basename } = await import("node:path");
  const { CcparkError } = await import("../../../core/errors.ts");
  const { claimFile, writeFilesWhole } = await import("../../../core/whole-files.ts");
  const { compareOn, distill } = await import("../../../training/distill/distill.ts");
  const { executionsPerSec } = await import("../../../training/distill/speed.ts");
  const { treeModule } = await import("../../../training/distill/spec.ts");
  const { TRAINING_DEFAULTS } = await import("../../../training/defaults.ts");
  const { loadCheckpointContender } = await import("../../policies.ts");
  const episodesOf = await import("../../train/episodes.ts");
  const { startTask } = await import("../../train/progress.ts");
  const { breathe, interruptible, printOut } = await import("../../console.ts");
  const { versions } = await import("../../bench/run-benchmark.ts");

  if (!options.out.endsWith(".js")) {
    const message = `[distill] --out: got \`${options.out}\`, expected a file name that ends in .js`;
    throw new CcparkError("invalid-argument", message);
  }
  const teacher = await loadCheckpointContender("teacher", policy);
  const episodes = episodesOf.newEpisodes({
    scenario: options.scenario ?? episodesOf.trainedOn(teacher.checkpoint),
    ...(options.episode !== undefined && { episode: options.episode }),
    set: [],
  });
  const scenarios = interruptible(() => episodesOf.resolveEpisodes(episodes));
  await episodesOf.checkAlgorithms(scenarios ?? []);
  const splits: { readonly name: string; readonly links: readonly Scenario[] }[] = [];
  for (const name of options.split ?? []) splits.push({ name, links: await linksOf(name) });
  claimFile(options.out);

  const quiet = options.quiet === true;
  const task = await startTask({ label: "distilling", total: options.rounds, unit: "rounds", quiet });
  const result = await distill({
    teacher: { policy: teacher.policy, env: teacher.env, envelope: teacher.envelope },
    links: { scenarios, episodeSec: options.episode ?? TRAINING_DEFAULTS.episodeSec },
    rounds: options.rounds,
    linksPerRound: options.links,
    leaves: options.leaves,
    seed: options.seed,
    async onRound({ round, score, teacherScore, samples }: Round) {
      const note = `${samples.toLocaleString("en")} decisions, score ${score.toFixed(2)} of ${teacherScore.toFixed(2)}`;
      task.update(round, note);
      await breathe();
    },
  });
  task.finish();
  const { program, instructions, leaves, samples, score, teacherScore, links } = result;
  const loss = teacherScore - score;
  const compared = splits.map(({ name, links: own }) => {
    const scores = compareOn(
      { policy: teacher.policy, env: teacher.env, envelope: teacher.envelope },
      program,
      own,
    );
    const meanOf = (of: (link: LinkScores) => number): number =>
      scores.reduce((sum, link) => sum + of(link), 0) / scores.length;
    const [ofPolicy, ofTree] = [meanOf((each) => each.teacher), meanOf((each) => each.tree)];
    return { split: name, teacherScore: ofPolicy, score: ofTree, loss: ofPolicy - ofTree, links: scores };
  });
  const speed = executionsPerSec(program, EXECUTIONS, () => performance.now() / 1000);
  const { stored } = teacher;
  const from = scenarios === undefined ? "the training range" : scenarios.map(({ name }) => name).join(", ");
  const summary = `a decision tree of ${leaves} leaves, distilled from a policy; the datapath walks it by itself`;
  const module = treeModule(
    {
      name:
        basename(options.out, ".js")
          .toLowerCase()
          .replaceAll(/[^a-z0-9]+/g, "-")
          .replace(/^[^a-z]+/, "") || "tree",
      program,
      maxCwndPackets: teacher.envelope.maxCwndPackets,
      summary,
    },
    [
      `A policy as a datapath program of ${instructions} instructions and ${leaves} leaves, which runs without an agent.`,
      `Made by ccpark distill (${versions()["ccpark"]}) of ${stored.name}, sha256 ${stored.sha256}, seed ${options.seed},`,
      `${options.rounds} rounds of ${options.links} links, ${samples} decisions, on ${from}.`,
      `Score on ${links.length} validation links ${score.toFixed(3)}, the policy's ${teacherScore.toFixed(3)}.`,
    ],
  );
  const programPath = options.out.replace(/\.js$/, ".ccp");
  writeFilesWhole({ [options.out]: module, [programPath]: program });
  if (options.json === true) {
    const facts = {
      leaves,
      instructions,
      samples,
      score,
      teacherScore,
      loss,
      executionsPerSec: Math.round(speed),
      links,
      ...(compared.length > 0 && { splits: compared }),
    };
    printOut(`${JSON.stringify(facts)}\n`);
    return;
  }
  const { default: Table } = await import("cli-table3");
  const show = (scores: readonly LinkScores[], means: Pick<LinkScores, "teacher" | "tree">): void => {
    const table = new Table({ head: ["link", "policy", "tree", "loss"], style: { head: [], border: [] } });
    for (const { link, teacher: of, tree } of [...scores, { link: "mean", ...means }])
      table.push([link, of.toFixed(2), tree.toFixed(2), (of - tree).toFixed(2)]);
    printOut(`${table.toString()}\n`);
  };
  show(links, { teacher: teacherScore, tree: score });
  printOut(`loss of score: ${loss.toFixed(3)}\n`);
  for (const each of compared) {
    show(each.links, { teacher: each.teacherScore, tree: each.score });
    printOut(
      `loss of score on the ${each.links.length} links of ${each.split}: ${each.loss.toFixed(3)} (policy ${each.teacherScore.toFixed(2)}, tree ${each.score.toFixed(2)})\n`,
    );
  }
  printOut(`${leaves} leaves, ${instructions} of 255 instructions\n`);
  printOut(
    `${(speed / 1e6).toFixed(2)} million executions per second on this machine (one per ACK, a walk of the tree per round trip)\n`,
  );
  if (!quiet) printErr(`algorithm: ${options.out}\nprogram: ${programPath}\n`);
}

export function addDistill(program: Command): void {
  program
    .command("distill")
    .description(
      "fit a decision tree to a policy and compile it into a datapath program, which needs no agent",
    )
    .argument("<policy>", "zoo:NAME, a checkpoint or the folder of a run")
    .addOption(new Option("--to <form>", "what the policy becomes").choices(["tree"]).default("tree"))
    .option(
      "--out <file.js>",
      "the algorithm, for --algorithm ./FILE.js; the program beside it as .ccp",
      "tree.js",
    )
    .addOption(
      new Option("--leaves <n>", "leaves of the tree at most")
        .argParser(parseWhole(2, MAX_LEAVES))
        .default(MAX_LEAVES),
    )
    .addOption(
      new Option("--rounds <n>", "rounds of asking the policy in the tree's own states")
        .argParser(parseWhole(1, 1000))
        .default(8),
    )
    .addOption(new Option("--links <n>", "links per round").argParser(parseWhole(1, 10_000)).default(32))
    .addOption(
      new Option(
        "--scenario <names>",
        "presets, grids or files to draw links from, or training-range (default: what the policy was trained on)",
      ).argParser(parseList),
    )
    .addOption(
      new Option(
        "--split <names>",
        "compare policy and tree on the links of these splits too, such as validation, or of training-range",
      ).argParser(parseList),
    )
    .option("--episode <sec>", "seconds per link", parsePositive)
    .addOption(new Option("--seed <n>", "draws the links").argParser(parseWhole(0, MAX_SEED)).default(1))
    .option("--json", "one JSON line on stdout instead of the table")
    .option("--quiet", "no progress and no messages")
    .addHelpText(
      "after",
      `
  ccpark distill zoo:quickstart --to tree --out tree.js --split validation,training-range
  ccpark bench --algorithms cubic,bbr,zoo:quickstart,./tree.js
  sudo ccpark run --algorithm ./tree.js -- sh -c 'iperf3 -c 192.0.2.1 -C $CCPARK_CONGESTION'`,
    )
    .action(distillPolicy);
}
