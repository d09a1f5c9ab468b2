import { fraction } from "../schema/ranges.ts";
import { complain, fields, withRule } from "../schema/shapes.ts";
import type { Impairment } from "./impairment.ts";

/** Two-state loss (Gilbert 1960, Elliott 1963): transitions per packet, then loss by state. */
export interface GilbertElliottSpec {
  readonly goodToBad: number;
  readonly badToGood: number;
  readonly lossInGood?: number;
  readonly lossInBad?: number;
}

export const GILBERT_ELLIOTT: Impairment = {
  schema: withRule<GilbertElliottSpec>(
    fields<GilbertElliottSpec>({
      goodToBad: fraction,
      badToGood: fraction,
      lossInGood: fraction.optional(),
      lossInBad: fraction.optional(),
    }),
    ({ goodToBad, badToGood }, complaints) => {
      if (badToGood === 0 && goodToBad > 0)
        complain(complaints, ["badToGood"], "> 0, or the bad state never ends");
    },
  ).optional(),
  label: "bursts of loss",
};
