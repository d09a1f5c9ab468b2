/** Patterns of names and handles: `*` stands for any characters, `?` for one. */

/** Takes time in proportion to pattern times text, whatever the pattern. */
export function matches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  /** behind the last `*`, and the text that it stands for ends there */
  let starAt = -1;
  let starEnd = 0;
  while (t < text.length) {
    if (pattern[p] === "*") {
      starAt = ++p;
      starEnd = t;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (starAt >= 0) {
      p = starAt;
      t = ++starEnd;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
