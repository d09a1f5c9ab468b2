/** Options of whatever trains: what is learnt, on what, by whom, and how it is judged meanwhile. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { MAX_SEED, parseList, parsePositive, parseWhole } from "../options.ts";
import type { Settings } from "./run-training.ts";

/** `learningRate=3e-4` -> { learningRate: 3e-4 }; values are JSON, or else text. */
function parseSetting(text: string, { learner, scenario }: Settings): Settings {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("expected NAME=VALUE.");
  const name = text.slice(0, at);
  if (name.includes(".")) return { learner, scenario: [...scenario, text] };
  const value = text.slice(at + 1);
  try {
    return { learner: { ...learner, [name]: JSON.parse(value) }, scenario };
  } catch {
    return { learner: { ...learner, [name]: value }, scenario };
  }
}

function parseStep(text: string): number | "rtt" {
  if (text === "rtt") return text;
  try {
    return parsePositive(text);
  } catch {
    throw new InvalidArgumentError("expected a number above 0, or rtt for a round trip.");
  }
}

export function addTrainingOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--steps <n>", "environment steps in total, from the very first start").argParser(
        parseWhole(1, 1e12),
      ),
    )
    .addOption(
      new Option("--seed <n>", "seed of learner and environments (default: 1)").argParser(
        parseWhole(0, MAX_SEED),
      ),
    )
    .addOption(
      new Option(
        "--scenario <names>",
        "presets, grids or files to draw episodes from, or training-range: a new link per episode (default)",
      ).argParser(parseList),
    )
    .addOption(
      new Option(
        "--curriculum <name>",
        "a distribution of links that comes with ccpark (see `ccpark explain curricula`)",
      ).conflicts("scenario"),
    )
    .option(
      "--adversary [reference]",
      "search links on which the policy does worse than this contender (default: bbr), as `ccpark attack` does, and train on them too",
    )
    .addOption(
      new Option("--adversary-environments <n>", "links that each search tries (default: 96)").argParser(
        parseWhole(1, 1e6),
      ),
    )
    .addOption(
      new Option(
        "--focus-every <n>",
        "with --adversary or --curriculum gap: updates between two choices of links, a multiple of --checkpoint-every (default: every second checkpoint)",
      ).argParser(parseWhole(1, 1e9)),
    )
    .option("--trace <file>", "a trace file or shipped name, for scenarios that take one")
    .option("--episode <sec>", "seconds per episode", parsePositive)
    .option("--observation <name>", "see `ccpark explain observations`, or a module of your own, ./FILE.js")
    .option("--action <name>", "see `ccpark explain actions`, or a module of your own, ./FILE.js")
    .option(
      "--reward <name>",
      "see `ccpark explain rewards`; a formula (`ccpark explain facts`), or a module of your own, ./FILE.js",
    )
    .option("--step-ms <ms>", "length of a step in milliseconds, or rtt", parseStep)
    .option(
      "--action-delay-ms <ms>",
      "virtual time between a decision and its arrival at the datapath",
      parsePositive,
    )
    .addOption(new Option("--envs <n>", "environments stepped together").argParser(parseWhole(1, 4096)))
    .addOption(
      new Option(
        "--workers <n>",
        "threads that step the environments, the main one among them (default: 1); the result does not depend on it",
      ).argParser(parseWhole(1, 256)),
    )
    .option("--learner <name>", "see `ccpark explain learners` (default: ppo); on resume the checkpoint's")
    .option(
      "--dataset <dir>",
      "recorded runs of `ccpark dataset`, for learners that learn from them; observation, action, reward and steps are theirs unless given",
    )
    .addOption(
      new Option(
        "--set <name=value>",
        "a hyperparameter of the learner (`ccpark explain hyperparameters`), such as learningRate=3e-4, or a field of the scenarios, such as link.rateMbps=24; may repeat",
      )
        .argParser(parseSetting)
        .default({ learner: {}, scenario: [] }, "nothing is changed"),
    )
    .addOption(
      new Option("--backend <name>", "who computes gradients: the learner itself (simd), or TensorFlow.js")
        .choices(["auto", "simd", "wasm", "cpu", "node"])
        .default("auto"),
    )
    .addOption(
      new Option("--checkpoint-every <n>", "updates between two checkpoints").argParser(parseWhole(1, 1e9)),
    )
    .addOption(
      new Option(
        "--evaluate-every <n>",
        "updates between two evaluations on validation links, beside Cubic and BBR; 0: none (default: every second checkpoint)",
      ).argParser(parseWhole(0, 1e9)),
    )
    .addOption(
      new Option(
        "--early-stop <n>",
        "stop after so many evaluations in a row without a better one; 0: never (default)",
      ).argParser(parseWhole(0, 1e6)),
    )
    .addOption(
      new Option(
        "--validation <names>",
        "presets, grids or files to draw validation links from (default: what the episodes are drawn from, by another seed)",
      ).argParser(parseList),
    )
    .option(
      "--recipe <name>",
      "train as published: park, aurora, orca, indigo, astraea, or ours, general and quickstart (`ccpark explain recipes`); other options say what is to differ",
    )
    .option("--no-tensorboard", "no event files for TensorBoard")
    .option(
      "--config <path>",
      "config.json of a run, or its folder: that training again; other options say what is to differ",
    );
}
