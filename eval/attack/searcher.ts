/** Ways to search: each proposes genes, hears what they were worth, and proposes again. */
import { unknownName } from "../../core/errors.ts";
import type { Rng } from "../../core/random.ts";
import { bayesianSearch } from "./bayesian-search.ts";
import type { Genes } from "./environment.ts";
import { geneticSearch } from "./genetic-search.ts";
import { randomSearch } from "./random-search.ts";

export interface Scored {
  readonly genes: Genes;
  readonly gap: number;
}

/** The same generator and the same worths give the same proposals. */
export interface Searcher {
  /** a batch, whose members may be evaluated in any order */
  propose(): Genes[];
  /** What the batch was worth, in its order. */
  learn(batch: readonly Scored[]): void;
}

export interface SearchMethod {
  readonly name: string;
  readonly summary: string;
  start(rng: Rng): Searcher;
}

export const SEARCH_METHODS: readonly SearchMethod[] = [geneticSearch, randomSearch, bayesianSearch];
export const SEARCH_METHOD_NAMES: readonly string[] = SEARCH_METHODS.map(({ name }) => name);

/** @throws CcparkError not-found */
export function findSearchMethod(name: string): SearchMethod {
  const found = SEARCH_METHODS.find((method) => method.name === name);
  if (found === undefined) throw unknownName("attack", "method", name, SEARCH_METHOD_NAMES);
  return found;
}
