/** Wiring: the environment that a client of `ccpark serve` asks for, made from its keyword arguments. */
import { CcparkError } from "../core/errors.ts";
import { Rng } from "../core/random.ts";
import { CongestionEnv } from "../envs/congestion-env.ts";
import type { EnvHost } from "../envs/grpc/env-host.ts";
import { localHost } from "../envs/grpc/env-host-local.ts";
import type { MakeEnv } from "../envs/grpc/session-env.ts";
import { parseEnvOptions } from "../envs/options.ts";
import type { ScenarioSource } from "../envs/scenario-source.ts";
import type { Override } from "../envs/scenarios/overrides.ts";
import { findPreset, presetTemplate } from "../envs/scenarios/presets.ts";
import { resolveScenarios } from "../envs/scenarios/scenario-files.ts";
import {
  checkTemplate,
  isPlainObject,
  mergeTemplates,
  type PlainObject,
  sampleScenario,
} from "../envs/scenarios/template.ts";
import { crossTrafficAlgorithm } from "../eval/cross-traffic.ts";
import { SHIPPED_TRACES } from "../traces/shipped.ts";

/** What a client gets that names no scenario. */
export interface ServedDefaults {
  /** presets, grids or files; each episode draws one of them */
  readonly scenarios: readonly string[];
  readonly tracePath?: string;
  readonly overrides?: readonly Override[];
}

const DEFAULTS: ServedDefaults = { scenarios: ["park-paper"] };

/** A client names a shipped trace; paths of the server's file system are not for it to open. */
function shippedTrace(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const names = SHIPPED_TRACES.map((trace) => trace.name);
  if (typeof value === "string" && names.includes(value)) return value;
  throw new CcparkError(
    "not-found",
    `[env] unknown trace ${JSON.stringify(value)}: a client may name a shipped one: ${names.join(", ")}`,
  );
}

function checkObject(value: unknown): PlainObject {
  if (isPlainObject(value)) return value;
  throw new CcparkError(
    "invalid-argument",
    `[env] wrong scenario: got ${JSON.stringify(value)}, expected a scenario object`,
  );
}

/** A template as data may extend a preset; it names no files. */
function templateSource(value: PlainObject): (rng: Rng) => ReturnType<typeof sampleScenario> {
  const { extends: base, ...own } = value;
  const merged = typeof base === "string" ? mergeTemplates(presetTemplate(base), own) : value;
  const template = checkTemplate(merged);
  return (rng) => sampleScenario(template, rng);
}

function sourceOf(
  value: unknown,
  trace: unknown,
  durationSec: unknown,
  defaults: ServedDefaults,
): ScenarioSource {
  if (isPlainObject(value)) return templateSource(value);
  if (value !== undefined && typeof value !== "string") {
    throw new CcparkError(
      "invalid-argument",
      `[env] wrong scenario: got ${JSON.stringify(value)}, expected a name or a scenario object`,
    );
  }
  if (durationSec !== undefined && typeof durationSec !== "number") {
    throw new CcparkError(
      "invalid-argument",
      `[env] wrong durationSec: got ${JSON.stringify(durationSec)}, expected seconds above 0`,
    );
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

/** Keyword arguments: scenario, trace, durationSec and the options of the environment (`EnvOptions`). */
export function servedEnvMaker(defaults: ServedDefaults): MakeEnv {
  return (kwargs) => {
    const { scenario, trace, durationSec, ...options } = kwargs;
    const env = new CongestionEnv(
      sourceOf(scenario, trace, durationSec, defaults),
      parseEnvOptions(options),
      {
        algorithms: crossTrafficAlgorithm,
      },
    );
    return {
      observationSpace: env.observationSpace,
      actionSpace: env.actionSpace,
      reset: (seed, other) => {
        if (other === undefined) return env.reset(seed);
        const template = checkObject(other);
        return env.reset(seed, templateSource(template)(Rng.fromSeed(seed).fork("scenario")));
      },
      step: (action) => env.step(action),
      episodeMetrics: () => ({ ...env.metrics() }),
    };
  };
}

export const makeServedEnv: MakeEnv = servedEnvMaker(DEFAULTS);

/** The host of `ccpark serve`. */
export function servedHost(defaults: ServedDefaults = DEFAULTS): EnvHost {
  return localHost(new Map([["ccpark/CongestionControl-v0", servedEnvMaker(defaults)]]));
}
