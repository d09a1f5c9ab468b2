/** The search itself: proposes, evaluates, learns, and makes short what it found. Who evaluates is the caller's. */
import { Rng } from "../../core/random.ts";
import type { ScenarioInput } from "../../scenarios/template.ts";
import { type AttackEnvironment, complexityOf, environmentOf, scenarioOf } from "./environment.ts";
import { findSearchMethod } from "./searcher.ts";
import { simplify } from "./simplify.ts";
import type { Duel } from "./utility.ts";

/** Evaluates environments, in their order; how many at once does not matter. */
export type Evaluate = (scenarios: readonly ScenarioInput[]) => Promise<readonly Duel[]>;

export interface AttackOptions {
  readonly target: string;
  readonly reference: string;
  readonly method: string;
  readonly seed: number;
  /** environments that are tried, those of the simplification not counted */
  readonly environments: number;
  readonly durationSec: number;
}

export interface AttackHooks {
  /** after each batch */
  readonly onProgress?: (tried: number, bestGap: number) => void;
  /** true: the search ends with the batch at hand */
  readonly isOver?: () => boolean;
  /** environments that are evaluated at the same time; the result is the same; absent: 1 */
  readonly atOnce?: number;
}

export interface Found {
  readonly scenario: ScenarioInput;
  readonly duel: Duel;
  readonly complexity: number;
}

export interface AttackResult {
  readonly target: string;
  readonly reference: string;
  readonly method: string;
  readonly seed: number;
  readonly tried: number;
  /** the largest gap so far, where it grew */
  readonly progress: readonly { readonly tried: number; readonly gap: number }[];
  /** as the search found it */
  readonly found: Found;
  /** what is left of it */
  readonly simplified: Found;
  readonly simplificationTried: number;
}

/** `a-vs-b-seed-1`: a file's name too. */
export function attackName({
  target,
  reference,
  seed,
}: Pick<AttackOptions, "target" | "reference" | "seed">): string {
  const plain = (name: string): string => name.replace(/[^A-Za-z0-9._=-]+/g, "-");
  return `${plain(target)}-against-${plain(reference)}-seed-${seed}`;
}

export async function attack(
  { target, reference, method, seed, environments, durationSec }: AttackOptions,
  evaluate: Evaluate,
  { onProgress, isOver = () => false, atOnce = 1 }: AttackHooks = {},
): Promise<AttackResult> {
  const searcher = findSearchMethod(method).start(Rng.fromSeed(seed).fork(`attack.${method}`));
  const name = attackName({ target, reference, seed });
  const asScenario = (environment: AttackEnvironment): ScenarioInput =>
    scenarioOf(
      environment,
      name,
      `made against ${target}: by AdvNet's utility ${reference} does better here`,
    );
  const progress: { tried: number; gap: number }[] = [];
  let best: { environment: AttackEnvironment; duel: Duel } | undefined;
  let tried = 0;
  while (tried < environments && !(tried > 0 && isOver())) {
    const batch = searcher.propose().slice(0, environments - tried);
    const worlds = batch.map((genes) => environmentOf(genes, durationSec));
    const duels = await evaluate(worlds.map(asScenario));
    searcher.learn(batch.map((genes, i) => ({ genes, gap: duels[i]!.gap })));
    for (const [i, duel] of duels.entries()) {
      tried++;
      if (best !== undefined && duel.gap <= best.duel.gap) continue;
      best = { environment: worlds[i]!, duel };
      progress.push({ tried, gap: duel.gap });
    }
    onProgress?.(tried, best!.duel.gap);
  }
  const { environment, duel } = best!;
  const foundOf = (its: AttackEnvironment, duelOfIts: Duel): Found => ({
    scenario: asScenario(its),
    duel: duelOfIts,
    complexity: complexityOf(its),
  });
  const known = new Map<AttackEnvironment, Duel>([[environment, duel]]);
  const gapsOf = async (some: readonly AttackEnvironment[]): Promise<number[]> => {
    const their = await evaluate(some.map(asScenario));
    for (const [i, its] of some.entries()) known.set(its, their[i]!);
    return their.map(({ gap }) => gap);
  };
  const simple = await simplify(environment, duel.gap, gapsOf, atOnce);
  return {
    target,
    reference,
    method,
    seed,
    tried,
    progress,
    found: foundOf(environment, duel),
    simplified: foundOf(simple.environment, known.get(simple.environment)!),
    simplificationTried: simple.evaluated,
  };
}
