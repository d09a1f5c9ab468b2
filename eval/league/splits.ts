/**
 * Which links are for training, for choosing and for judging: by name, and sealed by what they say. A link of the test split that is
 * given to a training is refused, under whatever name; a validation split that says something else by now is no longer that split.
 */
import { createHash } from "node:crypto";
import { CcparkError, namedEntry } from "../../core/errors.ts";
import type { ScenarioTemplate } from "../../scenarios/template.ts";

/** A preset, a scenario of its own, or one over a recorded trace. */
export interface SplitLink {
  readonly name: string;
  /** a preset; absent: `template` */
  readonly preset?: string;
  readonly template?: ScenarioTemplate;
  /** file among the shared traces that the forward link replays; without it the link is left out, and said so */
  readonly trace?: string;
}

export interface Split {
  readonly name: string;
  /** one sentence */
  readonly summary: string;
  readonly links: readonly SplitLink[];
  /** of the content of all links that need no recorded trace; see `sealOf` */
  readonly sha256: string;
}

const preset = (name: string): SplitLink => ({ name, preset: name });

const RECORDED = [
  "Verizon-LTE-short.down",
  "Verizon-LTE-short.up",
  "ATT-LTE-driving-2016.down",
  "ATT-LTE-driving-2016.up",
  "TMobile-UMTS-driving.down",
  "TMobile-UMTS-driving.up",
];

const constant = (name: string, mbps: number, rttMs: number, lossRate = 0): SplitLink => ({
  name,
  template: {
    name,
    rttMs,
    durationSec: rttMs > 300 ? 60 : 30,
    forward: { rate: { kind: "constant", mbps }, queue: { bdp: 1 }, lossRate },
  },
});

const SHAPES = ["2x-u", "4x-u", "2x-d", "4x-d"];

const VALIDATION: Split = {
  name: "validation",
  summary:
    "Pantheon's 18 paths, recorded cellular traces, ccBench's steps at 24 and 48 Mbit/s, 1 % loss, and 250 Mbit/s over 600 ms",
  links: [
    ...Array.from({ length: 18 }, (_, i) => preset(`pantheon-${i + 1}`)),
    ...RECORDED.map(
      (trace): SplitLink => ({
        name: `recorded-${trace}`,
        trace,
        template: {
          name: `recorded-${trace}`,
          propagationDelayMs: 10,
          durationSec: 30,
          forward: { queue: { packets: 100 } },
        },
      }),
    ),
    ...[24, 48].flatMap((mbps) => SHAPES.map((shape) => preset(`ccbench1-grid/${mbps}-${shape}-20ms-2bdp`))),
    constant("loss-1-percent", 24, 40, 0.01),
    constant("long-fat", 250, 600),
  ],
  sha256: "3f61a92d52186c9c6effc480522d2524c254e6ea304f23bc06a2db2d636cc518",
};

const TEST: Split = {
  name: "test",
  summary:
    "links that no choice was made on: ccBench's at 12, 96 and 192 Mbit/s, and a little of everything else",
  links: [
    ...["12-flat", "12-4x-u", "96-flat", "96-4x-d", "96-2x-u", "192-2x-d"].map((shape) =>
      preset(`ccbench1-grid/${shape}-40ms-1bdp`),
    ),
    constant("lossy-8mbps", 8, 90, 0.02),
    constant("near-150mbps", 150, 12),
    constant("far-3mbps", 3, 250),
  ],
  sha256: "0f112741f47ed002aab058cb85842f76fe2229fdc0b4ea01e9f08ebceeefffed",
};

export const SPLITS: ReadonlyMap<string, Split> = new Map(
  [VALIDATION, TEST].map((split) => [split.name, split]),
);

/** @throws CcparkError (not-found) with the nearest name */
export function findSplit(name: string): Split {
  return namedEntry("league", "split", SPLITS, name);
}

/** Words about a link, which do not make it another. */
const WORDS = ["name", "source", "description", "durationSec", "variation", "fixed"];

/** SHA-256 (hex) of what a link says, whatever it is called and however long it lasts. */
export function linkSha256(template: ScenarioTemplate): string {
  const said = Object.entries(template)
    .filter(([key]) => !WORDS.includes(key))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(said)).digest("hex");
}

/** Of a split: the digest of those of its links, in their order. */
export function sealOf(links: readonly { readonly template: ScenarioTemplate }[]): string {
  const hash = createHash("sha256");
  for (const { template } of links) hash.update(linkSha256(template));
  return hash.digest("hex");
}

/** @throws CcparkError (invalid-argument) where a training would see a sealed link */
export function expectNotSealed(
  entries: readonly {
    readonly name: string;
    readonly drawn: boolean;
    readonly template: ScenarioTemplate;
    readonly of: (seed: number) => ScenarioTemplate;
  }[],
  sealed: ReadonlyMap<string, string>,
): void {
  for (const { name, drawn, template, of } of entries) {
    const link = sealed.get(linkSha256(drawn ? template : of(0)));
    if (link === undefined) continue;
    throw new CcparkError(
      "invalid-argument",
      `[train] scenario \`${name}\`: it is \`${link}\` of the test split, which is sealed: expected one that nothing is judged by (see \`ccpark league --split test\`)`,
    );
  }
}
