/**
 * A genetic search: the best half of all that lived breeds by tournament, uniform crossover and mutation; a share of each
 * generation is drawn anew, so that it does not settle on the first hill.
 */
import type { Rng } from "../../core/random.ts";
import { GENES, type Genes } from "./environment.ts";
import { randomGenes } from "./random-search.ts";
import type { Scored, SearchMethod } from "./searcher.ts";

const GENERATION = 32;
/** Parents that are kept. */
const POPULATION = 64;
const TOURNAMENT = 3;
const FRESH_SHARE = 0.15;
const MUTATION_RATE = 2 / GENES;
/** Half the width of a small mutation; others draw the gene anew. */
const STEP = 0.1;
const LARGE_SHARE = 0.3;
/** Genes stay below 1. */
const TOP = 1 - 2 ** -32;

function mutated(gene: number, rng: Rng): number {
  if (rng.next() < LARGE_SHARE) return rng.next();
  return Math.min(TOP, Math.max(0, gene + rng.uniform(-STEP, STEP)));
}

export const geneticSearch: SearchMethod = {
  name: "genetic",
  summary: "tournaments, uniform crossover and mutation over the best environments so far",
  start(rng) {
    let population: Scored[] = [];
    const parent = (): Genes => {
      let best = population[rng.integer(population.length)]!;
      for (let i = 1; i < TOURNAMENT; i++) {
        const other = population[rng.integer(population.length)]!;
        if (other.gap > best.gap) best = other;
      }
      return best.genes;
    };
    const child = (): Genes => {
      const [mother, father] = [parent(), parent()];
      return mother.map((gene, i) => {
        const inherited = rng.next() < 0.5 ? gene : father[i]!;
        return rng.next() < MUTATION_RATE ? mutated(inherited, rng) : inherited;
      });
    };
    return {
      propose: () =>
        Array.from({ length: GENERATION }, () =>
          population.length < GENERATION || rng.next() < FRESH_SHARE ? randomGenes(rng) : child(),
        ),
      learn(batch) {
        // a stable sort: of equals the older stays
        population = [...population, ...batch].sort((a, b) => b.gap - a.gap).slice(0, POPULATION);
      },
    };
  },
};
