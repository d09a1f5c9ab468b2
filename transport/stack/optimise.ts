/**
 * Passes that rewrite stacks, as pattern and replacement (Bertha's optimisations). One is applied only where the result takes
 * the same data and vouches for at least the same; those that change what goes over the wire must be applied at both ends.
 */
import type { EncryptSpec } from "../chunnels/framing/encrypt.ts";
import { privateUnlessLocal } from "../chunnels/routing/private-unless-local.ts";
import { type ChunnelSpec, checkStack } from "./spec.ts";

export interface Pass {
  readonly name: string;
  readonly summary: string;
  /** names of chunnels that follow each other */
  readonly pattern: readonly string[];
  readonly changesWire: boolean;
  replacement(matched: readonly ChunnelSpec[]): readonly ChunnelSpec[];
}

/** Order: as they are tried, each until it applies no more. */
export const PASSES: readonly Pass[] = [
  {
    name: "drop-nothing",
    summary: "a chunnel that does nothing costs a call per message",
    pattern: ["nothing"],
    changesWire: false,
    replacement: () => [],
  },
  {
    name: "drop-double-compression",
    summary: "what is compressed gets no shorter",
    pattern: ["compress", "compress"],
    changesWire: true,
    replacement: ([, lower]) => [lower!],
  },
  {
    name: "drop-once-above-order",
    summary: "what comes in order comes once",
    pattern: ["once", "order"],
    changesWire: true,
    replacement: ([, lower]) => [lower!],
  },
  {
    name: "fuse-private-local",
    summary: "what stays inside this host is not encrypted",
    pattern: ["encrypt", "local"],
    changesWire: true,
    replacement: ([upper]) => [privateUnlessLocal(upper as EncryptSpec)],
  },
];

export interface Optimised {
  readonly stack: readonly ChunnelSpec[];
  /** names of passes, in the order in which they were applied */
  readonly applied: readonly string[];
}

function vouchesForTheSame(before: readonly ChunnelSpec[], after: readonly ChunnelSpec[]): boolean {
  const [old, now] = [checkStack(before), checkStack(after)];
  return old.kind === now.kind && [...old.labels].every((label) => now.labels.has(label));
}

function applyOnce(
  specs: readonly ChunnelSpec[],
  { pattern, replacement }: Pass,
): readonly ChunnelSpec[] | undefined {
  for (let i = 0; i + pattern.length <= specs.length; i++) {
    if (!pattern.every((name, k) => specs[i + k]!.name === name)) continue;
    const end = i + pattern.length;
    const after = [...specs.slice(0, i), ...replacement(specs.slice(i, end)), ...specs.slice(end)];
    if (vouchesForTheSame(specs, after)) return after;
  }
  return undefined;
}

/** @throws CcparkError (invalid-argument) if the stack does not fit before */
export function optimise(specs: readonly ChunnelSpec[], passes: readonly Pass[] = PASSES): Optimised {
  let stack = specs;
  const applied: string[] = [];
  for (const pass of passes) {
    for (let next = applyOnce(stack, pass); next !== undefined; next = applyOnce(stack, pass)) {
      stack = next;
      applied.push(pass.name);
    }
  }
  return { stack, applied };
}
