/**
 * Bayesian optimisation by a tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011): densities of good and of other
 * environments, gene by gene; candidates drawn from the good are ranked by the ratio of the two.
 */
import { exp, log } from "../../core/math.ts";
import type { Rng } from "../../core/random.ts";
import { GENES, type Genes } from "./environment.ts";
import { randomGenes } from "./random-search.ts";
import type { Scored, SearchMethod } from "./searcher.ts";

const BATCH = 16;
/** Uniform draws before there is a model. */
const FIRST = 96;
const GOOD_SHARE = 0.12;
/** More would smear the density over hills that were left long ago. */
const MAX_GOOD = 40;
const MAX_OTHERS = 400;
const CANDIDATES = 32;
const WIDTH = 0.08;
/** Of the uniform density beside the kernels. */
const PRIOR = 0.1;
const TOP = 1 - 2 ** -32;

/** The sum of uniform numbers is near enough to a normal one. */
function bell(rng: Rng): number {
  return (rng.next() + rng.next() + rng.next() + rng.next() - 2) * Math.sqrt(3);
}

function density(x: number, gene: number, of: readonly Scored[]): number {
  let sum = 0;
  for (const { genes } of of) {
    const z = (x - genes[gene]!) / WIDTH;
    sum += exp(-0.5 * z * z);
  }
  return PRIOR + ((1 - PRIOR) * (sum / of.length)) / (WIDTH * Math.sqrt(2 * Math.PI));
}

export const bayesianSearch: SearchMethod = {
  name: "bayesian",
  summary: "a tree-structured Parzen estimator: candidates by the ratio of good to other densities",
  start(rng) {
    const seen: Scored[] = [];
    const candidate = (good: readonly Scored[]): Genes => {
      const { genes } = good[rng.integer(good.length)]!;
      return genes.map((gene) =>
        rng.next() < PRIOR ? rng.next() : Math.min(TOP, Math.max(0, gene + WIDTH * bell(rng))),
      );
    };
    const best = (good: readonly Scored[], others: readonly Scored[]): Genes => {
      let chosen: Genes | undefined;
      let highest = Number.NEGATIVE_INFINITY;
      for (let i = 0; i < CANDIDATES; i++) {
        const genes = candidate(good);
        let worth = 0;
        for (let gene = 0; gene < GENES; gene++) {
          worth += log(density(genes[gene]!, gene, good)) - log(density(genes[gene]!, gene, others));
        }
        if (worth > highest) [chosen, highest] = [genes, worth];
      }
      return chosen!;
    };
    return {
      propose() {
        if (seen.length < FIRST) return Array.from({ length: BATCH }, () => randomGenes(rng));
        const ranked = [...seen].sort((a, b) => b.gap - a.gap);
        const count = Math.min(MAX_GOOD, Math.ceil(GOOD_SHARE * ranked.length));
        const others = ranked.slice(count);
        const every = Math.ceil(others.length / MAX_OTHERS);
        const thinned = others.filter((_, i) => i % every === 0);
        return Array.from({ length: BATCH }, () => best(ranked.slice(0, count), thinned));
      },
      learn(batch) {
        seen.push(...batch);
      },
    };
  },
};
