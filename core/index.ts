/** Errors, units and the seeded generator. */
export { CcparkError, type ErrorKind } from "./errors.ts";
export { Rng } from "./random.ts";
export * from "./units.ts";
