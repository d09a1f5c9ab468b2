/** What schemas of scenarios are built of: objects without unknown fields, objects told apart by `kind`, rules between fields. */
import * as z from "zod";
import { nearestName } from "../../core/errors.ts";

export type Schema = z.ZodType;
/** Takes what a rule between fields complains about. */
export type Complaints = z.core.$RefinementCtx;
/** One schema per field; every field of the type must be there. */
export type Shape<T> = { readonly [F in keyof T]-?: Schema };

interface Kinded {
  readonly kind: string;
}

/** One kind of a thing: what it holds beside `kind`. */
export interface Kind<Spec extends Kinded> {
  readonly fields: Shape<Omit<Spec, "kind">>;
  /** says by `complain` what does not hold between fields that are right by themselves */
  readonly check?: (spec: Spec, complaints: Complaints) => void;
}

/** Every kind of a thing by its name. */
export type Kinds<Spec extends Kinded> = {
  readonly [K in Spec["kind"]]: Kind<Extract<Spec, { readonly kind: K }>>;
};

/** Names that a message lists. */
const MAX_LISTED = 30;

export function quoted(names: readonly string[]): string {
  const listed = names.slice(0, MAX_LISTED).map((name) => JSON.stringify(name));
  return listed.join(", ") + (names.length > listed.length ? ", …" : "");
}

/** `Packets` is the longest word that carries a unit. */
const MAX_UNIT_LENGTH = 12;

function noSuchField(typed: string, known: readonly string[], elsewhere: readonly Elsewhere[]): string {
  // what `--set link.rateMbps=24` calls so is not one field of a file
  if (/^link(\.|$)/.test(typed) && known.includes("forward")) {
    return "no such field; in a file the link is `forward`, such as `forward: { rate: { kind: constant, mbps: 24 } }`, beside `rttMs`";
  }
  // `rateMbs` means `mbps`: the last word carries the unit
  const unit = /[A-Z][a-z]*$/.exec(typed.slice(-MAX_UNIT_LENGTH))?.[0] ?? typed;
  for (const name of [typed, unit.toLowerCase()]) {
    for (const { path, fields: others } of elsewhere) {
      const there = others.find((field) => field.toLowerCase() === name.toLowerCase());
      if (there !== undefined) return `no such field; did you mean \`${path}.${there}\`?`;
    }
  }
  const near = nearestName(typed, known) ?? nearestName(unit, known);
  return near === undefined
    ? `no such field; known: ${known.join(", ")}`
    : `no such field; did you mean \`${near}\`?`;
}

/** Fields of something inside, which may be asked for a level or two too high. */
export interface Elsewhere {
  readonly path: string;
  readonly fields: readonly string[];
}

/**
 * An object with these fields only.
 * @param elsewhere for the message about another one @param written fields that stand for some of these where people write them
 */
export function fields<T>(
  shape: Shape<T>,
  elsewhere: readonly Elsewhere[] = [],
  written: readonly string[] = [],
): z.ZodObject {
  const known = [...Object.keys(shape), ...written];
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? noSuchField(issue.keys[0] ?? "", known, elsewhere) : undefined,
  });
}

/**
 * A rule between fields. It sees only a value whose fields are right by themselves: zod calls a refinement also after some
 * mistakes inside (a list that is too short), where a rule would look for what is not there.
 */
export function withRule<T>(schema: Schema, rule: (value: T, complaints: Complaints) => void): Schema {
  return schema.superRefine((value, complaints) => {
    if (complaints.issues.length === 0) rule(value as T, complaints);
  });
}

/** One of several objects, told apart by `kind`; messages name the kinds in the table's order. */
export function byKind<Spec extends Kinded>(kinds: Kinds<Spec>): Schema {
  const table = kinds as unknown as Readonly<Record<string, Kind<Kinded>>>;
  const options = Object.entries(table).map(([kind, each]) =>
    fields({ kind: z.literal(kind), ...each.fields }),
  );
  const union = z.discriminatedUnion("kind", options as [z.ZodObject, ...z.ZodObject[]], {
    error: (issue) => (issue.code === "invalid_union" ? `one of ${quoted(Object.keys(table))}` : undefined),
  });
  return withRule<Kinded>(union, (spec, complaints) => {
    table[spec.kind]?.check?.(spec, complaints);
  });
}

/** Says at `path` below the value what was expected. */
export function complain(complaints: Complaints, path: (string | number)[], message: string): void {
  complaints.addIssue({ code: "custom", path, message });
}

/** The second field must be more than the first, where both are there. */
export function increasing(schema: Schema, low: string, high: string): Schema {
  return withRule<Record<string, number | undefined>>(schema, ({ [low]: a, [high]: b }, complaints) => {
    if (a !== undefined && b !== undefined && b <= a) complain(complaints, [high], `> ${a} (${low})`);
  });
}
