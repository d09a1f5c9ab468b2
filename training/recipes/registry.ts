/** Recipes by name. A new one is a file beside this and a line here. */
import { namedEntry } from "../../core/errors.ts";
import { ASTRAEA } from "./astraea.ts";
import { AURORA } from "./aurora.ts";
import { GENERAL } from "./general.ts";
import { INDIGO } from "./indigo.ts";
import { ORCA } from "./orca.ts";
import { PARK } from "./park.ts";
import { QUICKSTART } from "./quickstart.ts";
import type { Recipe } from "./recipe.ts";

export const RECIPES: ReadonlyMap<string, Recipe> = new Map(
  [GENERAL, QUICKSTART, PARK, AURORA, ORCA, INDIGO, ASTRAEA].map((recipe) => [recipe.name, recipe]),
);

/** @throws CcparkError (not-found) with the nearest name */
export function getRecipe(name: string): Recipe {
  return namedEntry("train", "recipe", RECIPES, name);
}
