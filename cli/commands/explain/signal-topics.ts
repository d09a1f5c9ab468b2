/** What an environment shows, takes and rewards, and what formulas and results measure. */
import { isModuleFile } from "../../../core/module-path.ts";
import { loadSignals } from "../../../envs/signals/signal-files.ts";
import { type Dimension, type Entry, modulesIn, range, type Selection } from "./entry.ts";

export async function observations({ name }: Selection): Promise<Entry[]> {
  await loadSignals({ observations: modulesIn(name) });
  const { DEFAULT_OBSERVATION, OBSERVATIONS } = await import("../../../envs/signals/observations.ts");
  return [...OBSERVATIONS.values()].map((spec) => ({
    name: spec.name,
    summary: spec.definition,
    source: spec.source,
    isDefault: spec.name === DEFAULT_OBSERVATION,
    dimensions: spec.features,
    facts: [
      `${spec.space.shape[0]} numbers: ${spec.features.length} features, ${spec.history} frames, the newest last`,
    ],
    data: { history: spec.history, length: spec.space.shape[0] },
  }));
}

export async function actions({ name: wanted }: Selection): Promise<Entry[]> {
  await loadSignals({ actions: modulesIn(wanted) });
  const { ACTIONS, DEFAULT_ACTION } = await import("../../../envs/signals/actions.ts");
  return [...ACTIONS.values()].map(({ name, definition, source, space }) => ({
    name,
    summary: definition,
    source,
    isDefault: name === DEFAULT_ACTION,
    ...(space.kind === "box" ? { dimensions: space.dimensions } : { choices: space.choices }),
  }));
}

export async function rewards({ name }: Selection): Promise<Entry[]> {
  if (name !== undefined && isModuleFile(name)) await loadSignals({ rewards: [name] });
  const { DEFAULT_REWARD, REWARDS } = await import("../../../envs/signals/rewards.ts");
  const { flowRewards, getFlowReward } = await import("../../../envs/signals/flow-rewards.ts");
  // the named rewards are flow rewards too; what comes on top needs several flows
  const named = flowRewards();
  const isFormula = name !== undefined && !named.has(name);
  const specs = [...named.values(), ...(isFormula ? [getFlowReward(name)] : [])];
  const wantsFlows = (reward: string): boolean =>
    reward === name && isFormula ? reward.includes("fairShareMbps") : !REWARDS.has(reward);
  return specs.map((spec) => ({
    name: spec.name,
    summary: spec.definition,
    source: spec.source,
    isDefault: spec.name === DEFAULT_REWARD,
    facts: [
      `range of one step: ${range(spec.low, spec.high)}, unit: 1`,
      ...(wantsFlows(spec.name) ? ["only in environments of several flows"] : []),
      ...(spec.components.length > 1
        ? [`components: ${spec.components.map((each) => `${each.name}: ${each.definition}`).join(", ")}`]
        : []),
    ],
    data: { low: spec.low, high: spec.high, unit: "1", severalFlows: wantsFlows(spec.name) },
  }));
}

/** What formulas may read: of a step for rewards, of a run for `bench --metric`. */
export async function facts(): Promise<Entry[]> {
  const { FLOW_FACTS } = await import("../../../envs/signals/facts.ts");
  const { RUN_FACTS } = await import("../../../eval/metrics.ts");
  const entries = new Map<string, Entry>();
  const add = (use: string, { name, unit, low, high, definition }: Dimension): void => {
    const before = entries.get(name);
    entries.set(name, {
      name,
      summary: [before?.summary, `${use}: ${definition}`].filter(Boolean).join("; "),
      facts: before?.facts ?? [`unit: ${unit}, range: ${range(low, high)}`],
      data: { unit, low, high },
    });
  };
  for (const each of FLOW_FACTS) add("of a step (--reward)", each);
  for (const each of RUN_FACTS) add("of a run (--metric)", each);
  return [...entries.values()];
}

/** What results measure of a run, and of several beside each other. */
export async function metrics(): Promise<Entry[]> {
  const { COMPARATIVE_METRICS, RUN_FACTS } = await import("../../../eval/metrics.ts");
  return [...RUN_FACTS, ...COMPARATIVE_METRICS].map(({ name, unit, low, high, definition }) => ({
    name,
    summary: definition,
    facts: [`unit: ${unit}, range: ${range(low, high)}`],
    data: { unit, low, high },
  }));
}

/** Words of the sentences above tables. */
export const CONTENDER_NOTE =
  "A contender is whoever runs on the links of a benchmark. Deployable are those that decide by what a sender sees; the others are references and do not compete: constant, constant-rate and oracle know the link, untrained has learnt nothing.";

export const INTERVAL_NOTE =
  "Tables have 95 % intervals of means over seeds by Student's t; those of `ccpark league` and `bench --aggregate` are stratified bootstraps. Contenders are tied where the interval of their difference, seed by seed, has 0 in it; of two seeds, where neither is ahead in both.";

/** The language that facts are the names of. */
export async function formulaNotes(): Promise<string> {
  const { FORMULA_FUNCTIONS } = await import("../../../core/formula.ts");
  const lines = [
    "A formula is a reward wherever a name of one is taken, and a column of `ccpark bench --metric`:",
    "  ccpark train --reward 'log2(throughputMbps) - 0.5 * log2(max(queueDelayMs, 1)) - 10 * lossRate' --out runs/mine",
    "  ccpark bench --metric 'mbpsPerMs = goodputMbps / meanQueueDelayMs'",
    `functions: ${FORMULA_FUNCTIONS.join(", ")}`,
    "operators: + - * / % ^, comparisons (1 or 0), and, or, not, a ? b : c; pi, e",
  ];
  return `${lines.join("\n")}\n\n`;
}

export async function states(): Promise<Entry[]> {
  const { GLOBAL_STATE } = await import("../../../envs/signals/global-state.ts");
  const { name, definition, source, space } = GLOBAL_STATE;
  return [
    { name, summary: definition, source, dimensions: space.dimensions, data: { length: space.shape[0] } },
  ];
}
