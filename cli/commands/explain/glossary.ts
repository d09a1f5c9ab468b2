/** The words of the field, as docs/glossary.md has them: that page is the source, and comes with the package. */
import { readFileSync } from "node:fs";
import { CcparkError } from "../../../core/errors.ts";
import { ownPath } from "../../own-package.ts";
import type { Entry } from "./entry.ts";

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
  const path = ownPath("docs/glossary.md");
  let page: string;
  try {
    page = readFileSync(path, "utf8");
  } catch (cause) {
    throw new CcparkError("not-found", `[explain] cannot read the glossary, ${path}`, { cause });
  }
  return [...page.matchAll(ROW)].map(([, name, what, here]) => {
    const abbreviations = Array.from(what!.matchAll(ABBREVIATION), ([, short]) => short!);
    const writtenOut = WRITTEN_OUT.exec(what!)?.[0];
    const names = name!.split(", ");
    const possessives = names.filter((each) => each.includes("'s ")).map((each) => each.replace("'s ", " "));
    return {
      name: name!,
      summary: plain(what!),
      facts: here === "" ? [] : [`here: ${plain(here!)}`],
      values: [...names, ...possessives, ...abbreviations, ...(writtenOut === undefined ? [] : [writtenOut])],
      data: { here: plain(here!) },
    };
  });
}
