import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileProgram } from "../../../ccp-bridge/lang/compiler.ts";
import { formatProgram } from "../../../ccp-bridge/lang/format.ts";
import { loadVectors, toHex } from "../vectors.ts";

const vectors = loadVectors();
const accepted = (vectors?.compile ?? []).filter((one) => one.result === "ok");
const compiled = (source: string) => toHex(compileProgram(source, {}, { mode: "libccp" }).bytes);
const commentsOf = (source: string) => Array.from(source.matchAll(/#[^\n]*/g), ([text]) => text.trimEnd());

/** White space and comments between any two words and parentheses. */
const gap = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(" ", "  ", "\t") },
  { weight: 2, arbitrary: fc.constantFrom("\n", "\r\n", "\n\n\n", " \n \n") },
  { weight: 2, arbitrary: fc.constantFrom("# note\n", " # a # b  \n\n", "\n#\n", "\n\n# (when\n# two\n") },
);

describe("the formatter", () => {
  it("keeps comments where they are, and single blank lines", () => {
    const source = `# top


(def (Report (volatile acked 0)) (x 1)) # ours
# first
(whentrue # always
  (:=x (+ 1 # one

  2))

  # out
  (report) )
# end`;
    expect(formatProgram(source)).toBe(`# top

(def (Report (volatile acked 0)) (x 1)) # ours
# first
(when true # always
  (:= x
    (+ 1 # one

      2))

  # out
  (report)
)
# end
`);
  });

  it("breaks long lines at their arguments", () => {
    const long = "Flow.rate_outgoing Flow.rate_incoming";
    const source = `(def (x 0)) (when true (:= x (max (+ (* 2 Flow.rate_outgoing) (min ${long})) (- (max ${long}) (min ${long})))))`;
    expect(formatProgram(source)).toBe(`(def (x 0))
(when true
  (:= x
    (max (+ (* 2 Flow.rate_outgoing) (min Flow.rate_outgoing Flow.rate_incoming))
      (- (max Flow.rate_outgoing Flow.rate_incoming) (min Flow.rate_outgoing Flow.rate_incoming))))
)
`);
  });

  it.skipIf(vectors === undefined)("changes no bytes and, done twice, nothing: all accepted vectors", () => {
    for (const { source } of accepted) {
      const formatted = formatProgram(source);
      expect(compiled(formatted)).toBe(compiled(source));
      expect(formatProgram(formatted)).toBe(formatted);
      expect(commentsOf(formatted)).toEqual(commentsOf(source));
    }
  });

  it.skipIf(vectors === undefined)("does so with white space and comments anywhere", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...accepted.map((one) => one.source)),
        fc.array(gap, { minLength: 1, maxLength: 40 }),
        (source, gaps) => {
          const plain = source.replace(/#[^\n]*/g, "");
          let i = 0;
          const messy = plain.replace(/\s+|(?<=[()])(?!def)/g, () => gaps[i++ % gaps.length]!);
          const formatted = formatProgram(messy);
          expect(compiled(formatted)).toBe(compiled(source));
          expect(formatProgram(formatted)).toBe(formatted);
          expect(commentsOf(formatted)).toEqual(commentsOf(messy));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
