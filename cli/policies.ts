/** Wiring: trained policies as contenders and as algorithms. Learners and networks are loaded with this module, where a policy is named. */
import { createHash } from "node:crypto";
import { basename, dirname, resolve } from "node:path";
import { type Checkpoint, encodeCheckpoint } from "../agents/checkpoint.ts";
import { DEFAULT_LEARNER, getLearner } from "../agents/registry.ts";
import { loadZoo, ZOO_PREFIX } from "../agents/zoo-files.ts";
import type { CcpAlgorithm } from "../ccp-bridge/agent/algorithm.ts";
import { DEFAULT_ENV_OPTIONS, type EnvOptions } from "../envs/options.ts";
import { policyAlgorithm } from "../envs/policy-algorithm.ts";
import { loadSignals, signalsOf } from "../envs/signals/signal-files.ts";
import { type Contender, UNTRAINED } from "../eval/contenders/contender.ts";
import { agentContender, asyncAgentContender } from "../eval/contenders/policy-contender.ts";
import { type StoredPolicy, spacesOf, storedPolicy } from "../training/described-env.ts";
import { loadRunCheckpoint } from "../training/run-files.ts";

export interface LoadedCheckpoint extends StoredPolicy {
  readonly contender: Contender;
  readonly checkpoint: Checkpoint;
  /** base name and digest: what results say of it */
  readonly stored: { readonly name: string; readonly sha256: string; readonly steps: number };
}

export function checkpointContender(name: string, path: string, checkpoint: Checkpoint): LoadedCheckpoint {
  const stored = storedPolicy(checkpoint);
  const { policy, env, envelope } = stored;
  const sha256 = createHash("sha256").update(encodeCheckpoint(checkpoint)).digest("hex");
  const { learner, steps } = checkpoint.header;
  const description = `${getLearner(learner).title} after ${steps.toLocaleString("en")} steps, acting greedily`;
  return {
    contender: agentContender(name, description, policy, env, envelope),
    checkpoint,
    ...stored,
    stored: { name: basename(path), sha256, steps },
  };
}

/**
 * With the modules of its observation and reward.
 * @param path a checkpoint file, the folder of a run, or `zoo:NAME`
 * @throws CcparkError (not-found, invalid-argument)
 */
export async function loadCheckpointContender(name: string, path: string): Promise<LoadedCheckpoint> {
  const checkpoint = path.startsWith(ZOO_PREFIX) ? loadZoo(path) : loadRunCheckpoint(path);
  await loadSignals(signalsOf(checkpoint.header.env), path);
  return checkpointContender(name, path, checkpoint);
}

/** The policy of a checkpoint as a CCP algorithm, by the name that benchmarks give it. @throws as `loadCheckpointContender` */
export async function checkpointAlgorithm(
  path: string,
  name: string = policyLabel(path),
): Promise<CcpAlgorithm> {
  const { policy, env } = await loadCheckpointContender(name, path);
  return policyAlgorithm(name, policy, env);
}

/** What tells one checkpoint from another in a table: its file's name, or its run's where the file has the common name. */
export function runName(path: string): string {
  const file = basename(path).replace(/\.[^.]*$/, "");
  return file === "checkpoint" ? basename(dirname(resolve(path))) : file;
}

/** What tables call a policy: `zoo:NAME` as it is, and `agent:` with the name of its run. @param path as of `loadCheckpointContender` */
export function policyLabel(path: string): string {
  return path.startsWith(ZOO_PREFIX) ? path : `agent:${runName(path)}`;
}

/** The learner's policy before its first update. */
export function untrainedContender(env: EnvOptions = DEFAULT_ENV_OPTIONS, seed = 1): Contender {
  const policy = getLearner(DEFAULT_LEARNER).make({ ...spacesOf(env), seed });
  return agentContender(
    UNTRAINED,
    "the learner's policy before its first update, acting greedily",
    policy,
    env,
  );
}

export interface LoadedModel {
  readonly contender: Contender;
  /** base name and digest: what results say of it */
  readonly stored: { readonly name: string; readonly sha256: string };
}

/** What tables call a policy from another learner. */
function onnxLabel(path: string): string {
  return `onnx:${basename(path).replace(/\.onnx$/, "")}`;
}

/** A policy from another learner as a CCP algorithm for datapaths in real time: its runtime answers later. */
export async function onnxAlgorithm(path: string, name: string = onnxLabel(path)): Promise<CcpAlgorithm> {
  const { loadOnnxPolicy } = await import("../eval/onnx/policy.ts");
  const policy = await loadOnnxPolicy(path);
  return policyAlgorithm(name, policy, policy.contract.env);
}

/** A policy from another learner, in the steps that its contract names. */
export async function loadOnnxContender(path: string): Promise<LoadedModel> {
  const { loadOnnxPolicy } = await import("../eval/onnx/policy.ts");
  const policy = await loadOnnxPolicy(path);
  const { env, madeBy } = policy.contract;
  const sha256 = createHash("sha256").update(policy.model).digest("hex");
  return {
    contender: asyncAgentContender(
      onnxLabel(path),
      `ONNX policy by ${madeBy}, acting greedily`,
      policy,
      env,
      policy.contract.envelope,
    ),
    stored: { name: basename(path), sha256 },
  };
}
