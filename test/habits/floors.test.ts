/** The table of floors in docs/architecture.md says what the import check enforces. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, it } from "vitest";

interface Rule {
  readonly name: string;
  readonly comment?: string;
}

it("docs/architecture.md has a row per floor, with what it may import", () => {
  const { forbidden } = createRequire(import.meta.url)("../../.dependency-cruiser.cjs") as {
    forbidden: readonly Rule[];
  };
  const enforced = forbidden
    .filter(({ name }) => name.startsWith("floor-"))
    .map(({ name, comment }) => {
      const floor = name.slice("floor-".length);
      const below = comment!.split("may import only: ")[1]!.split(", ");
      return [floor, below.filter((each) => each !== floor)] as const;
    });
  const page = readFileSync(new URL("../../docs/architecture.md", import.meta.url), "utf8");
  const table = page.slice(page.indexOf("## Floors"), page.indexOf("## Folders"));
  const written = [...table.matchAll(/^\| `([^`]+)` \| (.+) \|$/gm)].map(
    ([, floor, cell]) => [floor!, [...cell!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)] as const,
  );
  expect(written).toEqual(enforced);
});
