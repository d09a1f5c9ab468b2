/** Tests that make network namespaces: without the right they are skipped, and say why; in CI they run, whatever comes of it. */
import { describe } from "vitest";
import { whyNoLinks } from "../../../testbeds/host/abilities.ts";

const why = process.env.CI === "true" ? undefined : whyNoLinks();

export function describeWithLinks(name: string, tests: () => void): void {
  if (why === undefined) describe(name, tests);
  else describe.skip(`${name} (${why})`, tests);
}
