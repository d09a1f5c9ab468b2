/** Spaces: boxes with inclusive bounds, each dimension with a name and a unit, and choices, each with a name. */
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
  readonly kind: "box";
  readonly shape: readonly [number];
  readonly low: Float32Array;
  readonly high: Float32Array;
  readonly dimensions: readonly Dimension[];
}

export interface Choice {
  readonly name: string;
  /** what it does, one sentence */
  readonly definition: string;
}

/**
 * One of n choices, a whole number from 0 to n - 1. In arrays of actions it is one float32 like any other, so rows of both
 * kinds are stepped in the same way.
 */
export interface Discrete {
  readonly kind: "discrete";
  /** numbers per value */
  readonly shape: readonly [1];
  readonly n: number;
  /** [n] */
  readonly choices: readonly Choice[];
}

/** What an agent may do; observations are boxes. */
export type Space = Box | Discrete;

export function makeBox(dimensions: readonly Dimension[]): Box {
  return {
    kind: "box",
    shape: [dimensions.length],
    low: Float32Array.from(dimensions, (d) => d.low),
    high: Float32Array.from(dimensions, (d) => d.high),
    dimensions,
  };
}

/** Far more than anybody can name; every float32 up to 2^24 is whole. */
const MAX_CHOICES = 65_536;

/** @param choices at least 1, at most 65 536 */
export function makeDiscrete(choices: readonly Choice[]): Discrete {
  if (choices.length < 1 || choices.length > MAX_CHOICES) {
    throw new CcparkError(
      "invalid-argument",
      `[env] wrong number of choices: got ${choices.length}, expected 1 to ${MAX_CHOICES}`,
    );
  }
  return { kind: "discrete", shape: [1], n: choices.length, choices };
}

/** Inclusive bounds of each number of a value, float32 [shape[0]]. */
export function boundsOf(space: Space): { readonly low: Float32Array; readonly high: Float32Array } {
  if (space.kind === "box") return space;
  return { low: Float32Array.of(0), high: Float32Array.of(space.n - 1) };
}

/** Names of the numbers of a value: of the dimensions, or `choice`. */
export function numberNames(space: Space): readonly string[] {
  return space.kind === "box" ? space.dimensions.map((d) => d.name) : ["choice"];
}

/**
 * Refuses a value of the wrong length or one that is not finite, in every mode.
 * @throws CcparkError (invalid-argument) that names the dimension
 */
export function checkFinite(space: Space, value: ArrayLike<number>, what: string): void {
  if (value.length !== space.shape[0]) {
    throw new CcparkError(
      "invalid-argument",
      `[env] ${what} has the wrong length: got ${value.length}, expected ${space.shape[0]} (${numberNames(space).join(", ")})`,
    );
  }
  for (let i = 0; i < value.length; i++) {
    if (!Number.isFinite(value[i])) {
      throw new CcparkError(
        "invalid-argument",
        `[env] ${what} is not finite at ${numberNames(space)[i]!}: got ${value[i]}, expected a finite number`,
      );
    }
  }
}

/** Whether a number is one of the choices. */
export function isChoice({ n }: Discrete, value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < n;
}

/** For a finite number that is none of the choices. */
export function noChoice({ n, choices }: Discrete, value: number, what: string): CcparkError {
  return new CcparkError(
    "invalid-argument",
    `[env] ${what} is none of the choices: got ${value}, expected a whole number, 0 (${choices[0]!.name}) to ${n - 1} (${choices.at(-1)!.name})`,
  );
}
