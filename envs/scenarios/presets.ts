/**
 * Named scenarios: the links of papers and suites with their published numbers, the links of our benchmark, and links on
 * shipped traces. Where a source says nothing: 30 s, ACKs return over the data direction's rate, delayed ACKs.
 */
import { CcparkError, namedEntry } from "../../core/errors.ts";
import type { MahimahiTrace } from "../../traces/mahimahi.ts";
import type { DirectionSpec, QueueSpec, Scenario } from "../scenario.ts";
import { constantRate, DEFAULT_DURATION_SEC, makeDirection, makeLink, UNLIMITED } from "./links.ts";
import { validateScenario } from "./validate.ts";

export interface ScenarioOptions {
  /** capacity of the data direction, for presets that take a trace */
  readonly trace?: MahimahiTrace;
  /** seconds, > 0; absent: the preset's */
  readonly durationSec?: number;
}

export interface ScenarioPreset {
  readonly name: string;
  readonly source: string;
  readonly description: string;
  /** none: takes no trace; any: the caller gives one; otherwise the shipped trace it runs on */
  readonly trace: "none" | "any" | { readonly shipped: string };
  readonly build: (trace: MahimahiTrace | undefined) => Scenario;
}

interface PresetNumbers {
  readonly source: string;
  readonly description: string;
  readonly propagationDelayMs: number;
  readonly durationSec?: number;
  readonly forward: DirectionSpec;
  readonly reverse: DirectionSpec;
}

function preset(name: string, numbers: PresetNumbers): ScenarioPreset {
  const { source, description } = numbers;
  const scenario: Scenario = { name, durationSec: DEFAULT_DURATION_SEC, ackPolicy: "delayed", ...numbers };
  return { name, source, description, trace: "none", build: () => scenario };
}

/** Both directions at one rate; the ACK direction's queue is unlimited unless given. */
function sameRate(
  mbps: number,
  queue: QueueSpec,
  rest: { readonly lossRate?: number; readonly reverseQueue?: QueueSpec } = {},
): Pick<PresetNumbers, "forward" | "reverse"> {
  return {
    forward: makeDirection(constantRate(mbps), queue, rest.lossRate),
    reverse: makeDirection(constantRate(mbps), rest.reverseQueue ?? {}),
  };
}

/** A trace in the data direction, 10 ms each way, 100 packets: CCP's cellular set-up. */
function cellular(
  name: string,
  trace: ScenarioPreset["trace"],
  source: string,
  description: string,
  durationSec = DEFAULT_DURATION_SEC,
): ScenarioPreset {
  return {
    name,
    source,
    description,
    trace,
    build: (loaded) => ({
      name,
      source,
      description: loaded === undefined ? description : `${description}; trace ${loaded.name}`,
      forward: makeDirection(
        { kind: "trace", name: loaded!.name, opportunitiesMs: loaded!.opportunitiesMs },
        { packets: 100 },
      ),
      reverse: UNLIMITED,
      propagationDelayMs: 10,
      durationSec,
      ackPolicy: "delayed",
    }),
  };
}

const PARK_PAPER = "CCP thesis (Narayan, MIT 2022), section 4.7.5";
const PARK_CODE = "park-project/park, congestion_control.py and param.py @08f8f7f";
const CCP_EVAL = "ccp-project/eval-scripts @b734153";
const ORCA = "Soheil-ab/Orca, orca.sh @cafaf9a";
const SAGE = "Soheil-ab/sage, run_sample*.sh @eedd281";
const PANTHEON = "StanfordSNR/observatory, src/scripts/experiments.yml @84f9454";

const PUBLISHED: readonly ScenarioPreset[] = [
  preset("park-paper", {
    source: PARK_PAPER,
    description: "48 Mbit/s, 25 ms each way, drop-tail 400 packets in each direction",
    propagationDelayMs: 25,
    ...sameRate(48, { packets: 400 }, { reverseQueue: { packets: 400 } }),
  }),
  preset("park-code", {
    source: PARK_CODE,
    description: "48 Mbit/s, 25 ms each way, drop-tail 2000 packets in each direction, 120 s",
    propagationDelayMs: 25,
    durationSec: 120,
    ...sameRate(48, { packets: 2000 }, { reverseQueue: { packets: 2000 } }),
  }),
  preset("orca-sample", {
    source: ORCA,
    description: "48 Mbit/s, 10 ms each way, drop-tail 160 packets (2 BDP)",
    propagationDelayMs: 10,
    ...sameRate(48, { packets: 160 }),
  }),
  preset("sage-sample-24-flat", {
    source: SAGE,
    description: "24 Mbit/s, 10 ms each way, drop-tail 300 packets (7.5 BDP)",
    propagationDelayMs: 10,
    ...sameRate(24, { packets: 300 }),
  }),
  preset("ccp-fixed", {
    source: `${CCP_EVAL}, run-fidelity-exp.py`,
    description: "96 Mbit/s, 10 ms each way, drop-tail 160 packets (1 BDP), 60 s",
    propagationDelayMs: 10,
    durationSec: 60,
    ...sameRate(96, { packets: 160 }),
  }),
  cellular(
    "ccp-cell",
    "any",
    CCP_EVAL,
    "a cellular trace, 10 ms each way, drop-tail 100 packets, unlimited ACK direction",
  ),
  preset("ccp-drop", {
    source: CCP_EVAL,
    description: "96 Mbit/s, 10 ms each way, no queue limit, random loss 0.01 %",
    propagationDelayMs: 10,
    ...sameRate(96, {}, { lossRate: 0.0001 }),
  }),
  preset("ccp-bbr-fig3", {
    source: `${CCP_EVAL}, README`,
    description: "48 Mbit/s, 10 ms each way, drop-tail 160 packets (2 BDP)",
    propagationDelayMs: 10,
    ...sameRate(48, { packets: 160 }),
  }),
];

/** Calibrated paths. Scenarios 1 to 3 replay recorded traces that are not shipped here. */
const PANTHEON_PATHS: readonly ScenarioPreset[] = (
  [
    [4, "India to AWS India (calibrated)", 100.42, 27, 173, 0],
    [5, "AWS Korea to China (calibrated)", 77.72, 51, 94, 0.0006],
    [6, "AWS California to Mexico (calibrated)", 114.68, 45, 450, 0],
  ] as const
).map(([number, path, mbps, delayMs, packets, lossRate]) =>
  preset(`pantheon-${number}`, {
    source: PANTHEON,
    description: `${path}: ${mbps} Mbit/s, ${delayMs} ms each way, drop-tail ${packets} packets${lossRate > 0 ? ", random loss 0.06 %" : ""}`,
    propagationDelayMs: delayMs,
    ...sameRate(mbps, { packets }, { lossRate }),
  }),
);

const PANTHEON_POLICERS: readonly ScenarioPreset[] = (
  [
    [7, 12, 10],
    [8, 60, 10],
    [9, 108, 10],
    [10, 12, 50],
    [11, 60, 50],
    [12, 108, 50],
  ] as const
).map(([number, mbps, delayMs]) =>
  preset(`pantheon-${number}`, {
    source: PANTHEON,
    description: `token-bucket policer: ${mbps} Mbit/s, ${delayMs} ms each way, 1 packet of queue in each direction`,
    propagationDelayMs: delayMs,
    ...sameRate(mbps, { packets: 1 }, { reverseQueue: { packets: 1 } }),
  }),
);

const PANTHEON_ACK_AGGREGATION: readonly ScenarioPreset[] = (
  [
    [13, "one opportunity every 100 ms", [100]],
    [14, "10 opportunities every 200 ms", [200, 200, 200, 200, 200, 200, 200, 200, 200, 200]],
  ] as const
).map(([number, what, opportunitiesMs]) =>
  preset(`pantheon-${number}`, {
    source: PANTHEON,
    description: `severe ACK aggregation: 12 Mbit/s, 10 ms each way, no queue limit; ACK direction ${what}`,
    propagationDelayMs: 10,
    forward: makeDirection(constantRate(12), {}),
    reverse: makeDirection({ kind: "trace", name: what, opportunitiesMs }, {}),
  }),
);

const PANTHEON_BUFFERS: readonly ScenarioPreset[] = (
  [
    [15, "1/10", 9_000],
    [16, "1/3", 30_000],
    [17, "1/2", 45_000],
    [18, "1", 90_000],
  ] as const
).map(([number, share, bytes]) =>
  preset(`pantheon-${number}`, {
    source: PANTHEON,
    description: `buffer of ${share} BDP: 12 Mbit/s, 30 ms each way, drop-tail ${bytes} bytes`,
    propagationDelayMs: 30,
    ...sameRate(12, { bytes }),
  }),
);

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
      trace: "none",
      build: () => scenario,
    }),
  ),
  ...["lte-driving", "lte-slow-walk"].map((shipped) =>
    cellular(
      `cell-${shipped}`,
      { shipped },
      "ccpark, generated trace in the set-up of ccp-cell",
      `trace ${shipped}, 10 ms each way, drop-tail 100 packets, unlimited ACK direction`,
    ),
  ),
];

const ALL: readonly ScenarioPreset[] = [
  ...PUBLISHED,
  ...PANTHEON_PATHS,
  ...PANTHEON_POLICERS,
  ...PANTHEON_ACK_AGGREGATION,
  ...PANTHEON_BUFFERS,
  ...CCPARK,
];

/** Every preset by name, in the order of listings. */
export const SCENARIOS: ReadonlyMap<string, ScenarioPreset> = new Map(ALL.map((each) => [each.name, each]));

/**
 * The scenario of a preset.
 * @throws CcparkError not-found for an unknown name (with the one probably meant); invalid-argument for a trace that is
 *   missing or not wanted; ScenarioError for a bad duration
 */
export function getScenario(name: string, options: ScenarioOptions = {}): Scenario {
  const found = findPreset(name);
  if (found.trace === "none" && options.trace !== undefined) {
    const takers = ALL.filter((each) => each.trace === "any").map((each) => `\`${each.name}\``);
    throw new CcparkError(
      "invalid-argument",
      `[scenario] \`${name}\` takes no trace: got ${options.trace.name}, expected none; a trace goes with ${takers.join(", ")}`,
    );
  }
  if (found.trace !== "none" && options.trace === undefined) {
    const expected =
      found.trace === "any"
        ? "--trace with a file or a shipped name such as `lte-driving`"
        : `trace \`${found.trace.shipped}\``;
    throw new CcparkError(
      "invalid-argument",
      `[scenario] \`${name}\` needs a trace: got none, expected ${expected}`,
    );
  }
  const scenario = found.build(options.trace);
  return options.durationSec === undefined
    ? scenario
    : validateScenario({ ...scenario, durationSec: options.durationSec });
}

/** @throws CcparkError not-found */
export function findPreset(name: string): ScenarioPreset {
  return namedEntry("scenario", "scenario", SCENARIOS, name);
}
