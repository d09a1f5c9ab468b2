/** Text within a page: shows what it is, whatever it holds. */
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function htmlText(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char]!);
}
