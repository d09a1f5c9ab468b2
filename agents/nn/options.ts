/** Hyperparameters as data: each learner states the kinds and ranges of its options once, and this checks what is given. */
import { CcparkError, unknownName } from "../../core/errors.ts";

/** Bounds are inclusive. */
export type OptionKind = (
  | { readonly kind: "real" | "whole"; readonly low: number; readonly high: number }
  | { readonly kind: "flag" }
  /** widths of layers: whole numbers, 1 to 4096 each */
  | { readonly kind: "widths" }
  | { readonly kind: "choice"; readonly of: readonly string[] }
) & {
  /** one sentence or two, for users */
  readonly definition: string;
};

export type OptionValue = number | string | boolean | readonly number[];

/** Options of any learner, by name. */
export type OptionValues = Readonly<Record<string, OptionValue>>;

export const real = (low: number, high: number, definition: string): OptionKind => ({
  kind: "real",
  low,
  high,
  definition,
});
export const whole = (low: number, high: number, definition: string): OptionKind => ({
  kind: "whole",
  low,
  high,
  definition,
});
export const flag = (definition: string): OptionKind => ({ kind: "flag", definition });
export const widths = (definition: string): OptionKind => ({ kind: "widths", definition });
export const choice = (of: readonly string[], definition: string): OptionKind => ({
  kind: "choice",
  of,
  definition,
});

const MAX_WIDTH = 4096;

/** The values that an option may have, in words. */
export function valuesOfKind(kind: OptionKind): string {
  switch (kind.kind) {
    case "real":
    case "whole":
      return `a ${kind.kind} number, ${kind.low} to ${kind.high}`;
    case "flag":
      return "true or false";
    case "widths":
      return `a list of whole numbers, 1 to ${MAX_WIDTH} each`;
    case "choice":
      return kind.of.join(", ");
  }
}

function fits(kind: OptionKind, value: unknown): boolean {
  switch (kind.kind) {
    case "real":
      return typeof value === "number" && value >= kind.low && value <= kind.high;
    case "whole":
      return Number.isInteger(value) && (value as number) >= kind.low && (value as number) <= kind.high;
    case "flag":
      return typeof value === "boolean";
    case "widths":
      return Array.isArray(value) && value.every((w) => Number.isInteger(w) && w >= 1 && w <= MAX_WIDTH);
    case "choice":
      return typeof value === "string" && kind.of.includes(value);
  }
}

/** No more of a value than a sentence bears. */
function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

/**
 * Fills in defaults and checks. Only own properties count, so that `constructor` is as unknown as any other name.
 * @param part the learner's name, for messages
 * @param given undefined values are as good as absent
 * @throws CcparkError: not-found for an unknown option or choice, invalid-argument for a value out of its range
 */
export function readOptions<Options extends object>(
  part: string,
  kinds: { readonly [Name in keyof Options]: OptionKind },
  defaults: Options,
  given: Readonly<Record<string, unknown>>,
): Options {
  const options: Options = { ...defaults };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(kinds, name)) throw unknownName(part, "option", name, Object.keys(kinds));
    if (value === undefined) continue;
    const kind = kinds[name as keyof Options];
    if (!fits(kind, value)) {
      if (kind.kind === "choice")
        throw unknownName(part, name, typeof value === "string" ? value : shown(value), kind.of);
      throw new CcparkError(
        "invalid-argument",
        `[${part}] option \`${name}\`: got ${shown(value)}, expected ${valuesOfKind(kind)}`,
      );
    }
    Object.assign(options, { [name]: value });
  }
  return options;
}
