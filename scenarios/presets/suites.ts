/** Suites: the presets that their authors run together, under one name. */
import { namedEntry } from "../../core/errors.ts";

export interface ScenarioSuite {
  readonly name: string;
  readonly source: string;
  readonly description: string;
  /** presets and grids in the order of the source */
  readonly scenarios: readonly string[];
  /** what runs in place of a preset that needs a trace, where none is given */
  readonly withoutTrace?: Readonly<Record<string, string>>;
  /** runs per scenario and algorithm that the source makes; absent: the command's default */
  readonly seeds?: number;
  /** the axes are throughput and one-way delay */
  readonly oneWayDelay?: true;
}

const PANTHEON_NUMBERS = Array.from({ length: 18 }, (_, i) => i + 1);
const PANTHEON_SOURCE = "Pantheon (Yan et al., USENIX ATC 2018), StanfordSNR/observatory @84f9454";
/** The observatory makes five runs of each. */
const PANTHEON_RUNS = 5;

const ALL: readonly ScenarioSuite[] = [
  {
    name: "pantheon",
    source: PANTHEON_SOURCE,
    description:
      "the 18 emulators with one flow: throughput against the 95th percentile of the one-way delay",
    scenarios: PANTHEON_NUMBERS.map((number) => `pantheon-${number}`),
    seeds: PANTHEON_RUNS,
    oneWayDelay: true,
  },
  {
    name: "pantheon-3flows",
    source: PANTHEON_SOURCE,
    description: "the 18 emulators with three flows under test, 10 s apart",
    scenarios: PANTHEON_NUMBERS.map((number) => `pantheon-${number}/3-flows`),
    seeds: PANTHEON_RUNS,
    oneWayDelay: true,
  },
  {
    name: "ccbench1",
    source: "Soheil-ab/ccBench @49b5ada, solo",
    description: "690 links, flat and stepping, one flow each",
    scenarios: ["ccbench1-grid"],
  },
  {
    name: "ccbench2",
    source: "Soheil-ab/ccBench @49b5ada, friendliness",
    description: "125 links, each beside one flow of Cubic",
    scenarios: ["ccbench2-grid"],
  },
  {
    name: "ccp",
    source: "CCP (Narayan et al., SIGCOMM 2018), ccp-project/eval-scripts @b734153",
    description: "fixed link, cellular trace, random drops, the BBR figure, flow completion times",
    scenarios: ["ccp-fixed", "ccp-cell", "ccp-drop", "ccp-bbr-fig3", "ccp-fct"],
    withoutTrace: { "ccp-cell": "cell-lte-driving" },
  },
  {
    name: "rmcat",
    source: "RFC 8867, section 5, cisco/ns3-rmcat @adb3f8e",
    description: "the eight wired cases for interactive media",
    scenarios: [1, 2, 3, 4, 5, 6, 7, 8].map((number) => `rmcat-5.${number}`),
    oneWayDelay: true,
  },
  {
    name: "prudentia",
    source: "internetfairness.net, methodology page",
    description: "8 and 50 Mbit/s with 4 BDP, each algorithm beside each other one",
    scenarios: ["prudentia-8", "prudentia-50"],
  },
  {
    name: "transperf",
    source: "google/transperf, sample_config",
    description: "four and six flows of one algorithm",
    scenarios: ["transperf-4bbr2", "transperf-sample"],
  },
  {
    name: "quic-interop",
    source: "quic-interop runner, measurements",
    description: "goodput, alone and with cross traffic",
    scenarios: ["quic-interop-goodput", "quic-interop-goodput/cross-traffic"],
  },
  {
    name: "sage",
    source: "Soheil-ab/sage, run_sample*.sh @eedd281",
    description: "the three sample runs: flat, step up, step down",
    scenarios: ["sage-sample-24-flat", "sage-sample-24-2x-u", "sage-sample-48-2x-d"],
  },
  {
    name: "indigo",
    source: "StanfordSNR/indigo, dagger/worker.py @463d89b",
    description: "the 30 links of Indigo's training",
    scenarios: ["indigo-train"],
  },
  {
    name: "cctestbed",
    source: "arukshani/tmp-cctestbed, ccalg_fairness.py @1da7772",
    description: "12 links of three rates and four round trips",
    scenarios: ["cctestbed-table"],
  },
  {
    name: "bbr-draft",
    source: "draft-ietf-ccwg-bbr, appendix BBR Example Test Cases, @4ce5e87",
    description: "the 22 test cases of BBRv3 with their thresholds; for bbr3 and native-bbr3",
    scenarios: ["bbr-draft"],
    seeds: 1,
  },
  {
    name: "c4",
    source: "draft-huitema-ccwg-c4-test, private-octopus/c4, doc/c4-tests.md",
    description:
      "the 31 simulations of C4 with their thresholds: the verdict is that of the worst of 100 trials",
    scenarios: ["c4"],
    seeds: 100,
  },
  {
    name: "sussex",
    source: "University of Sussex, fairness and responsiveness suite, 2025-26",
    description:
      "fairness by round trip, beside CUBIC both ways, rates, a parking lot, links that change every 10 s",
    scenarios: ["sussex"],
    seeds: 1,
  },
  {
    name: "leo",
    source: "ccpark, after Tanveer et al., CoNEXT 2023",
    description: "ten paths over satellites in low orbits, with a handover every 15 s",
    scenarios: ["leo"],
  },
];

export const SUITES: ReadonlyMap<string, ScenarioSuite> = new Map(ALL.map((each) => [each.name, each]));

/**
 * The suite of a name.
 * @throws CcparkError not-found with the name probably meant
 */
export function findSuite(name: string): ScenarioSuite {
  return namedEntry("bench", "suite", SUITES, name);
}

/** The scenarios to run; @param hasTrace the caller gives a trace for those that need one */
export function suiteScenarios({ scenarios, withoutTrace = {} }: ScenarioSuite, hasTrace: boolean): string[] {
  return scenarios.map((name) => (hasTrace ? name : (withoutTrace[name] ?? name)));
}
