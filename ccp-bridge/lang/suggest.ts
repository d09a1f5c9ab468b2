/** What a name that nobody declared was probably meant to be. */
import { nearestName } from "../../core/errors.ts";

const MAX_CHARACTERS = 100;

/** A known name that is spelt nearly so, or the only one that `name` ends or, with a dot, begins; undefined if none. */
export function suggestName(name: string, known: readonly string[]): string | undefined {
  const folded = name.toLowerCase();
  const same = known.find((one) => one.toLowerCase() === folded);
  if (same !== undefined) return same;
  // Any two short names are near each other by letters; a very long one is near none, and takes long to compare.
  if (name.length <= 2 || name.length > MAX_CHARACTERS) return undefined;
  const near = nearestName(name, known);
  if (near !== undefined) return near;
  const tail = `.${folded}`;
  return only(known.filter((one) => one.toLowerCase().endsWith(tail))) ?? only(startingWith(folded, known));
}

/** The one name there is, or none. */
function only(names: readonly string[]): string | undefined {
  return names.length === 1 ? names[0] : undefined;
}

function startingWith(start: string, known: readonly string[]): string[] {
  return start.includes(".") ? known.filter((one) => one.toLowerCase().startsWith(start)) : [];
}
