/** Algorithms and other contenders, and the parameters by which algorithms are varied. */
import type { AlgorithmSpec } from "../../../algorithms/spec.ts";
import { type Entry, modulesIn, range, type Selection } from "./entry.ts";

/** Of an algorithm over CCP with its defaults: what a datapath has to take. */
async function programFacts(spec: AlgorithmSpec): Promise<string[]> {
  const { makeAlgorithm } = await import("../../../algorithms/reference.ts");
  const { defaultParams } = await import("../../../algorithms/spec.ts");
  const { compileAlgorithms } = await import("../../../ccp-bridge/agent/program-set.ts");
  const made = makeAlgorithm({
    label: spec.name,
    spec,
    isNative: spec.ccp === undefined,
    params: defaultParams(spec),
  });
  if (typeof made === "function") return [];
  const programs = compileAlgorithms([made]).programs.map(
    ({ name, install }) => `${name}, ${install.length} bytes to install`,
  );
  return programs.length === 0
    ? []
    : [`${programs.length === 1 ? "program" : "programs"}: ${programs.join(", ")}`];
}

export async function algorithms({ name: wanted }: Selection): Promise<Entry[]> {
  const { ALGORITHMS } = await import("../../../algorithms/registry.ts");
  const { loadedModules, OTHER_CONTENDERS } = await import("../../contenders.ts");
  const modules = await loadedModules(modulesIn(wanted));
  const all = [...ALGORITHMS, ...modules];
  const programs = new Map<AlgorithmSpec, string[]>();
  for (const [, spec] of all) programs.set(spec, await programFacts(spec));
  return [
    ...all.map(([name, spec]) => {
      const { summary, source, reads, params, ccp, native, recovery } = spec;
      return {
        name,
        summary,
        source,
        facts: [
          `reads: ${reads.join(", ")}`,
          ...programs.get(spec)!,
          ...(native === undefined ? [] : [`\`native-${name}\`: in the datapath, without an agent`]),
          ...(recovery === undefined ? [] : [`after an outage: ${recovery}`]),
        ],
        dimensions: params.map((param) => ({
          ...param,
          definition: [
            param.choices
              ? `${param.choices.join(", ")}; default ${param.choices[param.default]}`
              : `default ${Number(param.default.toPrecision(4))}`,
            param.why,
            ...(param.live ? ["may change on a live flow"] : []),
          ].join("; "),
        })),
        data: { reads, ccp: ccp !== undefined, native: native !== undefined, recovery: recovery ?? null },
      };
    }),
    ...OTHER_CONTENDERS,
  ];
}

/** By what algorithms are varied: each parameter once, with those that have it. */
export async function parameters(): Promise<Entry[]> {
  const { ALGORITHMS } = await import("../../../algorithms/registry.ts");
  const { paramText } = await import("../../../algorithms/spec.ts");
  const { groupBy } = await import("../../../eval/group-by.ts");
  const all = [...ALGORITHMS.values()].flatMap(({ name: algorithm, params }) =>
    params.map((param) => ({ algorithm, param })),
  );
  const same = groupBy(all, ({ param: { default: _, ...meaning } }) => JSON.stringify(meaning));
  return [...same.values()].map((having) => {
    const [{ algorithm, param }] = having as [(typeof having)[number]];
    const { name, unit, low, high, choices = [], why } = param;
    const defaults = having.map((each) => `${each.algorithm} ${paramText(param, each.param.default)}`);
    return {
      name,
      summary: why,
      facts: [
        choices.length > 0 ? `one of ${choices.join(", ")}` : `unit: ${unit}, range: ${range(low, high)}`,
        `default: ${defaults.join(", ")}`,
        `\`ccpark bench --algorithms ${algorithm}:${name}=${choices[1] ?? paramText(param, param.default)}\``,
      ],
      data: {
        unit,
        low,
        high,
        defaults: Object.fromEntries(having.map((each) => [each.algorithm, each.param.default])),
      },
      values: choices,
    };
  });
}
