/** What ListEnvs and DescribeEnv say: options and scenarios as JSON Schema, and everything that has a name. */
import * as z from "zod";
import type { PresetStatus, ScenarioPreset } from "../../../scenarios/presets/preset.ts";
import { SCENARIOS } from "../../../scenarios/presets.ts";
import { scenarioJsonSchema } from "../../../scenarios/schema/json-schema.ts";
import { DEFAULT_TESTBED, TESTBEDS } from "../../../testbeds/registry.ts";
import {
  DEFAULT_ENV_OPTIONS,
  DEFAULT_MULTI_FLOW_OPTIONS,
  ENV_OPTIONS_SCHEMA,
  type EnvOptions,
  MULTI_FLOW_OPTIONS_SCHEMA,
} from "../../options.ts";
import { ACTIONS } from "../../signals/actions.ts";
import { flowRewards } from "../../signals/flow-rewards.ts";
import { GLOBAL_STATE } from "../../signals/global-state.ts";
import { OBSERVATIONS } from "../../signals/observations.ts";
import { REWARDS } from "../../signals/rewards.ts";
import type {
  DescribeEnvResponse,
  EnvInfo,
  NamedReward,
  NamedSpace,
  ScenarioInfo,
} from "../generated/ccpark/v1/environment.ts";
import { SERVED_IDS } from "../served-ids.ts";
import { spaceToWire } from "../wire.ts";
import { describeInfoKeys } from "./info-columns.ts";

type JsonSchema = Readonly<Record<string, unknown>>;

const COMMON_KWARGS: Readonly<Record<string, JsonSchema>> = {
  scenario: {
    anyOf: [{ type: "string" }, { type: "object" }],
    description: "name of a preset, or a scenario as an object (scenario_json_schema)",
  },
  trace: {
    type: "string",
    description: "a shipped trace, or one of `scenario.files`, for scenarios that take one",
  },
  durationSec: { type: "number", exclusiveMinimum: 0, description: "s, instead of the scenario's" },
  seed: {
    type: "integer",
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description: "of a first Reset without one",
  },
  testbed: {
    enum: [...TESTBEDS.keys()],
    default: DEFAULT_TESTBED,
    description:
      "the world that runs the episodes; one in real time takes the time that it says, and several flows under test only in virtual time",
  },
  render: {
    type: "boolean",
    description:
      "keep the course of episodes from their beginning on, for Render; otherwise from its first call on",
  },
};

const POSSIBLE_FLOWS: JsonSchema = {
  type: "array",
  items: { type: "string" },
  minItems: 1,
  description:
    "ids of all flows under test that may ever be there, where the scenario draws them; absent: those of some draws",
};

/** Names instead of any text, so that a form can offer them, and what is taken where an option is left out. */
function withNames(
  properties: Readonly<Record<string, JsonSchema>>,
  rewards: ReadonlyMap<string, unknown>,
  defaults: EnvOptions,
) {
  const { actionPolicy: _, ...rest } = properties;
  const named: Readonly<Record<string, JsonSchema>> = {
    ...rest,
    observation: { ...properties["observation"], enum: [...OBSERVATIONS.keys()] },
    action: { ...properties["action"], enum: [...ACTIONS.keys()] },
    reward: {
      anyOf: [{ enum: [...rewards.keys()] }, { type: "string" }],
      description: "a name, or a formula over the facts of a step (`ccpark explain facts`)",
    },
  };
  const known: Readonly<Record<string, unknown>> = { ...defaults };
  const own = Object.entries(named).map(([name, schema]) => [name, { ...schema, default: known[name] }]);
  return { ...COMMON_KWARGS, ...Object.fromEntries(own) };
}

function kwargsSchema(
  schema: z.ZodType,
  rewards: ReadonlyMap<string, unknown>,
  defaults: EnvOptions,
  further: Readonly<Record<string, JsonSchema>> = {},
): string {
  const json = z.toJSONSchema(schema, { io: "input" }) as { properties: Record<string, JsonSchema> };
  const properties = { ...withNames(json.properties, rewards, defaults), ...further };
  return JSON.stringify({ ...json, properties });
}

const STATUS: Readonly<Record<PresetStatus["kind"], string>> = {
  runnable: "runnable",
  substituted: "runnable with substitution",
  "not-runnable": "not runnable",
};

function scenarioInfo({ name, description, source, status, trace, template }: ScenarioPreset): ScenarioInfo {
  const notes = [
    status.kind === "substituted" ? status.substitution : "",
    status.kind === "not-runnable" ? status.why : "",
    template === undefined
      ? `a grid: an episode draws one of its members; one alone is called ${name}/...`
      : "",
    trace === "any" ? "needs the option trace" : "",
  ];
  return { name, description, source, status: STATUS[status.kind], note: notes.filter(Boolean).join("; ") };
}

const observations = (): NamedSpace[] =>
  [...OBSERVATIONS.values()].map(({ name, definition, source, space }) => ({
    name,
    definition,
    source,
    space: spaceToWire(space),
  }));

const actions = (): NamedSpace[] =>
  [...ACTIONS.values()].map(({ name, definition, source, space }) => ({
    name,
    definition,
    source,
    space: spaceToWire(space),
  }));

type AnyReward = Omit<NamedReward, "components"> & {
  readonly components: readonly { readonly name: string; readonly definition: string }[];
};

function describe(env: EnvInfo, rewards: Iterable<AnyReward>): DescribeEnvResponse {
  const named = [...rewards].map(({ name, definition, source, low, high, components }) => ({
    name,
    definition,
    source,
    low,
    high,
    components: components.map((each) => ({ name: each.name, definition: each.definition })),
  }));
  const components = new Map<string, string>();
  for (const reward of named) {
    for (const { name, definition } of reward.components) {
      const before = components.get(name);
      const own = `${reward.name}: ${definition}`;
      components.set(name, before === undefined ? own : `${before}; ${own}`);
    }
  }
  return {
    env,
    observations: observations(),
    actions: actions(),
    rewards: named,
    scenarios: [...SCENARIOS.values()].map(scenarioInfo),
    infoKeys: describeInfoKeys(components),
    stateSpace: env.severalFlows ? spaceToWire(GLOBAL_STATE.space) : undefined,
  };
}

export function describeSingleFlow(): DescribeEnvResponse {
  return describe(
    {
      envId: SERVED_IDS.singleFlow,
      description:
        "One flow under test on a simulated network: a step is the time between two reports of its datapath",
      severalFlows: false,
      kwargsJsonSchema: kwargsSchema(ENV_OPTIONS_SCHEMA, REWARDS, DEFAULT_ENV_OPTIONS),
      scenarioJsonSchema: JSON.stringify(scenarioJsonSchema()),
    },
    REWARDS.values(),
  );
}

export function describeMultiFlow(): DescribeEnvResponse {
  return describe(
    {
      envId: SERVED_IDS.multiFlow,
      description:
        "Several flows under test on one simulated network, which join and leave: a step is a fixed time",
      severalFlows: true,
      kwargsJsonSchema: kwargsSchema(MULTI_FLOW_OPTIONS_SCHEMA, flowRewards(), DEFAULT_MULTI_FLOW_OPTIONS, {
        possibleFlows: POSSIBLE_FLOWS,
      }),
      scenarioJsonSchema: JSON.stringify(scenarioJsonSchema()),
    },
    flowRewards().values(),
  );
}
