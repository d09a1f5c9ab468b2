/**
 * Every named scenario: the links of papers and suites with their published numbers, the links of our benchmark, and links
 * on shipped traces. The numbers are in `presets/`, one file per family.
 */
import { CcparkError, namedEntry } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { MahimahiTrace } from "../traces/mahimahi.ts";
import { makeLink } from "./links.ts";
import { BBR_DRAFT } from "./presets/bbr-draft.ts";
import { BUNDLES } from "./presets/bundles.ts";
import { C4 } from "./presets/c4.ts";
import { CCBENCH_GRIDS, ORCA_SAGE } from "./presets/ccbench.ts";
import { CCP, cellular, PARK } from "./presets/ccp-park.ts";
import { LEARNERS } from "./presets/learners.ts";
import { LEO } from "./presets/leo.ts";
import { NAMED_FLOWS } from "./presets/named-flows.ts";
import { OVERLAY_PATHS } from "./presets/overlays/paths.ts";
import { OVERLAY_REQUESTS } from "./presets/overlays/requests.ts";
import { OVERLAY_TREES } from "./presets/overlays/trees.ts";
import { PANTHEON } from "./presets/pantheon.ts";
import { onLinux, type ScenarioPreset } from "./presets/preset.ts";
import { RMCAT } from "./presets/rmcat.ts";
import { STACKS } from "./presets/stacks.ts";
import { SUSSEX } from "./presets/sussex.ts";
import { TESTBEDS } from "./presets/testbeds.ts";
import type { Scenario } from "./scenario.ts";
import {
  fixedScenario,
  hasDraws,
  mergeTemplates,
  type ScenarioTemplate,
  sampleScenario,
} from "./template.ts";

export interface ScenarioOptions {
  /** capacity of the data direction, for presets that take a trace */
  readonly trace?: MahimahiTrace;
  /** seconds, > 0; absent: the preset's */
  readonly durationSec?: number;
  /** draws what the preset leaves to a seed */
  readonly rng?: Rng;
}

/** Four constant links around the training range: names say rate, round trip and buffer. */
export const BENCHMARK_LINKS: readonly Scenario[] = (
  [
    [12, 40, 1],
    [24, 80, 2],
    [96, 20, 1],
    [72, 60, 4],
  ] as const
).map(([mbps, rttMs, bufferBdp]) =>
  makeLink({
    name: `link-${mbps}mbps-${rttMs}ms-${bufferBdp}bdp`,
    mbps,
    rttMs,
    bufferBdp,
    source: "ccpark benchmark",
  }),
);

const CCPARK: readonly ScenarioPreset[] = [
  ...BENCHMARK_LINKS.map(
    (scenario): ScenarioPreset => ({
      name: scenario.name,
      source: scenario.source,
      description: scenario.description,
      status: { kind: "runnable" },
      trace: "none",
      template: () => scenario,
    }),
  ),
  ...["lte-driving", "lte-slow-walk"].map((shipped) =>
    onLinux(
      cellular(`cell-${shipped}`, {
        trace: { shipped },
        source: "ccpark, generated trace in the set-up of ccp-cell",
        description: `trace ${shipped}, 10 ms each way, drop-tail 100 packets, unlimited ACK direction`,
      }),
    ),
  ),
];

const ALL: readonly ScenarioPreset[] = [
  ...[...PARK, ...CCP, ...PANTHEON, ...ORCA_SAGE, ...CCBENCH_GRIDS].map(onLinux),
  ...RMCAT,
  ...NAMED_FLOWS,
  ...BUNDLES,
  ...STACKS,
  ...LEARNERS,
  ...TESTBEDS,
  BBR_DRAFT,
  C4,
  SUSSEX,
  LEO,
  ...OVERLAY_PATHS,
  ...OVERLAY_TREES,
  ...OVERLAY_REQUESTS,
  ...CCPARK,
];

/** Every preset by name, in the order of listings; members of grids are not among them. */
export const SCENARIOS: ReadonlyMap<string, ScenarioPreset> = new Map(ALL.map((each) => [each.name, each]));

/** Members of the presets that were asked for theirs: a grid has hundreds. */
const membersOf = new Map<string, ReadonlyMap<string, ScenarioPreset>>();

/** The members of a preset by name; none: empty. */
export function presetMembers({ name, members }: ScenarioPreset): ReadonlyMap<string, ScenarioPreset> {
  let known = membersOf.get(name);
  if (known === undefined) {
    known = new Map(members?.().map((each) => [each.name, each]));
    membersOf.set(name, known);
  }
  return known;
}

/**
 * A preset, or a member of one: `ccbench1-grid/24-2x-u-20ms-4bdp`.
 * @throws CcparkError not-found with the name probably meant
 */
export function findPreset(name: string): ScenarioPreset {
  const parent = SCENARIOS.get(name.split("/", 1)[0]!);
  if (!name.includes("/") || parent?.members === undefined) {
    return namedEntry("scenario", "scenario", SCENARIOS, name, "ccpark explain scenarios");
  }
  return namedEntry(
    "scenario",
    "scenario",
    presetMembers(parent),
    name,
    `ccpark explain scenarios ${parent.name}`,
  );
}

/** What a name stands for: a preset with a scenario of its own is itself, a grid is its members. */
export function expandPreset(name: string): readonly ScenarioPreset[] {
  const found = findPreset(name);
  return found.template === undefined ? [...presetMembers(found).values()] : [found];
}

/**
 * The template of a preset.
 * @throws CcparkError not-found for an unknown name; invalid-argument for a trace that is missing or not wanted, or for a
 *   grid
 */
export function presetTemplate(name: string, trace?: MahimahiTrace): ScenarioTemplate {
  const found = findPreset(name);
  if (found.trace === "none" && trace !== undefined) {
    const takers = ALL.filter((each) => each.trace === "any").map((each) => `\`${each.name}\``);
    throw new CcparkError(
      "invalid-argument",
      `[scenario] \`${name}\` takes no trace: got ${trace.name}, expected none; a trace goes with ${takers.join(", ")}`,
    );
  }
  if (found.trace !== "none" && trace === undefined) {
    const expected =
      found.trace === "any"
        ? "--trace with a file or a shipped name such as `lte-driving`"
        : `trace \`${found.trace.shipped}\``;
    throw new CcparkError(
      "invalid-argument",
      `[scenario] \`${name}\` needs a trace: got none, expected ${expected}`,
    );
  }
  if (found.template === undefined) {
    const [first] = presetMembers(found).values();
    throw new CcparkError(
      "invalid-argument",
      `[scenario] \`${name}\` is a grid: got its name, expected one of its members such as \`${first?.name}\``,
    );
  }
  return found.template(trace);
}

/**
 * The scenario of a preset.
 * @throws as `presetTemplate`; CcparkError invalid-argument where a seed must draw it and no generator is given;
 *   ScenarioError for a bad duration
 */
export function getScenario(name: string, options: ScenarioOptions = {}): Scenario {
  const { trace, durationSec, rng } = options;
  const template = presetTemplate(name, trace);
  const changed = durationSec === undefined ? template : mergeTemplates(template, { durationSec });
  return drawScenario(name, changed as ScenarioTemplate, rng);
}

/** @throws CcparkError invalid-argument where a seed must draw and no generator is given */
export function drawScenario(name: string, template: ScenarioTemplate, rng: Rng | undefined): Scenario {
  if (rng === undefined && hasDraws(template)) {
    throw new CcparkError(
      "invalid-argument",
      `[scenario] \`${name}\` is drawn anew for each seed: got no seed, expected one`,
    );
  }
  return rng === undefined ? fixedScenario(template, { name }) : sampleScenario(template, rng, { name });
}
