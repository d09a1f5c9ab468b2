/** Spaces: boxes with inclusive bounds, each dimension with a name and a unit. */
import { CcparkError } from "../core/errors.ts";

export interface Dimension {
  readonly name: string;
  /** SI or field unit, "1" for a ratio */
  readonly unit: string;
  readonly low: number;
  readonly high: number;
  /** what it says, one sentence */
  readonly definition: string;
}

/** A box of float32 values of shape [dimensions.length]; bounds are inclusive. */
export interface Box {
  readonly shape: readonly [number];
  readonly low: Float32Array;
  readonly high: Float32Array;
  readonly dimensions: readonly Dimension[];
}

export function makeBox(dimensions: readonly Dimension[]): Box {
  return {
    shape: [dimensions.length],
    low: Float32Array.from(dimensions, (d) => d.low),
    high: Float32Array.from(dimensions, (d) => d.high),
    dimensions,
  };
}

/**
 * Refuses a value of the wrong length or one that is not finite, in every mode.
 * @throws CcparkError (invalid-argument) that names the dimension
 */
export function checkFinite(space: Box, value: ArrayLike<number>, what: string): void {
  if (value.length !== space.shape[0]) {
    throw new CcparkError(
      "invalid-argument",
      `[env] ${what} has the wrong length: got ${value.length}, expected ${space.shape[0]} (${space.dimensions.map((d) => d.name).join(", ")})`,
    );
  }
  for (let i = 0; i < value.length; i++) {
    if (!Number.isFinite(value[i])) {
      throw new CcparkError(
        "invalid-argument",
        `[env] ${what} is not finite at ${space.dimensions[i]!.name}: got ${value[i]}, expected a finite number`,
      );
    }
  }
}
