/**
 * The words of the datapath language. Keywords and operators are prefixes, not words: `(addx 1)` is x + 1, as in
 * Portus. The order of the operators matters: the first that matches wins.
 */

export type Operator =
  | "add"
  | "and"
  | "bind"
  | "if"
  | "div"
  | "equiv"
  | "ewma"
  | "gt"
  | "lt"
  | "maxwrap"
  | "max"
  | "min"
  | "mul"
  | "or"
  | "notif"
  | "sub";

/** Spellings in the order in which they are tried. */
export const OPERATOR_SPELLINGS: readonly (readonly [spelling: string, operator: Operator])[] = [
  ["+", "add"],
  ["add", "add"],
  ["&&", "and"],
  ["and", "and"],
  [":=", "bind"],
  ["bind", "bind"],
  ["if", "if"],
  ["/", "div"],
  ["div", "div"],
  ["==", "equiv"],
  ["eq", "equiv"],
  ["ewma", "ewma"],
  [">", "gt"],
  ["gt", "gt"],
  ["<", "lt"],
  ["lt", "lt"],
  ["wrapped_max", "maxwrap"],
  ["max", "max"],
  ["min", "min"],
  ["*", "mul"],
  ["mul", "mul"],
  ["||", "or"],
  ["or", "or"],
  ["!if", "notif"],
  ["-", "sub"],
  ["sub", "sub"],
];

export const COMMANDS = ["fallthrough", "report"] as const;
export type Command = (typeof COMMANDS)[number];

/** `+infinity`, and the largest number there is. */
export const INFINITY_VALUE: bigint = 2n ** 64n - 1n;

export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Letters, digits, `.` and `_`. Portus looks at the low byte of a character only, and so must we. */
export function isNameCharacter(codePoint: number): boolean {
  if (codePoint === 0x2e || codePoint === 0x5f) return true;
  const low = codePoint & 0xff;
  return isDigit(low) || (low >= 0x41 && low <= 0x5a) || (low >= 0x61 && low <= 0x7a);
}
