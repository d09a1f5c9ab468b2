/** Policies where an algorithm is named. Learners and networks are loaded by `policies.ts`, not here: most commands name none. */

/** The words before a file: what benchmarks say, and what says more where algorithms are meant. */
const FILE_PREFIXES = ["agent:", "checkpoint:"];

/**
 * `zoo:NAME` of a policy that comes with ccpark, `agent:FILE` or `checkpoint:FILE` of another.
 * @returns what `checkpointAlgorithm` takes; undefined: the reference is none of these
 */
export function policyPath(reference: string): string | undefined {
  if (reference.startsWith("zoo:")) return reference;
  const prefix = FILE_PREFIXES.find((each) => reference.startsWith(each));
  return prefix === undefined ? undefined : reference.slice(prefix.length);
}
