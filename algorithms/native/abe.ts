/**
 * Alternative backoff with ECN (RFC 8511): a mark tells of a short queue early, where a loss tells of a full buffer, so it takes
 * less of the window. For the whole of Reno and Cubic, in the datapath and over CCP.
 */
import type { AlgorithmParam, ParamValues } from "../spec.ts";

/** RFC 8511 section 4.1 for Reno's halving. */
export const RENO_ABE_BETA = 0.8;
/** RFC 8511 section 4.1 for Cubic's 0.7. */
export const CUBIC_ABE_BETA = 0.85;

export function abeParam(beta: number): AlgorithmParam {
  return {
    name: "abe",
    unit: "1",
    low: 0,
    high: 1,
    default: 0,
    whole: true,
    why: `1: an ECN mark leaves ${beta} of the window, a loss less (RFC 8511), and over CCP packets ask for marks; 0: a mark is as a loss`,
  };
}

export function hasAbe(params: ParamValues): boolean {
  return params["abe"] === 1;
}
