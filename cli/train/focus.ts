/** Wiring: which links a training has more of, as its options or `config.json` say it. */
import { CcparkError } from "../../core/errors.ts";
import { sealedLinks } from "../../eval/league/split-files.ts";
import { CURRICULA } from "../../training/curricula/registry.ts";
import { bothChoose, type FocusChooser, type FocusOptions } from "../../training/focus/focus.ts";
import { gapChooser } from "../../training/focus/gap.ts";
import type { Continuation, JsonObject, RunConfig } from "../../training/run-config.ts";
import { namedContenders } from "../contenders.ts";
import { type Adversary, adversaryChooser } from "./adversary.ts";
import type { TrainingOptions } from "./run-training.ts";
import type { TrainingSetup } from "./training-setup.ts";

/** Names for `--override`. */
export const FOCUS_NAMES: readonly string[] = ["adversary", "focus-every"];

const DEFAULT_REFERENCE = "bbr";
const DEFAULT_ENVIRONMENTS = 96;
/** Checkpoints between two choices unless told otherwise. */
const CHECKPOINTS_PER_CHOICE = 2;

interface Asked {
  readonly options: Pick<TrainingOptions, "adversary" | "adversaryEnvironments" | "focusEvery">;
  /** the run that goes on, or whose configuration it has */
  readonly run: RunConfig | undefined;
  readonly isResumed: boolean;
  readonly continuation: Continuation;
  readonly training: TrainingSetup;
  /** names that episodes are drawn from */
  readonly scenarios: readonly string[];
  readonly checkpointEvery: number;
  readonly seed: number;
}

/**
 * @returns `focus` undefined: nothing but the distribution; `stored` for `config.json`
 * @throws CcparkError (invalid-argument) for options of a focus without one; as `namedContenders`
 */
export async function focusOf(
  asked: Asked,
): Promise<{ focus: FocusOptions | undefined; stored: JsonObject }> {
  const { options, run, isResumed, continuation, training, checkpointEvery, seed } = asked;
  const { adversary: named, adversaryEnvironments } = options;
  const before = run?.["adversary"] as Adversary | undefined;
  if (adversaryEnvironments !== undefined && named === undefined && before === undefined) {
    const message = "[train] --adversary-environments: got no --adversary, expected a search beside it";
    throw new CcparkError("invalid-argument", message);
  }
  const given: Adversary | undefined =
    named === undefined && adversaryEnvironments === undefined
      ? undefined
      : {
          reference: typeof named === "string" ? named : (before?.reference ?? DEFAULT_REFERENCE),
          environments: adversaryEnvironments ?? before?.environments ?? DEFAULT_ENVIRONMENTS,
        };
  const adversary = isResumed
    ? (continuation.choose(
        "adversary",
        given && { ...given },
        before === undefined ? null : { ...before },
      ) as Adversary | null)
    : (given ?? before ?? null);
  const choosers: FocusChooser[] = [];
  if (asked.scenarios.some((name) => CURRICULA.get(name)?.byGap === true))
    choosers.push(gapChooser(training.env, training, seed));
  if (adversary !== null) {
    const { contenders } = await namedContenders([adversary.reference], { quiet: true });
    const [reference] = contenders;
    if (reference!.reproducible === false || reference!.prepare !== undefined) {
      const message = `[train] --adversary ${adversary.reference}: expected a contender that acts in each run by itself, in this process`;
      throw new CcparkError("invalid-argument", message);
    }
    choosers.push(adversaryChooser(training.env, reference!, adversary, seed, sealedLinks()));
  }
  const stored = run?.["focusEvery"] as number | undefined;
  if (choosers.length === 0) {
    if (options.focusEvery === undefined) return { focus: undefined, stored: {} };
    const message =
      "[train] --focus-every: got neither --adversary nor --curriculum gap, expected one of them";
    throw new CcparkError("invalid-argument", message);
  }
  const every =
    isResumed && stored !== undefined
      ? continuation.choose("focus-every", options.focusEvery, stored)
      : (options.focusEvery ?? stored ?? CHECKPOINTS_PER_CHOICE * checkpointEvery);
  return {
    focus: { every, choose: bothChoose(choosers) },
    stored: { focusEvery: every, ...(adversary !== null && { adversary: { ...adversary } }) },
  };
}

/**
 * A training that is over before its first choice of links has none of what was asked for.
 * @param about.perUpdate environment steps of an update
 * @returns a sentence, or undefined: there is a choice
 */
export function noteOfNoChoice(
  { every }: Pick<FocusOptions, "every">,
  { perUpdate, totalSteps }: { readonly perUpdate: number; readonly totalSteps: number },
): string | undefined {
  const first = every * perUpdate;
  if (totalSteps > first) return undefined;
  const [needed, got] = [first, totalSteps].map((steps) => steps.toLocaleString("en"));
  return `warning: --curriculum gap and --adversary choose links for the first time after update ${every} (${needed} steps), and this training ends with ${got}: got none of them, expected more than ${needed} steps (--steps), or a smaller --focus-every\n`;
}
