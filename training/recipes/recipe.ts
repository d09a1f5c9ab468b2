/** How a published controller was trained, as options of `ccpark train`. */
import type { OptionValues } from "../../agents/nn/options.ts";

export interface Recipe {
  /** after `--recipe` */
  readonly name: string;
  /** one sentence */
  readonly summary: string;
  readonly source: string;
  /** what is not as published, and why; one sentence each */
  readonly differs: readonly string[];
  /** presets, grids or a curriculum that episodes are drawn from, or the training range */
  readonly scenarios: readonly string[];
  /** seconds per episode; null: those of the scenarios */
  readonly episodeSec: number | null;
  readonly observation: string;
  readonly action: string;
  /** a name or a formula */
  readonly reward: string;
  readonly stepMs: number | "rtt";
  readonly learner: string;
  /** hyperparameters beside what `train` sets for the learner */
  readonly options: OptionValues;
  readonly numEnvs: number;
  /** environment steps */
  readonly steps: number;
}
