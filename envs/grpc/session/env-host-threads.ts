/**
 * The host of served environments. A session whose steps are short runs on the calling thread, since a hand-off costs more
 * than it saves; any other is split into contiguous blocks, one per worker thread, that are stepped at the same time.
 */
import { CcparkError, unknownName } from "../../../core/errors.ts";
import { formatGib } from "../../../scenarios/validate.ts";
import { checkSeed } from "../../vector/episode-seeds.ts";
import { checkInfoKeys } from "../../vector/info-keys.ts";
import { openRowsHere, openRowsInThreads, type RowsSpec } from "../../vector/open-rows.ts";
import type { SlotEnv } from "../../vector/slots/slot-env.ts";
import { RowWorkers, type WorkerOptions } from "../../vector/worker-threads.ts";
import { ActionPolicy } from "../generated/ccpark/v1/environment.ts";
import type { EnvHost, Session, SessionConfig } from "./env-host.ts";
import type { ServedEnv } from "./served-env.ts";
import { AUTORESET, EnvSession } from "./session.ts";

/**
 * The longest that a step may keep the calling thread from others, by the estimate, microseconds. Telling one thread and
 * hearing from it costs 20, two of them 60 to 70 on two busy cores: much shorter steps gain nothing.
 */
const STEP_BUDGET_US = 300;
/** A reset comes once per episode of hundreds of steps: it may take so many times longer. */
const RESET_BUDGETS = 10;
const DEFAULT_TIME_LIMIT_MS = 30_000;
/** Half of a common workstation's memory. */
const MEMORY_LIMIT_BYTES = 8 * 2 ** 30;

export interface HostOptions {
  readonly served: readonly ServedEnv[];
  /** threads for sessions that are not small; 0 or absent: everything runs on the calling thread */
  readonly workers?: number;
  /** what a worker thread runs, needed with `workers` */
  readonly worker?: Pick<WorkerOptions, "url" | "data">;
  /** a request that takes longer ends its session; default 30 s. On the calling thread nothing can end it */
  readonly timeLimitMs?: number;
  /** estimated size of all open sessions together; default 8 GiB */
  readonly memoryLimitBytes?: number;
  /** estimated length of a step from which on a session goes to worker threads, microseconds; default 300 */
  readonly stepBudgetUs?: number;
}

/** Prefixes the field that a mistake names. */
function inField<T>(prefix: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof CcparkError)) throw error;
    const field = error.field === undefined ? prefix : `${prefix}.${error.field}`;
    throw new CcparkError(error.kind, error.message, { cause: error, field });
  }
}

/** A sample environment whose mistakes name the field of the request. */
function checkConfig(config: SessionConfig, kind: ServedEnv, kwargs: Record<string, unknown>): SlotEnv {
  checkSeed(config.seed + (config.numEnvs - 1), "kwargs.seed + num_envs - 1", "kwargs.seed");
  if ("actionPolicy" in config.kwargs) {
    throw new CcparkError("invalid-argument", "[grpc] kwargs.actionPolicy: use the field action_policy", {
      field: "kwargs.actionPolicy",
    });
  }
  const sample = inField("kwargs", () => kind.make(kwargs, 1))[0]!;
  checkInfoKeys(config.infoKeys, sample.rewardComponents);
  if (config.withState && sample.stateSpace === undefined) {
    throw new CcparkError("invalid-argument", `[grpc] with_state: ${config.envId} has no state`, {
      field: "with_state",
    });
  }
  return sample;
}

class ThreadedHost implements EnvHost {
  readonly #served: readonly ServedEnv[];
  readonly #stepBudgetUs: number;
  readonly #memoryLimitBytes: number;
  /** of the sessions that are open */
  #memoryBytes = 0;
  readonly #workers: RowWorkers | undefined;

  constructor(options: HostOptions) {
    const { served, workers = 0, worker, timeLimitMs = DEFAULT_TIME_LIMIT_MS } = options;
    this.#served = served;
    this.#stepBudgetUs = options.stepBudgetUs ?? STEP_BUDGET_US;
    this.#memoryLimitBytes = options.memoryLimitBytes ?? MEMORY_LIMIT_BYTES;
    if (worker !== undefined && workers > 0)
      this.#workers = new RowWorkers(workers, { ...worker, timeLimitMs });
  }

  #find(envId: string): ServedEnv {
    const found = this.#served.find((each) => each.envId === envId);
    if (found !== undefined) return found;
    const { message } = unknownName(
      "grpc",
      "env id",
      envId,
      this.#served.map((each) => each.envId),
    );
    throw new CcparkError("not-found", message, { field: "env_id" });
  }

  listEnvs: EnvHost["listEnvs"] = () => this.#served.map((each) => each.list());

  describeEnv: EnvHost["describeEnv"] = (envId) => this.#find(envId).describe();

  /** @returns what gives the memory back, once */
  #takeMemory(bytes: number): () => void {
    if (this.#memoryBytes + bytes > this.#memoryLimitBytes) {
      const [needed, open, limit] = [bytes, this.#memoryBytes, this.#memoryLimitBytes].map(formatGib);
      throw new CcparkError(
        "resource-exhausted",
        `[grpc] num_envs: the session needs about ${needed}, open sessions have ${open} and this server allows ${limit}`,
        { field: "num_envs" },
      );
    }
    this.#memoryBytes += bytes;
    return () => {
      this.#memoryBytes -= bytes;
      bytes = 0;
    };
  }

  async open(config: SessionConfig): Promise<Session> {
    const kind = this.#find(config.envId);
    const policy = config.actionPolicy === ActionPolicy.ACTION_POLICY_REJECT ? "reject" : "clip";
    const kwargs = { ...config.kwargs, actionPolicy: policy };
    const sample = checkConfig(config, kind, kwargs);
    const { numEnvs, withState, infoKeys, maxEpisodeSteps } = config;
    const spec: RowsSpec = {
      numEnvs,
      firstSeed: config.seed,
      maxEpisodeSteps,
      autoreset: AUTORESET.get(config.autoresetMode)!,
      withState,
      infoKeys,
    };
    const onClose = this.#takeMemory(numEnvs * sample.memoryBytes);
    try {
      const { step, reset } = sample.costUs;
      const budgetUs = this.#stepBudgetUs;
      const isSmall = numEnvs * step <= budgetUs && numEnvs * reset <= RESET_BUDGETS * budgetUs;
      const open =
        this.#workers === undefined || isSmall
          ? openRowsHere(spec, kind.make(kwargs, numEnvs))
          : await openRowsInThreads(spec, { kind, kwargs, sample, withCaller: false }, this.#workers);
      return new EnvSession(config, { sample, ...open, onClose });
    } catch (error) {
      onClose();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#workers?.close();
  }
}

export function envHost(options: HostOptions): EnvHost {
  return new ThreadedHost(options);
}
