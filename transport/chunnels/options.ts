/** Options of chunnels: defaults, ranges, and one clear error where a value from a stack in JSON is wrong. */
import { CcparkError, showValue } from "../../core/errors.ts";

export interface NumberRange {
  readonly low: number;
  readonly high: number;
  readonly whole?: false;
}

function refuse(chunnel: string, option: string, got: unknown, expected: string): never {
  throw new CcparkError(
    "invalid-argument",
    `[transport] ${chunnel}.${option}: got ${showValue(got)}, expected ${expected}`,
  );
}

/** @throws CcparkError (invalid-argument) */
export function numberOption(
  chunnel: string,
  option: string,
  value: unknown,
  { low, high, whole }: NumberRange,
): number {
  const isRight =
    typeof value === "number" &&
    value >= low &&
    value <= high &&
    (whole === false || Number.isInteger(value));
  if (isRight) return value;
  return refuse(chunnel, option, value, `a ${whole === false ? "" : "whole "}number from ${low} to ${high}`);
}

/** @throws CcparkError (invalid-argument) */
export function choiceOption<T extends string>(
  chunnel: string,
  option: string,
  value: unknown,
  choices: readonly T[],
): T {
  return (
    choices.find((each) => each === value) ?? refuse(chunnel, option, value, `one of ${choices.join(", ")}`)
  );
}

/** @throws CcparkError (invalid-argument) */
export function textOption(chunnel: string, option: string, value: unknown): string {
  return typeof value === "string" && value !== "" ? value : refuse(chunnel, option, value, "a text");
}
