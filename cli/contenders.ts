/** Wiring: which contenders the command line knows by name, and the policies among them. */
import { createHash } from "node:crypto";
import { basename, dirname, resolve } from "node:path";
import { type Checkpoint, encodeCheckpoint } from "../agents/checkpoint.ts";
import { DEFAULT_LEARNER, getLearner } from "../agents/registry.ts";
import { loadZoo, ZOO_PREFIX } from "../agents/zoo-files.ts";
import { loadModules } from "../algorithms/module-files.ts";
import { resolveAlgorithm } from "../algorithms/reference.ts";
import type { CcpAlgorithm } from "../ccp-bridge/agent/algorithm.ts";
import type { AgentEvent } from "../ccp-bridge/ipc/agent-link.ts";
import { CcparkError } from "../core/errors.ts";
import type { ExternalAgentOptions, ExternalRunResult } from "../envs/foreign-agent/external-agent.ts";
import { DEFAULT_ENV_OPTIONS, type EnvOptions } from "../envs/options.ts";
import { policyAlgorithm } from "../envs/policy-algorithm.ts";
import { loadSignals, signalsOf } from "../envs/signals/signal-files.ts";
import { algorithmContender } from "../eval/contenders/algorithm-contender.ts";
import {
  CONSTANT_RATE,
  CONSTANT_RATE_SUMMARY,
  CONSTANT_SUMMARY,
  constantContender,
  constantRateContender,
} from "../eval/contenders/constant-contender.ts";
import { type Contender, ORACLE } from "../eval/contenders/contender.ts";
import { ORACLE_SUMMARY, oracleContender } from "../eval/contenders/oracle-contender.ts";
import { agentContender, asyncAgentContender } from "../eval/contenders/policy-contender.ts";
import { loadOnnxPolicy } from "../eval/onnx/policy.ts";
import { type StoredPolicy, spacesOf, storedPolicy } from "../training/described-env.ts";
import { loadRunCheckpoint } from "../training/run-files.ts";
import { printErr } from "./console.ts";

interface Described {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
}

/** What `ccpark explain algorithms` lists besides the registry. */
export const OTHER_CONTENDERS: readonly Described[] = [
  {
    name: "./FILE.js",
    summary:
      "an algorithm of your own: a module whose default export is an AlgorithmSpec (docs/algorithms.md)",
    source: "yours",
  },
  {
    name: "agent:FILE",
    summary:
      "a policy that `ccpark train` made, acting greedily; FILE is a checkpoint or the folder of a run",
    source: "ccpark",
  },
  {
    name: "zoo:NAME",
    summary: "a policy that comes with ccpark, acting greedily (docs/training.md)",
    source: "ccpark",
  },
  {
    name: "onnx:FILE",
    summary:
      "a policy that another learner made, acting greedily; FILE is what ccpark.export_onnx of the Python package wrote",
    source: "ccpark; ONNX",
  },
  {
    name: "constant",
    summary: `the ${CONSTANT_SUMMARY}`,
    source: "ccpark",
  },
  { name: CONSTANT_RATE, summary: `the ${CONSTANT_RATE_SUMMARY}`, source: "ccpark" },
  { name: ORACLE, summary: ORACLE_SUMMARY, source: "ccpark" },
  {
    name: "untrained",
    summary: "the learner's policy before its first update",
    source: "ccpark",
  },
];

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

/** The policy of a checkpoint as a CCP algorithm, called `policy`. @throws as `loadCheckpointContender` */
export async function checkpointAlgorithm(path: string): Promise<CcpAlgorithm> {
  const { policy, env } = await loadCheckpointContender(POLICY_NAME, path);
  return policyAlgorithm(POLICY_NAME, policy, env);
}

/** What tells one checkpoint from another in a table: its file's name, or its run's where the file has the common name. */
function checkpointName(path: string): string {
  const file = basename(path).replace(/\.[^.]*$/, "");
  return file === "checkpoint" ? basename(dirname(resolve(path))) : file;
}

/** The learner's policy before its first update. */
export function untrainedContender(env: EnvOptions = DEFAULT_ENV_OPTIONS, seed = 1): Contender {
  const policy = getLearner(DEFAULT_LEARNER).make({ ...spacesOf(env), seed });
  return agentContender(
    "untrained",
    "the learner's policy before its first update, acting greedily",
    policy,
    env,
  );
}

const AGENT_PREFIX = "agent:";
const POLICY_NAME = "policy";
const ONNX_PREFIX = "onnx:";
const UNIX_PREFIX = "unix:";
const OTHER_PREFIXES = [AGENT_PREFIX, ONNX_PREFIX, UNIX_PREFIX, ZOO_PREFIX];
const OTHER_NAMES = ["constant", CONSTANT_RATE, ORACLE, "untrained"];
/** Endings of files that are contenders only with their prefix. */
const POLICY_FILES: readonly (readonly [ending: string, prefix: string])[] = [
  [".onnx", ONNX_PREFIX],
  [".ccpark", AGENT_PREFIX],
];

export interface LoadedModel {
  readonly contender: Contender;
  /** base name and digest: what results say of it */
  readonly stored: { readonly name: string; readonly sha256: string };
}

/** A policy from another learner, in the steps that its contract names. */
async function loadOnnxContender(path: string): Promise<LoadedModel> {
  const policy = await loadOnnxPolicy(path);
  const { env, madeBy } = policy.contract;
  const sha256 = createHash("sha256").update(policy.model).digest("hex");
  const name = `${ONNX_PREFIX}${basename(path).replace(/\.onnx$/, "")}`;
  return {
    contender: asyncAgentContender(
      name,
      `ONNX policy by ${madeBy}, acting greedily`,
      policy,
      env,
      policy.contract.envelope,
    ),
    stored: { name: basename(path), sha256 },
  };
}

export interface ExternalContender extends Contender {
  /** of the last run */
  readonly last: ExternalRunResult | undefined;
}

/** An agent of another process: the simulator is its datapath. */
export function externalContender(
  options: ExternalAgentOptions & { readonly onWarning?: (text: string) => void },
): ExternalContender {
  const { algorithmName = "" } = options;
  let last: ExternalRunResult | undefined;
  return {
    name: algorithmName === "" ? "unix" : `${UNIX_PREFIX}${algorithmName}`,
    description: "an agent of another process, over a unix datagram socket; not reproducible to the bit",
    reproducible: false,
    get last() {
      return last;
    },
    async run(run) {
      const { runExternalAgent, unheededText } = await import("../envs/foreign-agent/external-agent.ts");
      last = await runExternalAgent({ ...run, ...options });
      const unheeded = options.pace === "real-time" ? undefined : unheededText(options.agent, last.counters);
      if (unheeded !== undefined) options.onWarning?.(unheeded);
      return last;
    },
  };
}

/** `unix:SOCKET:NAME`; a socket's path may have colons, an algorithm's name may not. */
function parseExternal(name: string): ExternalAgentOptions {
  const at = name.lastIndexOf(":");
  const agent = name.slice(UNIX_PREFIX.length, at);
  const algorithmName = name.slice(at + 1);
  if (agent === "" || algorithmName === "") {
    const expected = "expected unix:SOCKET:NAME, the agent's socket and the algorithm to ask it for";
    throw new CcparkError("invalid-argument", `[bench] wrong contender \`${name}\`: ${expected}`);
  }
  return { agent, algorithmName };
}

/** Two contenders of one name would be one row. */
function refuseSameName(contenders: readonly Contender[]): void {
  const names = contenders.map((contender) => contender.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return;
  throw new CcparkError("invalid-argument", `[bench] two contenders are called \`${twice}\``);
}

/** What happens to the agent of a run goes to stderr, with the run's time. */
export function printAgentEvent({ nowUs, message }: AgentEvent): void {
  printErr(`[${(nowUs / 1_000_000).toFixed(3)} s] ${message}\n`);
}

/** What is to be known beside the results goes to stderr, also where no messages were asked for. */
export function printAgentWarning(text: string): void {
  printErr(`warning: ${text}\n`);
}

/** How agents of other processes are run. */
export type OutsideOptions = Pick<ExternalAgentOptions, "pace" | "quietMs" | "socketDir">;

/**
 * Contenders by name: algorithms of the registry and of modules, with parameters, `constant`, `constant-rate`, `oracle`, `untrained`,
 * `agent:FILE` for a checkpoint, `zoo:NAME` for one that comes with ccpark, `onnx:FILE` for a policy that was trained elsewhere, and `unix:SOCKET:NAME` for an agent of another process.
 * @throws CcparkError (not-found) for an unknown name, (invalid-argument) for a parameter
 */
export async function namedContenders(
  names: readonly string[],
  { quiet = false, outside }: { readonly quiet?: boolean; readonly outside?: OutsideOptions } = {},
): Promise<{
  contenders: Contender[];
  checkpoints: LoadedCheckpoint[];
  models: LoadedModel[];
}> {
  const checkpoints: LoadedCheckpoint[] = [];
  const models: LoadedModel[] = [];
  const isOther = (name: string): boolean =>
    OTHER_NAMES.includes(name) || OTHER_PREFIXES.some((prefix) => name.startsWith(prefix));
  const unique = [...new Set(names)];
  const modules = await loadModules(unique.filter((name) => !isOther(name)));
  const contenderOf = async (name: string): Promise<Contender> => {
    if (name === "constant") return constantContender();
    if (name === CONSTANT_RATE) return constantRateContender();
    if (name === ORACLE) return oracleContender();
    if (name === "untrained") return untrainedContender();
    if (name.startsWith(AGENT_PREFIX)) {
      const path = name.slice(AGENT_PREFIX.length);
      const loaded = await loadCheckpointContender(`${AGENT_PREFIX}${checkpointName(path)}`, path);
      checkpoints.push(loaded);
      return loaded.contender;
    }
    if (name.startsWith(ZOO_PREFIX)) {
      const loaded = await loadCheckpointContender(name, name);
      checkpoints.push(loaded);
      return loaded.contender;
    }
    if (name.startsWith(ONNX_PREFIX)) {
      const loaded = await loadOnnxContender(name.slice(ONNX_PREFIX.length));
      models.push(loaded);
      return loaded.contender;
    }
    if (name.startsWith(UNIX_PREFIX)) {
      return externalContender({
        ...outside,
        ...parseExternal(name),
        onWarning: printAgentWarning,
        ...(quiet ? {} : { onEvent: printAgentEvent }),
      });
    }
    const prefix = POLICY_FILES.find(([ending]) => name.endsWith(ending))?.[1];
    if (prefix !== undefined) {
      const hint = `a policy's file is called \`${prefix}${name}\``;
      throw new CcparkError("not-found", `[algorithm] unknown algorithm \`${name}\`; ${hint}`);
    }
    return algorithmContender(resolveAlgorithm(name, modules, OTHER_NAMES));
  };
  const contenders: Contender[] = [];
  for (const name of unique) contenders.push(await contenderOf(name));
  refuseSameName(contenders);
  return { contenders, checkpoints, models };
}
