/** What the parser makes of a program text. Offsets count UTF-16 units from the start of the text. */
import type { Command, Operator } from "./tokens.ts";

export type Atom =
  | { readonly kind: "number"; readonly value: bigint; readonly offset: number }
  | { readonly kind: "boolean"; readonly value: boolean; readonly offset: number }
  | { readonly kind: "name"; readonly name: string; readonly offset: number };

export type Expression =
  | Atom
  | { readonly kind: "command"; readonly command: Command; readonly offset: number }
  | {
      readonly kind: "operation";
      readonly operator: Operator;
      readonly left: Expression;
      readonly right: Expression;
      readonly offset: number;
    };

export interface Declaration {
  /** as programs write it elsewhere: with `Report.` if it stood in the report list */
  readonly name: string;
  readonly volatile: boolean;
  readonly initial: Atom;
  readonly offset: number;
}

export interface EventSyntax {
  readonly condition: Expression;
  readonly body: readonly Expression[];
  readonly offset: number;
}

export interface ProgramSyntax {
  /** declarations of the `(Report ...)` list */
  readonly reports: readonly Declaration[];
  readonly before: readonly Declaration[];
  readonly after: readonly Declaration[];
  readonly events: readonly EventSyntax[];
}
