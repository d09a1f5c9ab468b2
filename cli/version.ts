/** The version of the package, from its package.json beside `cli/` or above `dist/cli/`. */
import { existsSync, readFileSync } from "node:fs";

export function packageVersion(): string {
  const urls = ["../package.json", "../../package.json"].map((path) => new URL(path, import.meta.url));
  const found = urls.find((url) => existsSync(url));
  const parsed: unknown = found === undefined ? {} : JSON.parse(readFileSync(found, "utf8"));
  const version =
    typeof parsed === "object" && parsed !== null && "version" in parsed ? parsed.version : undefined;
  return typeof version === "string" ? version : "unknown";
}
