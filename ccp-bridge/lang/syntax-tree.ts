/** What the parser makes of a program text. */
import type { Command, Operator } from "./tokens.ts";

/** A part of the program text, in UTF-16 units: from `offset` up to, not including, `end`. */
export interface Span {
  readonly offset: number;
  readonly end: number;
}

export type Atom = Span &
  (
    | { readonly kind: "number"; readonly value: bigint }
    | { readonly kind: "boolean"; readonly value: boolean }
    | { readonly kind: "name"; readonly name: string }
  );

export type CommandSyntax = Span & { readonly kind: "command"; readonly command: Command };

export type Operation = Span & {
  readonly kind: "operation";
  readonly operator: Operator;
  /** as it was written: `+` or `add` */
  readonly spelling: string;
  readonly left: Expression;
  readonly right: Expression;
};

export type Expression = Atom | CommandSyntax | Operation;

export interface Declaration extends Span {
  /** as programs write it elsewhere: with `Report.` if it stood in the report list */
  readonly name: string;
  readonly volatile: boolean;
  readonly initial: Atom;
  /** where the name stands; `list` is the whole declaration */
  readonly list: Span;
}

export interface EventSyntax extends Span {
  readonly condition: Expression;
  readonly body: readonly Expression[];
}

/** A word that is followed by a name or number without a space: `(addx 1)` */
export interface Glued extends Span {
  readonly word: string;
}

export interface ProgramSyntax {
  /** the `(def ...)` list */
  readonly definitions: Span;
  /** the `(Report ...)` list */
  readonly reportList: Span | undefined;
  /** declarations of the `(Report ...)` list */
  readonly reports: readonly Declaration[];
  readonly before: readonly Declaration[];
  readonly after: readonly Declaration[];
  readonly events: readonly EventSyntax[];
  /** legal, but easily misread */
  readonly glued: readonly Glued[];
}
