/** The experiments that there are, loaded when they run or are listed. `ccpark experiment`, its tests and its page read this table. */
import { CcparkError, unknownName } from "../../core/errors.ts";
import type { Experiment } from "./experiment.ts";

type Load = () => Promise<Experiment>;

/** Order: as `ccpark experiment` lists them. */
const TABLE: Readonly<Record<string, Load>> = {
  incast: async () => (await import("./ccp-thesis/incast.ts")).incast,
  response: async () => (await import("./laws/response.ts")).response,
  fairness: async () => (await import("./laws/fairness.ts")).fairness,
};

export const EXPERIMENT_NAMES: readonly string[] = Object.keys(TABLE);

/** @throws CcparkError (not-found) */
export async function loadExperiment(name: string): Promise<Experiment> {
  if (!Object.hasOwn(TABLE, name)) throw unknownName("experiment", "experiment", name, EXPERIMENT_NAMES);
  const experiment = await TABLE[name]!();
  if (experiment.name !== name) {
    throw new CcparkError("internal", `[experiment] \`${name}\` calls itself \`${experiment.name}\``);
  }
  return experiment;
}
