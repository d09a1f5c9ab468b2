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

/** Longest message: it may repeat what somebody sent, and travels in headers. */
const MAX_MESSAGE_LENGTH = 4_000;
/** Longest path of a field. */
const MAX_FIELD_LENGTH = 300;
/** Longest name that a message repeats, and that another is looked for near to. */
const MAX_NAME_LENGTH = 80;

/** The first `most` characters, with a mark where there are more. */
export function clipped(text: string, most: number = MAX_NAME_LENGTH): string {
  return text.length <= most ? text : `${text.slice(0, most).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** Control characters but for line ends and tabs, and those that turn the direction of text. */
const UNPRINTABLE = /(?![\n\t])[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

/** Text that a terminal shows instead of obeying it: `\\x1b[31m` stands for the escape sequence. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
}

/** A value in JSON for messages, shortened without looking at more of it than is shown. */
export function showValue(value: unknown, most: number = MAX_NAME_LENGTH): string {
  let text = "";
  const write = (at: unknown): void => {
    if (text.length > most) return;
    if (typeof at === "string") text += JSON.stringify(at.length > most ? at.slice(0, most + 1) : at);
    else if (Array.isArray(at)) {
      text += "[";
      for (let i = 0; i < at.length && text.length <= most; i++) {
        if (i > 0) text += ",";
        write(at[i]);
      }
      text += "]";
    } else if (at !== null && typeof at === "object") {
      let isFirst = true;
      text += "{";
      for (const [key, entry] of Object.entries(at)) {
        if (text.length > most) break;
        text += `${isFirst ? "" : ","}${JSON.stringify(key.slice(0, most + 1))}:`;
        isFirst = false;
        write(entry);
      }
      text += "}";
    } else text += typeof at === "number" ? String(at) : (JSON.stringify(at) ?? String(at));
  };
  write(value);
  return printable(clipped(text, most));
}

export class CcparkError extends Error {
  readonly kind: ErrorKind;
  /** path of the input that is to blame, such as `kwargs.stepMs`; absent: none, or not known */
  readonly field: string | undefined;
  /** as of Node's own errors, such as `ECONNREFUSED`; absent: the system has none for it */
  readonly code: string | undefined;
  constructor(
    kind: ErrorKind,
    message: string,
    options: { cause?: unknown; field?: string | undefined; code?: string | undefined } = {},
  ) {
    super(
      printable(clipped(message, MAX_MESSAGE_LENGTH)),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "CcparkError";
    this.kind = kind;
    this.code = options.code;
    this.field = options.field === undefined ? undefined : clipped(options.field, MAX_FIELD_LENGTH);
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

/** Less than these characters begin too many names. */
const MIN_BEGINNING = 3;

/** The shortest name that goes on where the typed one ends: what was left out is mostly a unit. */
function begunName(typed: string, known: readonly string[]): string | undefined {
  if (typed.length < MIN_BEGINNING) return undefined;
  const start = typed.toLowerCase();
  const begun = known.filter((name) => name.toLowerCase().startsWith(start));
  return begun.reduce<string | undefined>(
    (best, name) => (best === undefined || name.length < best.length ? name : best),
    undefined,
  );
}

/** The known name nearest to what was typed, if it is near enough to be meant: one that begins so, or that is spelt nearly so. */
export function nearestName(typed: string, names: Iterable<string>): string | undefined {
  if (typed.length > MAX_NAME_LENGTH) return undefined;
  const known = [...names];
  let best = begunName(typed, known);
  if (best !== undefined) return best;
  // one letter at least is right
  let bestDistance = Math.min(typed.length, Math.max(2, Math.floor(typed.length / 3)) + 1);
  for (const name of known) {
    if (Math.abs(name.length - typed.length) >= bestDistance) continue;
    const distance = editDistance(typed.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** More names than these are not read: the nearest of them stand for all. */
const MAX_LISTED_NAMES = 40;
const NEAREST_NAMES = 6;

function knownText(typed: string, names: readonly string[], listedBy: string | undefined): string {
  const known = [...new Set(names)];
  if (known.length === 0) return "there are none";
  if (known.length <= MAX_LISTED_NAMES) return `known: ${known.join(", ")}`;
  const start = clipped(typed).toLowerCase();
  const distances = known.map((name) => [name, editDistance(start, name.toLowerCase())] as const);
  const nearest = distances.sort(([, a], [, b]) => a - b).slice(0, NEAREST_NAMES);
  const all = listedBy === undefined ? "" : `; \`${listedBy}\` lists all`;
  return `nearest of ${known.length}: ${nearest.map(([name]) => name).join(", ")}${all}`;
}

/** Somebody typed a name that what he typed it for does not have; a shell may know what else has it. */
export class UnknownName extends CcparkError {
  /** such as `scenario` or `algorithm` */
  readonly what: string;
  readonly typed: string;
  constructor(what: string, typed: string, message: string, field?: string) {
    super("not-found", message, { field });
    this.what = what;
    this.typed = typed;
  }
}

/**
 * The one error for an unknown name of any registry: says what was typed, what was probably meant, and what there is.
 * @param part the house part, such as `scenario`; @param what such as `scenario` or `algorithm`; @param field as that of `CcparkError`
 * @param listedBy the command that lists the names
 */
export function unknownName(
  part: string,
  what: string,
  typed: string,
  known: readonly string[],
  field?: string,
  listedBy?: string,
): UnknownName {
  const near = nearestName(typed, known);
  const hint = near === undefined ? knownText(typed, known, listedBy) : `did you mean \`${near}\`?`;
  return new UnknownName(what, typed, `[${part}] unknown ${what} \`${clipped(typed)}\`; ${hint}`, field);
}

/**
 * The entry of a registry.
 * @param what also the name of the option that takes it
 * @throws CcparkError (not-found) with the nearest name
 */
export function namedEntry<T>(
  part: string,
  what: string,
  registry: ReadonlyMap<string, T>,
  name: string,
  listedBy?: string,
): T {
  const found = registry.get(name);
  if (found === undefined) throw unknownName(part, what, name, [...registry.keys()], what, listedBy);
  return found;
}

/** Mistakes beyond these are counted: one that is made in each of a hundred features is one to mend. */
const MAX_TOLD = 6;

/** Fields that are wrong, told all at once: who mends one learns of the next without another run. */
export class Mistakes {
  readonly #head: string;
  readonly #told: string[] = [];

  constructor(what: string, where: string) {
    this.#head = `[${what}] ${where}`;
  }

  add(field: string, expected: string): void {
    this.#told.push(`${field}: expected ${expected}`);
  }

  /** @throws CcparkError (invalid-argument) that names each field */
  tell(): void {
    if (this.#told.length === 0) return;
    const more = this.#told.length - MAX_TOLD;
    const told = this.#told.slice(0, MAX_TOLD).join("; ");
    throw new CcparkError(
      "invalid-argument",
      `${this.#head}: ${told}${more > 0 ? `; and ${more} more` : ""}`,
    );
  }

  /** @throws CcparkError (invalid-argument) for what has no fields */
  expectObject<T>(input: unknown, expected: string): Partial<Record<keyof T, unknown>> {
    if (typeof input !== "object" || input === null) {
      this.add("default export", expected);
      this.tell();
    }
    return input as Partial<Record<keyof T, unknown>>;
  }
}
