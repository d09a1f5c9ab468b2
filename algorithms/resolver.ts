/** Algorithms that need no agent, by name. */
import type { CongestionControlFactory } from "../ccp-bridge/congestion-control.ts";
import { unknownName } from "../core/errors.ts";
import { cubic } from "./native/cubic.ts";
import { dctcp } from "./native/dctcp.ts";
import { reno } from "./native/reno.ts";

/** An algorithm of cross traffic by its name. */
export type AlgorithmResolver = (name: string) => CongestionControlFactory;

/** What needs no agent: enough for cross traffic where the caller gives no other resolver. */
export const NATIVE_ALGORITHMS: ReadonlyMap<string, CongestionControlFactory> = new Map([
  ["reno", reno],
  ["cubic", cubic],
  ["dctcp", dctcp],
]);

/** @throws CcparkError (not-found) for a name other than reno, cubic and dctcp */
export const nativeAlgorithm: AlgorithmResolver = (name) => {
  const found = NATIVE_ALGORITHMS.get(name);
  if (found === undefined)
    throw unknownName("scenario", "native algorithm", name, [...NATIVE_ALGORITHMS.keys()]);
  return found;
};
