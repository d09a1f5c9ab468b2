/** The minified builds of Vega and Vega-Lite as their packages ship them, for inlining in a page that needs no network. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Text of a file beside the package's entry point. */
function besideEntry(packageName: string, file: string): string {
  return readFileSync(fileURLToPath(new URL(file, import.meta.resolve(packageName))), "utf8");
}

/** Scripts in the order in which a page must run them. */
export function vegaBuilds(): string[] {
  return [besideEntry("vega", "vega.min.js"), besideEntry("vega-lite", "vega-lite.min.js")];
}
