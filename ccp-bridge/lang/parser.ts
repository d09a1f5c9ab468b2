/**
 * Parser of the datapath language: accepts what Portus 0.8 accepts (a PEG: alternatives in order, first match wins),
 * and comments (`#` to the end of the line) wherever white space may stand, unless told to be as narrow as Portus.
 *
 *   program  = defs event+ END
 *   defs     = "(def" decl* [report] decl* ")"
 *   decl     = "(" ["volatile"] name atom ")"
 *   report   = "(" "Report" decl+ ")"
 *   event    = "(" "when" expr expr+ ")"
 *   expr     = "(" op expr expr ")" | "(" ("fallthrough" | "report") ")" | atom
 *   atom     = "true" | "false" | "+infinity" | number | name
 */
import { nearestName } from "../../core/errors.ts";
import { CompileError } from "./compile-error.ts";
import type {
  Atom,
  Declaration,
  EventSyntax,
  Expression,
  Glued,
  ProgramSyntax,
  Span,
} from "./syntax-tree.ts";
import { COMMANDS, INFINITY_VALUE, isDigit, isNameCharacter, isSpace, OPERATOR_SPELLINGS } from "./tokens.ts";

/** Deeper nesting would need more temporaries than there are, or is a mistake; keeps the parser off the stack's end. */
const MAX_DEPTH = 200;
const HASH = 0x23;

/** Where comments may stand: wherever white space may, or, as Portus has it, one line right before an event. */
export type CommentPlaces = "anywhere" | "portus";

class Parser {
  readonly #source: string;
  readonly #comments: CommentPlaces;
  #offset = 0;
  #depth = 0;
  #furthest = -1;
  #expected: string[] = [];
  /** offset of the word -> what is glued to it; of an attempt that failed, overwritten by the one that did not */
  readonly #glued: Map<number, Glued> = new Map();

  constructor(source: string, comments: CommentPlaces) {
    this.#source = source;
    this.#comments = comments;
  }

  program(): ProgramSyntax {
    const definitions = this.#definitions();
    if (definitions === undefined) throw this.#error();
    const events: EventSyntax[] = [];
    for (let event = this.#event(); event !== undefined; event = this.#event()) events.push(event);
    if (events.length === 0) throw this.#error();
    this.#space();
    if (this.#offset < this.#source.length) {
      this.#expect("the end of the program");
      throw this.#error();
    }
    const glued = [...this.#glued.values()].sort((a, b) => a.offset - b.offset);
    return { ...definitions, events, glued };
  }

  #definitions(): Omit<ProgramSyntax, "events" | "glued"> | undefined {
    this.#space();
    const offset = this.#offset;
    if (!this.#literal("(def")) return undefined;
    const before = this.#declarations("");
    const report = this.#report();
    const after = this.#declarations("");
    this.#space();
    if (!this.#literal(")")) return undefined;
    const definitions = this.#span(offset);
    this.#space();
    return { definitions, reportList: report?.list, reports: report?.declarations ?? [], before, after };
  }

  #declarations(prefix: string): Declaration[] {
    const declarations: Declaration[] = [];
    for (let one = this.#declaration(prefix); one !== undefined; one = this.#declaration(prefix)) {
      declarations.push(one);
    }
    return declarations;
  }

  #declaration(prefix: string): Declaration | undefined {
    const start = this.#offset;
    this.#space();
    const from = this.#offset;
    if (this.#literal("(")) {
      this.#space();
      const at = this.#offset;
      const volatile = this.#literal("volatile");
      const glued = volatile ? this.#gluedTo(at) : undefined;
      this.#space();
      const offset = this.#offset;
      const name = this.#name();
      if (name !== undefined) {
        const end = this.#offset;
        this.#space();
        const initial = this.#atom();
        this.#space();
        if (initial !== undefined && this.#literal(")")) {
          const list = this.#span(from);
          this.#space();
          if (glued !== undefined) this.#glued.set(glued.offset, glued);
          return { name: prefix + name, volatile, initial, offset, end, list };
        }
      }
    }
    this.#offset = start;
    return undefined;
  }

  #report(): { declarations: Declaration[]; list: Span } | undefined {
    const start = this.#offset;
    this.#space();
    const offset = this.#offset;
    if (this.#literal("(")) {
      this.#space();
      if (this.#literal("Report")) {
        const declarations = this.#declarations("Report.");
        this.#space();
        if (declarations.length > 0 && this.#literal(")")) {
          const list = this.#span(offset);
          this.#space();
          return { declarations, list };
        }
      }
    }
    this.#offset = start;
    return undefined;
  }

  #event(): EventSyntax | undefined {
    const start = this.#offset;
    this.#space();
    if (this.#comments === "portus") this.#commentLine();
    const offset = this.#offset;
    if (this.#literal("(")) {
      this.#space();
      const at = this.#offset;
      if (this.#literal("when")) {
        const glued = this.#gluedTo(at);
        const condition = this.#expression();
        const body: Expression[] = [];
        if (condition !== undefined) {
          for (let one = this.#expression(); one !== undefined; one = this.#expression()) body.push(one);
          this.#space();
          if (body.length > 0 && this.#literal(")")) {
            const span = this.#span(offset);
            this.#space();
            if (glued !== undefined) this.#glued.set(glued.offset, glued);
            return { condition, body, ...span };
          }
        }
      }
    }
    this.#offset = start;
    return undefined;
  }

  #expression(): Expression | undefined {
    if (++this.#depth > MAX_DEPTH) {
      throw new CompileError(`expressions nest deeper than ${MAX_DEPTH}`, this.#source, this.#offset);
    }
    this.#space();
    const parsed = this.#operation() ?? this.#command() ?? this.#atom();
    if (parsed !== undefined) this.#space();
    this.#depth -= 1;
    return parsed;
  }

  #operation(): Expression | undefined {
    const start = this.#offset;
    if (this.#literal("(")) {
      this.#space();
      const operator = OPERATOR_SPELLINGS.find(([spelling]) =>
        this.#source.startsWith(spelling, this.#offset),
      );
      if (operator === undefined) this.#expect("an operator");
      else {
        const at = this.#offset;
        this.#offset += operator[0].length;
        const glued = this.#gluedTo(at);
        const left = this.#expression();
        const right = left === undefined ? undefined : this.#expression();
        if (left !== undefined && right !== undefined) {
          this.#space();
          if (this.#literal(")")) {
            if (glued !== undefined) this.#glued.set(glued.offset, glued);
            const [spelling, name] = operator;
            return { kind: "operation", operator: name, spelling, left, right, ...this.#span(start) };
          }
        }
      }
    }
    this.#offset = start;
    return undefined;
  }

  #command(): Expression | undefined {
    const start = this.#offset;
    if (this.#literal("(")) {
      this.#space();
      const command = COMMANDS.find((word) => this.#source.startsWith(word, this.#offset));
      if (command !== undefined) {
        this.#offset += command.length;
        this.#space();
        if (this.#literal(")")) return { kind: "command", command, ...this.#span(start) };
      }
    }
    this.#offset = start;
    return undefined;
  }

  #atom(): Atom | undefined {
    const offset = this.#offset;
    if (this.#source.startsWith("true", offset)) {
      this.#offset += 4;
      return { kind: "boolean", value: true, ...this.#span(offset) };
    }
    if (this.#source.startsWith("false", offset)) {
      this.#offset += 5;
      return { kind: "boolean", value: false, ...this.#span(offset) };
    }
    if (this.#source.startsWith("+infinity", offset)) {
      this.#offset += 9;
      return { kind: "number", value: INFINITY_VALUE, ...this.#span(offset) };
    }
    let end = offset;
    while (end < this.#source.length && isDigit(this.#source.charCodeAt(end))) end += 1;
    if (end > offset) {
      const value = BigInt(this.#source.slice(offset, end));
      if (value <= INFINITY_VALUE) {
        this.#offset = end;
        return { kind: "number", value, ...this.#span(offset) };
      }
      // A larger number is a name, as in Portus; the compiler will say that it is not declared.
    }
    const name = this.#name();
    return name === undefined ? undefined : { kind: "name", name, ...this.#span(offset) };
  }

  #name(): string | undefined {
    const start = this.#offset;
    let end = start;
    while (end < this.#source.length) {
      const codePoint = this.#source.codePointAt(end)!;
      if (!isNameCharacter(codePoint)) break;
      end += codePoint > 0xffff ? 2 : 1;
    }
    if (end === start) {
      this.#expect("a name or a value");
      return undefined;
    }
    const name = this.#source.slice(start, end);
    if (name.startsWith("__")) {
      this.#expect("a name that does not start with `__`");
      return undefined;
    }
    this.#offset = end;
    return name;
  }

  #literal(text: string): boolean {
    if (this.#source.startsWith(text, this.#offset)) {
      this.#offset += text.length;
      return true;
    }
    this.#expect(`\`${text}\``);
    return false;
  }

  #span(offset: number): Span {
    return { offset, end: this.#offset };
  }

  /** The word from `offset` to here, if a name or number follows without a space. */
  #gluedTo(offset: number): Glued | undefined {
    const next = this.#source.codePointAt(this.#offset);
    if (next === undefined || !isNameCharacter(next)) return undefined;
    return { word: this.#source.slice(offset, this.#offset), ...this.#span(offset) };
  }

  /** Portus: one comment, which a newline must end and an event follow. */
  #commentLine(): void {
    const start = this.#offset;
    if (this.#source.charCodeAt(start) !== HASH) return;
    const end = this.#source.indexOf("\n", start);
    if (end < 0) return;
    this.#offset = end;
    this.#space();
    if (!this.#source.startsWith("(", this.#offset)) this.#offset = start;
  }

  /** White space, and comments where they may stand anywhere. */
  #space(): void {
    const source = this.#source;
    let offset = this.#offset;
    for (;;) {
      const code = source.charCodeAt(offset);
      if (isSpace(code)) offset += 1;
      else if (code === HASH && this.#comments === "anywhere") {
        const end = source.indexOf("\n", offset);
        offset = end < 0 ? source.length : end + 1;
      } else break;
    }
    this.#offset = offset;
  }

  #expect(what: string): void {
    if (this.#offset > this.#furthest) {
      this.#furthest = this.#offset;
      this.#expected = [];
    }
    if (this.#offset === this.#furthest && what !== "`volatile`" && !this.#expected.includes(what)) {
      this.#expected.push(what);
    }
  }

  #error(): CompileError {
    const offset = Math.max(0, this.#furthest);
    const rest = this.#source.slice(offset);
    const word = (/^[^\s()]{1,60}|^./u.exec(rest) ?? ["?"])[0];
    const got = rest === "" ? "the end of the program" : `\`${word}\``;
    if (rest.startsWith("#")) {
      const where = "Portus takes comments only right before an event, one line each";
      return new CompileError(`no comment can stand here: ${where}`, this.#source, offset);
    }
    if (this.#expected.includes("an operator") && rest !== "") {
      const known = [...OPERATOR_SPELLINGS.map(([spelling]) => spelling), ...COMMANDS];
      const near = nearestName(word, known);
      const hint = near === undefined ? `known: ${known.join(" ")}` : `did you mean \`${near}\`?`;
      return new CompileError(`unknown operator ${got}; ${hint}`, this.#source, offset);
    }
    return new CompileError(`got ${got}, expected ${this.#expected.join(" or ")}`, this.#source, offset);
  }
}

/**
 * Parses a program text.
 * @throws CompileError
 */
export function parseProgram(source: string, comments: CommentPlaces = "anywhere"): ProgramSyntax {
  return new Parser(source, comments).program();
}
