/**
 * The formatter: lists that fit on a line stay on one, others have an item per line; every event is spread out. Comments
 * stay, at the end of a line or on their own as they were, and so do single blank lines. The result compiles to the same
 * bytes, and formatting it again changes nothing.
 */
import { type CommentPlaces, parseProgram } from "./parser.ts";
import type { Declaration, Expression, ProgramSyntax, Span } from "./syntax-tree.ts";
import { INFINITY_VALUE, isSpace } from "./tokens.ts";

const LINE_WIDTH = 100;
const INDENT = "  ";

/** What a program is made of for the printer: words, and lists that start with a word. */
type Form =
  | (Span & { readonly kind: "word"; readonly text: string })
  | (Span & {
      readonly kind: "list";
      readonly head: string;
      readonly items: readonly Form[];
      /** `spread`: an item per line whatever fits; `block`: if broken, `)` has a line of its own */
      readonly style: "spread" | "block" | "expression";
      /** items that stay on the first line of a list that is broken */
      readonly onFirstLine: number;
    });

interface Comment extends Span {
  readonly text: string;
  /** something stands before it on its line */
  readonly trailing: boolean;
}

function expressionForm(expression: Expression): Form {
  const { offset, end } = expression;
  switch (expression.kind) {
    case "name":
      return { kind: "word", text: expression.name, offset, end };
    case "boolean":
      return { kind: "word", text: String(expression.value), offset, end };
    case "number":
      return {
        kind: "word",
        text: expression.value === INFINITY_VALUE ? "+infinity" : String(expression.value),
        offset,
        end,
      };
    case "command":
      return {
        kind: "list",
        head: expression.command,
        items: [],
        style: "expression",
        onFirstLine: 0,
        offset,
        end,
      };
    case "operation":
      return {
        kind: "list",
        head: expression.spelling,
        items: [expressionForm(expression.left), expressionForm(expression.right)],
        style: "expression",
        onFirstLine: 1,
        offset,
        end,
      };
  }
}

function declarationForm(declaration: Declaration, prefix: string): Form {
  const name = declaration.name.slice(prefix.length);
  const initial = expressionForm(declaration.initial);
  const { offset, end } = declaration.list;
  const word: Form = { kind: "word", text: name, offset: declaration.offset, end: declaration.end };
  return declaration.volatile
    ? {
        kind: "list",
        head: "volatile",
        items: [word, initial],
        style: "expression",
        onFirstLine: 2,
        offset,
        end,
      }
    : { kind: "list", head: name, items: [initial], style: "expression", onFirstLine: 1, offset, end };
}

function programForms(program: ProgramSyntax): Form[] {
  const { before, after, reports, reportList, definitions, events } = program;
  const plain = (declarations: readonly Declaration[]) => declarations.map((one) => declarationForm(one, ""));
  const report: Form[] =
    reportList === undefined
      ? []
      : [
          {
            kind: "list",
            head: "Report",
            items: reports.map((one) => declarationForm(one, "Report.")),
            style: "block",
            onFirstLine: 0,
            ...reportList,
          },
        ];
  const items = [...plain(before), ...report, ...plain(after)];
  return [
    { kind: "list", head: "def", items, style: "block", onFirstLine: 0, ...definitions },
    ...events.map(
      (event): Form => ({
        kind: "list",
        head: "when",
        items: [event.condition, ...event.body].map(expressionForm),
        style: "spread",
        onFirstLine: 1,
        offset: event.offset,
        end: event.end,
      }),
    ),
  ];
}

/** A `#` can stand nowhere but in a comment. */
function findComments(source: string): Comment[] {
  return Array.from(source.matchAll(/#[^\n]*/g), (match) => {
    const offset = match.index;
    const line = source.slice(source.lastIndexOf("\n", offset - 1) + 1, offset);
    const text = match[0].trimEnd();
    return { text, trailing: line.trim() !== "", offset, end: offset + match[0].length };
  });
}

function flat(form: Form): string {
  if (form.kind === "word") return form.text;
  return `(${[form.head, ...form.items.map(flat)].join(" ")})`;
}

class Printer {
  readonly #source: string;
  readonly #comments: readonly Comment[];
  #nextComment = 0;
  readonly #lines: string[] = [];
  #line = "";
  #endsWithComment = false;

  constructor(source: string) {
    this.#source = source;
    this.#comments = findComments(source);
  }

  print(forms: readonly Form[]): string {
    for (const form of forms) {
      this.#flushComments(form.offset, 0);
      this.#newLine(0, form.offset);
      this.#form(form, 0);
    }
    this.#flushComments(Number.POSITIVE_INFINITY, 0);
    if (this.#line.trim() !== "") this.#lines.push(this.#line);
    return `${this.#lines.join("\n")}\n`;
  }

  #form(form: Form, depth: number): void {
    if (form.kind === "word") {
      this.#line += form.text;
      return;
    }
    const comment = this.#comments[this.#nextComment];
    const hasComment = comment !== undefined && comment.offset < form.end;
    const text = flat(form);
    // One more for the `)` that may follow.
    const fits = this.#line.length + text.length < LINE_WIDTH;
    if (form.style !== "spread" && !hasComment && fits) {
      this.#line += text;
      return;
    }
    this.#line += `(${form.head}`;
    form.items.forEach((item, i) => {
      this.#flushComments(item.offset, depth + 1);
      if (i < form.onFirstLine && !this.#endsWithComment) this.#line += " ";
      else this.#newLine(depth + 1, item.offset);
      this.#form(item, depth + 1);
    });
    this.#flushComments(form.end, depth + 1);
    const ownLine = form.style === "block" || form.style === "spread";
    if (this.#endsWithComment || ownLine) this.#newLine(depth);
    this.#line += ")";
  }

  /** Prints the comments that stand before `offset`. */
  #flushComments(offset: number, depth: number): void {
    for (;;) {
      const comment = this.#comments[this.#nextComment];
      if (comment === undefined || comment.offset >= offset) return;
      this.#nextComment += 1;
      if (comment.trailing && !this.#endsWithComment && this.#line.trim() !== "")
        this.#line += ` ${comment.text}`;
      else {
        this.#newLine(depth, comment.offset);
        this.#line += comment.text;
      }
      this.#endsWithComment = true;
    }
  }

  /** Starts a line; with a blank one before it if there was one before `offset`. */
  #newLine(depth: number, offset?: number): void {
    this.#endsWithComment = false;
    const isFirst = this.#lines.length === 0 && this.#line === "";
    if (!isFirst) {
      this.#lines.push(this.#line);
      if (offset !== undefined && this.#blankBefore(offset)) this.#lines.push("");
    }
    this.#line = INDENT.repeat(depth);
  }

  #blankBefore(offset: number): boolean {
    let newlines = 0;
    for (let i = offset - 1; i >= 0 && isSpace(this.#source.charCodeAt(i)) && newlines < 2; i--) {
      if (this.#source[i] === "\n") newlines += 1;
    }
    return newlines === 2;
  }
}

/**
 * The program in the house style.
 * @throws CompileError if the text is no program; programs that parse but do not compile are formatted all the same
 */
export function formatProgram(source: string, comments: CommentPlaces = "anywhere"): string {
  return new Printer(source).print(programForms(parseProgram(source, comments)));
}
