/** A chunnel that does nothing: what one more layer costs is measured with it. */
import type { ChunnelSpec } from "../stack/spec.ts";
import { Through } from "../stack/through.ts";

class Nothing extends Through {}

export type NothingSpec = ChunnelSpec<"same", "same", never, never>;

/** Nothing. */
export function nothing(): NothingSpec {
  return {
    name: "nothing",
    up: "same",
    down: "same",
    needs: [],
    gives: [],
    options: {},
    make: () => new Nothing(),
  };
}
