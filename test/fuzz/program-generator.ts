/** Random programs that follow the rules of types and limits, so that nearly all compile. */
import { PRIMITIVE_NAMES } from "../../ccp-bridge/lang/scope.ts";
import type { Dice } from "./dice.ts";

const NUMBERS = ["0", "1", "2", "7", "10", "1448", "65535", "1073741823", "2147483647", "+infinity"];
const PRIMITIVES = PRIMITIVE_NAMES.filter((name) => name !== "Flow.was_timeout");
const IMPLICIT = ["Cwnd", "Rate", "Micros"];

class ProgramGenerator {
  readonly #dice: Dice;
  readonly #numbers: string[] = [...IMPLICIT];
  readonly #booleans: string[] = ["Flow.was_timeout"];
  /** report and control variables: what `if` and `ewma` may write */
  readonly #declared: string[] = [];
  #locals = 0;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  program(): string {
    const reports = this.#declarations("r", 1 + this.#dice.below(4), "Report.");
    const controls = this.#declarations("c", this.#dice.below(4), "");
    const events = Array.from({ length: 1 + this.#dice.below(3) }, () => this.#event());
    return `(def (Report ${reports.join(" ")}) ${controls.join(" ")})\n${events.join("\n")}`;
  }

  #declarations(letter: string, count: number, prefix: string): string[] {
    return Array.from({ length: count }, (_, i) => {
      const name = `${letter}${i}`;
      const boolean = this.#dice.chance(0.2);
      (boolean ? this.#booleans : this.#numbers).push(prefix + name);
      this.#declared.push(prefix + name);
      const initial = boolean ? this.#dice.pick(["true", "false"]) : this.#dice.pick(NUMBERS);
      return `(${this.#dice.chance(0.5) ? "volatile " : ""}${name} ${initial})`;
    });
  }

  #event(): string {
    const condition = this.#dice.chance(0.5) ? "true" : this.#condition(2);
    const body = Array.from({ length: 1 + this.#dice.below(4) }, () => this.#action());
    return `(when ${condition} ${body.join(" ")})`;
  }

  #action(): string {
    const dice = this.#dice;
    switch (dice.below(8)) {
      case 0:
        return "(report)";
      case 1:
        return "(fallthrough)";
      case 2:
        return `(:= ${dice.pick(this.#declared)} (${dice.pick(["if", "!if"])} ${this.#value(1)} ${this.#value(1)}))`;
      case 3:
        return `(:= ${dice.pick(this.#declared)} (ewma ${dice.pick(["0", "1", "8", "10", "11"])} ${this.#number(2)}))`;
      case 4: {
        if (this.#locals >= 6) return `(:= Cwnd ${this.#number(2)})`;
        const local = `l${this.#locals++}`;
        const boolean = dice.chance(0.3);
        const text = `(:= ${local} ${boolean ? this.#condition(2) : this.#number(2)})`;
        (boolean ? this.#booleans : this.#numbers).push(local);
        return text;
      }
      default: {
        const variable = dice.pick(dice.chance(0.3) ? IMPLICIT : this.#declared);
        return `(:= ${variable} ${this.#value(3)})`;
      }
    }
  }

  #value(depth: number): string {
    return this.#dice.chance(0.8) ? this.#number(depth) : this.#condition(depth);
  }

  #number(depth: number): string {
    const dice = this.#dice;
    if (depth > 0 && dice.chance(0.6)) {
      const operator = dice.pick(["+", "+", "-", "*", "/", "max", "min", "wrapped_max"]);
      return `(${operator} ${this.#number(depth - 1)} ${this.#number(depth - 1)})`;
    }
    return dice.pick([NUMBERS, PRIMITIVES, this.#numbers][dice.below(3)]!);
  }

  /** A comparison, `&&` or `||`. */
  #condition(depth: number): string {
    const dice = this.#dice;
    if (depth > 1 && dice.chance(0.3)) {
      const side = () => (dice.chance(0.5) ? dice.pick(this.#booleans) : this.#condition(depth - 1));
      return `(${dice.pick(["&&", "||"])} ${side()} ${side()})`;
    }
    return `(${dice.pick([">", "<", "=="])} ${this.#number(depth - 1)} ${this.#number(depth - 1)})`;
  }
}

export function generateProgram(dice: Dice): string {
  return new ProgramGenerator(dice).program();
}
