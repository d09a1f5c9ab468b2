/** Lines of a JSON Lines file that may be growing: one that is cut is left out. What does not exist is null there and NaN here. */
import { existsSync, readFileSync } from "node:fs";

/** Empty where there is no such file. */
export function jsonLinesOf<Line>(path: string): Line[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line, (_, value: unknown) => (value === null ? Number.NaN : value)) as Line];
    } catch {
      return []; // cut by a crash
    }
  });
}
