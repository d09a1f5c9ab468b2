/** What was typed at an example: what is wrong ends it with one sentence. */
import { type ParseArgsConfig, parseArgs } from "node:util";

export function stop(why: unknown): never {
  console.error(`error: ${why instanceof Error ? why.message : String(why)}`);
  process.exit(2);
}

export function typed<const T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    return stop(error);
  }
}

export function oneOf<T extends string>(option: string, text: string, known: readonly T[]): T {
  return (
    known.find((each) => each === text) ?? stop(`${option}: got ${text}, expected ${known.join(" or ")}`)
  );
}

export function whole(option: string, text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  return stop(`${option}: got ${text}, expected a whole number from 1 to ${most}`);
}
