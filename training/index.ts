/** The training loop, its environments and its run folder. */
export { Continuation, type RunConfig } from "./run-config.ts";
export { loadRunCheckpoint, loadRunConfig, openRunFolder, type RunFolder } from "./run-files.ts";
export { type TrainOptions, type TrainResult, train } from "./train.ts";
export { openTrainingEnvs, type TrainingEnvSpec } from "./training-env.ts";
