/** The words of the field, as docs/glossary.md has them: that page is the source, and comes with the package. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CcparkError } from "../../../core/errors.ts";
import type { Entry } from "./entry.ts";

/** `<package>/docs/glossary.md`, from the sources as from `dist/`. */
function glossaryPath(): string {
  const [source, built] = ["../../../docs/glossary.md", "../../../../docs/glossary.md"].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  return existsSync(source!) ? source! : built!;
}

/** Of its table of words: what stands under `word`, `what it is` and `here`. */
const ROW = /^\| \*\*(.+?)\*\* \| (.+?) \| (.*?) ?\|$/gm;

/** Abbreviations in brackets, and what an abbreviation begins with, written out. */
const ABBREVIATION = /\(([A-Z]{2,})\)/g;
const WRITTEN_OUT = /^[\w-]+(?: [\w-]+){1,2}(?=: )/;

/** Markdown as text: a link is the path of its page. */
function plain(text: string): string {
  return text.replace(/\[[^\]]*\]\((\w+\.md)[^)]*\)/g, "docs/$1").replace(/\b_(\w+)_\b/g, "$1");
}

/** A word each; words of one row are explained together. @throws CcparkError (not-found) where the page is not there */
export async function glossary(): Promise<Entry[]> {
  const path = glossaryPath();
  let page: string;
  try {
    page = readFileSync(path, "utf8");
  } catch (cause) {
    throw new CcparkError("not-found", `[explain] cannot read the glossary, ${path}`, { cause });
  }
  return [...page.matchAll(ROW)].map(([, name, what, here]) => {
    const abbreviations = Array.from(what!.matchAll(ABBREVIATION), ([, short]) => short!);
    const writtenOut = WRITTEN_OUT.exec(what!)?.[0];
    return {
      name: name!,
      summary: plain(what!),
      facts: here === "" ? [] : [`here: ${plain(here!)}`],
      values: [...name!.split(", "), ...abbreviations, ...(writtenOut === undefined ? [] : [writtenOut])],
      data: { here: plain(here!) },
    };
  });
}
