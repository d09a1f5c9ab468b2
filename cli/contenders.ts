/** Wiring: which contenders the command line knows by name, and the policies among them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { loadModules, mistakesInPrograms } from "../algorithms/module-files.ts";
import { type AlgorithmModules, resolveAlgorithm } from "../algorithms/reference.ts";
import type { CcpAlgorithm } from "../ccp-bridge/agent/algorithm.ts";
import type { AgentEvent } from "../ccp-bridge/ipc/agent-link.ts";
import { CcparkError } from "../core/errors.ts";
import type { ExternalAgentOptions, ExternalRunResult } from "../envs/foreign-agent/external-agent.ts";
import { algorithmContender } from "../eval/contenders/algorithm-contender.ts";
import {
  CONSTANT,
  CONSTANT_RATE,
  CONSTANT_RATE_SUMMARY,
  CONSTANT_SUMMARY,
  type Contender,
  ORACLE,
  ORACLE_SUMMARY,
  UNTRAINED,
} from "../eval/contenders/contender.ts";
import { interruptible, printErr } from "./console.ts";
import { UNIX_PREFIX } from "./options.ts";
import type { LoadedCheckpoint, LoadedModel } from "./policies.ts";

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
      "a policy that `ccpark train` made, acting greedily; FILE is a checkpoint or the folder of a run (checkpoint:FILE is the same)",
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

const AGENT_PREFIX = "agent:";
const CHECKPOINT_PREFIXES = [AGENT_PREFIX, "checkpoint:"];
const ONNX_PREFIX = "onnx:";
const ZOO_PREFIX = "zoo:";
const OTHER_PREFIXES = [...CHECKPOINT_PREFIXES, ONNX_PREFIX, UNIX_PREFIX, ZOO_PREFIX];
const OTHER_NAMES = [CONSTANT, CONSTANT_RATE, ORACLE, UNTRAINED];

/**
 * A policy where an algorithm is expected: `zoo:NAME`, and `agent:FILE` or `checkpoint:FILE`.
 * @returns what `checkpointAlgorithm` takes; undefined: the reference is none of these
 */
export function policyPath(reference: string): string | undefined {
  if (reference.startsWith(ZOO_PREFIX)) return reference;
  const prefix = CHECKPOINT_PREFIXES.find((each) => reference.startsWith(each));
  return prefix === undefined ? undefined : reference.slice(prefix.length);
}

/**
 * A policy for datapaths in real time, by reference: those of `policyPath`, and `onnx:FILE`.
 * @param name of the algorithm; absent: what tables call the policy
 * @returns undefined: the reference is none of these
 * @throws CcparkError (not-found, invalid-argument) for a file that is none
 */
export async function referencedPolicy(reference: string, name?: string): Promise<CcpAlgorithm | undefined> {
  if (reference.startsWith(ONNX_PREFIX)) {
    const { onnxAlgorithm } = await import("./policies.ts");
    return onnxAlgorithm(reference.slice(ONNX_PREFIX.length), name);
  }
  const path = policyPath(reference);
  if (path === undefined) return undefined;
  const { checkpointAlgorithm } = await import("./policies.ts");
  return checkpointAlgorithm(path, name);
}

/** Endings of files that are contenders only with their prefix. */
const POLICY_FILES: readonly (readonly [ending: string, prefix: string])[] = [
  [".onnx", ONNX_PREFIX],
  [".ccpark", AGENT_PREFIX],
];

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

/** Modules of a user, whose programs are looked at. @param quiet no warnings @throws CcparkError */
export async function loadedModules(references: readonly string[], quiet = false): Promise<AlgorithmModules> {
  const modules = await loadModules(references);
  const mistakes = interruptible(() => mistakesInPrograms(modules));
  if (!quiet) for (const mistake of mistakes) printAgentWarning(mistake);
  return modules;
}

/** How agents of other processes are run. */
export type OutsideOptions = Pick<ExternalAgentOptions, "pace" | "quietMs" | "socketDir">;

function unknownContender(name: string, hint: string): CcparkError {
  return new CcparkError("not-found", `[algorithm] unknown algorithm \`${name}\`; ${hint}`);
}

/**
 * Contenders by name: algorithms of the registry and of modules, with parameters, `constant`, `constant-rate`, `oracle`, `untrained`,
 * `agent:FILE` or `checkpoint:FILE` for a checkpoint, `zoo:NAME` for one that comes with ccpark, `onnx:FILE` for a policy that was trained elsewhere, and `unix:SOCKET:NAME` for an agent of another process.
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
  const run = unique.find((name) => !isOther(name) && existsSync(join(name, "checkpoint.ccpark")));
  if (run !== undefined) {
    throw unknownContender(run, `the policy of a run is called \`${AGENT_PREFIX}${run}\``);
  }
  const modules = await loadedModules(
    unique.filter((name) => !isOther(name)),
    quiet,
  );
  const contenderOf = async (name: string): Promise<Contender> => {
    if (name === CONSTANT || name === CONSTANT_RATE) {
      const known = await import("../eval/contenders/constant-contender.ts");
      return name === CONSTANT ? known.constantContender() : known.constantRateContender();
    }
    if (name === ORACLE) return (await import("../eval/contenders/oracle-contender.ts")).oracleContender();
    if (name === UNTRAINED) return (await import("./policies.ts")).untrainedContender();
    const path = policyPath(name);
    if (path !== undefined) {
      const { loadCheckpointContender, policyLabel } = await import("./policies.ts");
      const loaded = await loadCheckpointContender(policyLabel(path), path);
      checkpoints.push(loaded);
      return loaded.contender;
    }
    if (name.startsWith(ONNX_PREFIX)) {
      const { loadOnnxContender } = await import("./policies.ts");
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
    if (prefix !== undefined) throw unknownContender(name, `a policy's file is called \`${prefix}${name}\``);
    const bare = OTHER_PREFIXES.find((each) => name === each.slice(0, -1));
    if (bare !== undefined)
      throw unknownContender(name, `expected ${bare}${bare === ZOO_PREFIX ? "NAME" : "FILE"}`);
    return algorithmContender(resolveAlgorithm(name, modules, OTHER_NAMES));
  };
  const contenders: Contender[] = [];
  for (const name of unique) contenders.push(await contenderOf(name));
  refuseSameName(contenders);
  return { contenders, checkpoints, models };
}
