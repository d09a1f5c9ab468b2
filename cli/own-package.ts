/** The package that runs, from its sources as from `dist/`: where it is, and which version. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** @param path of a file that comes with the package, from its root; absent: the root */
export function ownPath(path = ""): string {
  const root = new URL(import.meta.url.endsWith(".ts") ? "../" : "../../", import.meta.url);
  return fileURLToPath(new URL(path, root));
}

/** As its package.json says; `unknown` where there is none. */
export function packageVersion(): string {
  try {
    const parsed: unknown = JSON.parse(readFileSync(ownPath("package.json"), "utf8"));
    const version =
      typeof parsed === "object" && parsed !== null && "version" in parsed ? parsed.version : undefined;
    return typeof version === "string" ? version : "unknown";
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "unknown";
    throw error;
  }
}
