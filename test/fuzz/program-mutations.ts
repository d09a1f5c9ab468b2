/** Changes to program texts: by grammar (lists, words of the same sort) and by bytes. */
import { PRIMITIVE_NAMES } from "../../ccp-bridge/lang/scope.ts";
import type { Dice } from "./dice.ts";

const NUMERIC = ["+", "-", "*", "/", "max", "min", "wrapped_max", "add", "sub", "mul", "div"];
const COMPARING = [">", "<", "==", "gt", "lt", "eq"];
const LOGICAL = ["&&", "||", "and", "or"];
const ASSIGNING = ["if", "!if", "ewma"];
const SORTS = [NUMERIC, COMPARING, LOGICAL, ASSIGNING, ["true", "false"], ["(report)", "(fallthrough)"]];
const NUMBERS = ["0", "1", "7", "10", "1448", "1073741823", "2147483647", "+infinity", "2147483648", "007"];
const VARIABLES = [...PRIMITIVE_NAMES, "Micros", "Cwnd", "Rate"];
const ODD_WORDS = [
  ...["(", ")", "#", "\n", "def", "when", "Report", "volatile", "x", "Report.a", "__x", "-1", "0x1f", "1.5"],
  ...["99999999999999999999", "reset", ">=", "!", "é", "Ł", "\u{1f600}", "\0", "\u00a0", "if", "report", ";"],
];
const SPACES = [" ", "\n", "\t", "\r\n", "  # note\n", " # (when\n"];
/** Texts that grow without end say nothing new. */
const MAX_CHARACTERS = 8000;

/** Words and parentheses; white space and comments are dropped. */
function tokensOf(source: string): string[] {
  return source.replace(/#[^\n]*/g, " ").match(/[()]|[^\s()]+/g) ?? [];
}

function join(tokens: readonly string[]): string {
  // Portus wants no space between `(` and `def`.
  return tokens.join(" ").replace("( def", "(def").slice(0, MAX_CHARACTERS);
}

/** First and last token of a random list. */
function pickList(tokens: readonly string[], dice: Dice): [number, number] | undefined {
  const starts = tokens.flatMap((token, i) => (token === "(" ? i : []));
  if (starts.length === 0) return undefined;
  const start = dice.pick(starts);
  let depth = 0;
  for (let i = start; i < tokens.length; i++) {
    if (tokens[i] === "(") depth += 1;
    if (tokens[i] === ")" && --depth === 0) return [start, i];
  }
  return undefined;
}

/** Words for words of their sort: most results compile. */
function changeWord(tokens: string[], dice: Dice): void {
  for (let attempt = 0; attempt < 8; attempt++) {
    const i = dice.below(tokens.length);
    const token = tokens[i]!;
    const sort = SORTS.find((words) => words.includes(token));
    if (sort !== undefined) tokens[i] = dice.pick(sort);
    else if (/^\d+$/.test(token) || token === "+infinity") tokens[i] = dice.pick(NUMBERS);
    else if (VARIABLES.includes(token)) tokens[i] = dice.pick(VARIABLES);
    else continue;
    return;
  }
}

/** Another event or expression of the same text, or of another one, in the place of a list or beside it. */
function graft(tokens: string[], donor: readonly string[], dice: Dice): void {
  const place = pickList(tokens, dice);
  const part = pickList(donor, dice);
  if (place === undefined || part === undefined) return;
  const list = donor.slice(part[0], part[1] + 1);
  if (dice.chance(0.5)) tokens.splice(place[0], place[1] - place[0] + 1, ...list);
  else tokens.splice(place[1] + 1, 0, ...list);
}

function changeTokens(tokens: string[], donor: readonly string[], dice: Dice): void {
  const kind = dice.below(14);
  if (kind < 8) changeWord(tokens, dice);
  else if (kind < 10) graft(tokens, dice.chance(0.5) ? tokens.slice() : donor, dice);
  else if (kind === 10) {
    const list = pickList(tokens, dice);
    if (list !== undefined) tokens.splice(list[0], list[1] - list[0] + 1);
  } else if (kind === 11) tokens.splice(dice.below(tokens.length + 1), 0, dice.pick(ODD_WORDS));
  else if (kind === 12) tokens.splice(dice.below(tokens.length), 1);
  else {
    const words = tokens.filter((token) => token !== "(" && token !== ")");
    tokens[dice.below(tokens.length)] = dice.pick(words.length > 0 ? words : ODD_WORDS);
  }
}

function changeCharacters(source: string, dice: Dice): string {
  const at = dice.below(source.length + 1);
  switch (dice.below(4)) {
    case 0:
      return source.slice(0, at) + String.fromCharCode(dice.below(128)) + source.slice(at + 1);
    case 1:
      return source.slice(0, at) + source.slice(at + 1 + dice.below(5));
    case 2:
      return source.slice(0, at) + dice.pick(ODD_WORDS) + source.slice(at);
    default:
      return source.slice(0, at) + source.slice(dice.below(source.length + 1)).slice(0, 200);
  }
}

/** A long or deep text, where limits are. */
function inflate(tokens: string[], dice: Dice): string {
  const deep = dice.below(4) === 0 ? 1 + dice.below(400) : 1 + dice.below(12);
  const nested = `${"(+ 1 ".repeat(deep)}1${")".repeat(deep)}`;
  const declarations = Array.from(
    { length: dice.below(20) },
    (_, i) => `(${dice.pick(["c", "Report.c"])}${i} ${i})`,
  );
  const body = dice.pick([`(:= c0 ${nested})`, "(:= Cwnd 1)", "(:= l1 1)(:= l2 2)(:= l3 3)", "(report)"]);
  const events = Array.from(
    { length: 1 + dice.below(6) },
    () => `(when true ${body.repeat(1 + dice.below(60))})`,
  );
  return dice.chance(0.2)
    ? `${join(tokens)}${events.join("")}`.slice(0, MAX_CHARACTERS)
    : `(def ${declarations.join(" ")}) ${events.join("\n")}`.slice(0, 4 * MAX_CHARACTERS);
}

/** A text near `source`, which may or may not be a program. */
export function mutateProgram(source: string, donor: string, dice: Dice): string {
  const tokens = tokensOf(source);
  if (tokens.length === 0) return changeCharacters(source, dice);
  if (dice.chance(0.02)) return inflate(tokens, dice);
  const mild = dice.chance(0.3);
  for (let i = 1 + dice.below(3); i > 0 && tokens.length > 0; i--) {
    if (mild) changeWord(tokens, dice);
    else changeTokens(tokens, tokensOf(donor), dice);
  }
  let text = join(tokens);
  if (dice.chance(0.3)) text = text.replace(/ /g, () => (dice.chance(0.2) ? dice.pick(SPACES) : " "));
  if (!mild && dice.chance(0.15)) text = changeCharacters(text, dice);
  return text;
}
