/**
 * Errors that a person can act on. A message reads `[part] what, where: got X, expected Y`; its kind decides the
 * exit code of the command line and the status of the gRPC service. Programmer errors use `assert` instead.
 */

/** What sort of mistake it was; one table per shell maps it to exit codes or gRPC codes. */
export type ErrorKind =
  | "invalid-argument" // the input is wrong whatever the state
  | "failed-precondition" // the input is right, the state is not (step before reset)
  | "not-found" // a name or file that does not exist
  | "already-exists"
  | "permission-denied"
  | "unavailable" // port in use, peer gone
  | "resource-exhausted"
  | "internal";

export class CcparkError extends Error {
  readonly kind: ErrorKind;
  /** path of the input that is to blame, such as `kwargs.stepMs`; absent: none, or not known */
  readonly field: string | undefined;
  constructor(kind: ErrorKind, message: string, options: { cause?: unknown; field?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CcparkError";
    this.kind = kind;
    this.field = options.field;
  }
}

/** Throws a plain Error: the program, not its user, is wrong. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** Levenshtein distance with two rows. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substitute, previous[j]! + 1, row[j - 1]! + 1));
    }
    previous = row;
  }
  return previous[b.length]!;
}

/** The known name nearest to what was typed, if it is near enough to be meant. */
export function nearestName(typed: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(typed.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(typed.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/**
 * The one error for an unknown name of any registry: says what was typed, what was probably meant, and what there is.
 * @param part the house part, such as `scenario`; @param what such as `scenario` or `algorithm`; @param field as that of `CcparkError`
 */
export function unknownName(
  part: string,
  what: string,
  typed: string,
  known: readonly string[],
  field?: string,
): CcparkError {
  const near = nearestName(typed, known);
  const hint = near === undefined ? `known: ${known.join(", ")}` : `did you mean \`${near}\`?`;
  return new CcparkError("not-found", `[${part}] unknown ${what} \`${typed}\`; ${hint}`, { field });
}

/**
 * The entry of a registry.
 * @param what also the name of the option that takes it
 * @throws CcparkError (not-found) with the nearest name
 */
export function namedEntry<T>(part: string, what: string, registry: ReadonlyMap<string, T>, name: string): T {
  const found = registry.get(name);
  if (found === undefined) throw unknownName(part, what, name, [...registry.keys()], what);
  return found;
}
