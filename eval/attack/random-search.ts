import type { Rng } from "../../core/random.ts";
import { GENES, type Genes } from "./environment.ts";
import type { SearchMethod } from "./searcher.ts";

const BATCH = 32;

export function randomGenes(rng: Rng): Genes {
  return Array.from({ length: GENES }, () => rng.next());
}

export const randomSearch: SearchMethod = {
  name: "random",
  summary: "uniform draws: what the others have to beat",
  start: (rng) => ({
    propose: () => Array.from({ length: BATCH }, () => randomGenes(rng)),
    learn() {},
  }),
};
