/**
 * The parser of mathjs. It is loaded with the first formula and not before, since it takes longer than all the rest of a
 * command together; and synchronously, since a name is looked up synchronously.
 */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** What of mathjs's syntax trees is looked at; which fields there are depends on `type`. */
export interface SyntaxNode {
  readonly type: string;
  readonly value?: unknown;
  readonly name?: string;
  readonly fn?: string | SyntaxNode;
  readonly args?: readonly SyntaxNode[];
  readonly content?: SyntaxNode;
  readonly condition?: SyntaxNode;
  readonly trueExpr?: SyntaxNode;
  readonly falseExpr?: SyntaxNode;
  toString(): string;
}

let parser: ((text: string) => SyntaxNode) | undefined;

/** @throws SyntaxError, RangeError (nested deeper than the stack) */
export function parseSyntax(text: string): SyntaxNode {
  if (parser === undefined) {
    const { create, parseDependencies } = require("mathjs/number") as typeof import("mathjs/number");
    const { parse } = create(parseDependencies!);
    parser = (given) => parse(given) as SyntaxNode;
  }
  return parser(text);
}
