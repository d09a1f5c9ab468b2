/** Wiring: the environments that a client of `ccpark serve` asks for, made from its keyword arguments, and their host. */

import { checkCrossTraffic, crossTrafficAlgorithm } from "../algorithms/cross-traffic.ts";
import { CcparkError, showValue, unknownName } from "../core/errors.ts";
import { CongestionEnv, expectOneFlow } from "../envs/congestion-env.ts";
import { SERVED_IDS } from "../envs/grpc/served-ids.ts";
import { describeMultiFlow, describeSingleFlow } from "../envs/grpc/session/env-catalogue.ts";
import type { EnvHost } from "../envs/grpc/session/env-host.ts";
import { envHost } from "../envs/grpc/session/env-host-threads.ts";
import type { ServedEnv } from "../envs/grpc/session/served-env.ts";
import { parseEnvOptions, parseMultiFlowOptions } from "../envs/options.ts";
import type { SignalNames } from "../envs/signals/signal-files.ts";
import { drawScenario, expectNoChanges, type ScenarioSource } from "../envs/steps/scenario-source.ts";
import { MultiFlowSlots } from "../envs/vector/slots/multi-flow.ts";
import { SingleFlowSlot } from "../envs/vector/slots/single-flow.ts";
import type { SlotEnvParts } from "../envs/vector/slots/slot-episode.ts";
import { pictureDrawer } from "../eval/render.ts";
import { slowAckPath } from "../scenarios/estimates/ack-path.ts";
import { flowsUnderTest } from "../scenarios/flows.ts";
import type { Override } from "../scenarios/overrides.ts";
import { findPreset } from "../scenarios/presets.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { isScenarioFile, resolveScenarios, resolveWritten } from "../scenarios/scenario-files.ts";
import { isPlainObject, type PlainObject } from "../scenarios/template.ts";
import { DEFAULT_TESTBED, findTestbed } from "../testbeds/registry.ts";
import { expectAccepts, type Testbed } from "../testbeds/testbed.ts";
import { SHIPPED_TRACES } from "../traces/shipped.ts";

/** What a client gets that names no scenario. */
export interface ServedDefaults {
  /** presets, grids or files; each episode draws one of them; of several flows always `SEVERAL_FLOWS` */
  readonly scenarios: readonly string[];
  readonly tracePath?: string;
  readonly overrides?: readonly Override[];
  /** paths of modules that clients may name; whoever makes environments has loaded them (`loadSignals`) */
  readonly signals?: SignalNames;
  /** folder with the files that pictures need (`eval/render-files.ts`), for a bundle; absent: the installed packages' */
  readonly assets?: string;
}

const DEFAULTS: ServedDefaults = { scenarios: ["park-paper"] };
/** Six flows under test that join one after the other, in 15 s. */
const SEVERAL_FLOWS: ServedDefaults = { scenarios: ["transperf-sample"] };

const invalid = (message: string, field: string): CcparkError =>
  new CcparkError("invalid-argument", `[env] ${message}`, { field });

/** A client names a shipped trace, or sends its text with its scenario; this machine's files are not for it to open. */
function shippedTrace(name: string | undefined): string | undefined {
  const names = SHIPPED_TRACES.map((trace) => trace.name);
  if (name === undefined || names.includes(name)) return name;
  throw new CcparkError(
    "not-found",
    `[env] unknown trace ${showValue(name)}: a client may name a shipped one: ${names.join(", ")}, or send \`scenario.files\` with the text`,
    { field: "trace" },
  );
}

function checkObject(value: unknown): PlainObject {
  if (isPlainObject(value)) return value;
  throw invalid(`wrong scenario: got ${showValue(value)}, expected a scenario object`, "scenario");
}

/** What an environment asks of every scenario that it may get. */
type CheckScenario = (scenario: Scenario) => void;

/** What a kind of environment wants of its scenarios. */
interface Wanted {
  readonly defaults: ServedDefaults;
  /** throws CcparkError */
  readonly check: CheckScenario;
}

function sourceOf(
  value: unknown,
  trace: unknown,
  durationSec: unknown,
  { defaults, check }: Wanted,
): ScenarioSource {
  if (value !== undefined && !isPlainObject(value) && typeof value !== "string") {
    throw invalid(
      `wrong scenario: got ${showValue(value)}, expected a name or a scenario object`,
      "scenario",
    );
  }
  if (trace !== undefined && typeof trace !== "string") {
    throw invalid(`wrong trace: got ${showValue(trace)}, expected a name`, "trace");
  }
  if (durationSec !== undefined && typeof durationSec !== "number") {
    throw invalid(
      `wrong durationSec: got ${showValue(durationSec)}, expected seconds above 0`,
      "durationSec",
    );
  }
  if (isPlainObject(value)) return resolveWritten(value, { tracePath: trace, durationSec, check }).draw;
  if (typeof value === "string" && isScenarioFile(value)) {
    const message = `${showValue(value)} is a file: got its name, expected \`{ extends: NAME, files: { NAME: its text } }\`, as clients of this package send it`;
    throw invalid(message, "scenario");
  }
  // a client's name is a preset's, never that of a file
  const names = value === undefined ? defaults.scenarios : [findPreset(value).name];
  const entries = resolveScenarios(names, {
    tracePath: shippedTrace(trace) ?? (value === undefined ? defaults.tracePath : undefined),
    durationSec,
    overrides: value === undefined ? defaults.overrides : [],
  });
  const [first] = entries;
  if (entries.length === 1) return first!.drawn ? first!.draw : first!.of(0);
  return (rng) => entries[rng.integer(entries.length)]!.draw(rng);
}

/** What both environments take besides their own options. */
interface CommonKwargs {
  readonly parts: SlotEnvParts;
  readonly testbed: Testbed;
  /** not checked yet */
  readonly options: Readonly<Record<string, unknown>>;
}

function commonKwargs(
  {
    scenario,
    trace,
    durationSec,
    render = false,
    testbed = DEFAULT_TESTBED,
    ...options
  }: Readonly<Record<string, unknown>>,
  wanted: Wanted,
): CommonKwargs {
  if (typeof render !== "boolean") {
    throw invalid(`wrong render: got ${showValue(render)}, expected true or false`, "render");
  }
  const check: CheckScenario = (drawn) => {
    checkCrossTraffic(drawn);
    expectNoChanges(drawn);
    wanted.check(drawn);
  };
  const scenarios = sourceOf(scenario, trace, durationSec, { ...wanted, check });
  const first = drawScenario(scenarios, 0);
  // a published link is as it is; one that the client made faster may have kept its slow ACKs
  const slow = isPlainObject(scenario) || trace !== undefined ? slowAckPath(first) : undefined;
  const parts: SlotEnvParts = {
    scenarios,
    notes: slow === undefined ? [] : [slow],
    readScenario: (given) => resolveWritten(checkObject(given), { check }).draw,
    draw: pictureDrawer(wanted.defaults.assets),
    render,
  };
  if (typeof testbed !== "string") {
    throw invalid(`wrong testbed: got ${showValue(testbed)}, expected a name`, "testbed");
  }
  const world = findTestbed(testbed);
  wanted.check(first);
  expectAccepts(world, first);
  return { parts, testbed: world, options };
}

function repeat<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

/** The environment that a session steps, without the service: the same bytes for the same seed and actions. */
export function singleFlowEnv(
  kwargs: Readonly<Record<string, unknown>>,
  defaults: ServedDefaults = DEFAULTS,
): CongestionEnv {
  const { parts, options } = commonKwargs(kwargs, { defaults, check: expectOneFlow });
  return new CongestionEnv(parts.scenarios, parseEnvOptions(options), { algorithms: crossTrafficAlgorithm });
}

function singleFlow(defaults: ServedDefaults): ServedEnv {
  return {
    envId: SERVED_IDS.singleFlow,
    list: () => describeSingleFlow().env!,
    describe: describeSingleFlow,
    make(kwargs, count) {
      const { parts, options, testbed } = commonKwargs(kwargs, { defaults, check: expectOneFlow });
      const parsed = parseEnvOptions(options);
      return repeat(count, () => new SingleFlowSlot(parsed, parts, crossTrafficAlgorithm, testbed));
    },
  };
}

/** Draws of a scenario that are looked at for ids of flows; where a rarer one has others, the client names them. */
const DRAWS = 16;

/** As many flows under test as one datapath takes. */
const MAX_POSSIBLE_FLOWS = 1_024;
/** As of names in scenarios. */
const MAX_ID_LENGTH = 200;

function isFlowId(id: unknown): id is string {
  return typeof id === "string" && id !== "" && id.length <= MAX_ID_LENGTH;
}

/** Ids of all flows under test that may ever be there: given by the client, or found in its scenarios. */
class PossibleFlows {
  /** given, or found: no scenario may bring others from then on */
  #known: readonly string[] | undefined;
  readonly #seen = new Set<string>();

  constructor(given: unknown) {
    if (given === undefined) return;
    if (Array.isArray(given) && given.length > MAX_POSSIBLE_FLOWS) {
      throw invalid(
        `wrong possibleFlows: got ${given.length} ids, expected at most ${MAX_POSSIBLE_FLOWS}`,
        "possibleFlows",
      );
    }
    if (!Array.isArray(given) || given.length === 0 || !given.every(isFlowId)) {
      throw invalid(
        `wrong possibleFlows: got ${showValue(given)}, expected a list of ids of 1 to ${MAX_ID_LENGTH} characters`,
        "possibleFlows",
      );
    }
    this.#known = given;
  }

  /** Every scenario that a template can make passes by. @throws CcparkError (not-found) for a flow that is not among the given */
  check(scenario: Scenario): void {
    for (const id of flowsUnderTest(scenario)) {
      if (this.#known === undefined) this.#seen.add(id);
      else if (!this.#known.includes(id)) {
        throw unknownName("env", "flow under test", id, this.#known, "scenario.flows");
      }
    }
  }

  /** Where nothing is given: those of some draws, one with the most flows first, and what else a choice can bring. */
  of({ scenarios }: SlotEnvParts): readonly string[] {
    if (this.#known !== undefined) return this.#known;
    const draws = typeof scenarios === "function" ? DRAWS : 1;
    const sets = Array.from({ length: draws }, (_, seed) => flowsUnderTest(drawScenario(scenarios, seed)));
    this.#known = [...new Set([...sets.sort((a, b) => b.length - a.length).flat(), ...this.#seen])];
    return this.#known;
  }
}

function multiFlow({ assets }: ServedDefaults): ServedEnv {
  return {
    envId: SERVED_IDS.multiFlow,
    list: () => describeMultiFlow().env!,
    describe: describeMultiFlow,
    make({ possibleFlows: given, ...kwargs }, count) {
      const flows = new PossibleFlows(given);
      const { parts, options, testbed } = commonKwargs(kwargs, {
        defaults: { ...SEVERAL_FLOWS, assets },
        check: (scenario) => flows.check(scenario),
      });
      if (testbed.clock === "real") {
        const message = `wrong testbed: got ${testbed.name}, expected one in virtual time: flows share the steps`;
        throw invalid(message, "testbed");
      }
      const parsed = parseMultiFlowOptions(options);
      const extras = { algorithms: crossTrafficAlgorithm, possibleFlows: flows.of(parts) };
      return repeat(count, () => new MultiFlowSlots(parsed, parts, extras));
    },
  };
}

/** Everything that `ccpark serve` serves; main thread and workers make the same from the same defaults. */
export function servedEnvs(defaults: ServedDefaults = DEFAULTS): ServedEnv[] {
  return [singleFlow(defaults), multiFlow(defaults)];
}

export interface ServedHostOptions {
  readonly defaults?: ServedDefaults;
  /** threads that step environments; 0: none. Default 0 */
  readonly workers?: number;
  /** the module that a thread runs, where it is not `env-worker` beside this one (a bundle) */
  readonly workerUrl?: URL;
  /** as those of `HostOptions` */
  readonly timeLimitMs?: number;
  readonly memoryLimitBytes?: number;
  readonly stepBudgetUs?: number;
}

/** The host of `ccpark serve`. */
export function servedHost(options: ServedHostOptions = {}): EnvHost {
  const { defaults = DEFAULTS, workers = 0, workerUrl, ...limits } = options;
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const url = workerUrl ?? new URL(`./env-worker.${extension}`, import.meta.url);
  const worker = { url, data: defaults };
  return envHost({ served: servedEnvs(defaults), workers, worker, ...limits });
}
