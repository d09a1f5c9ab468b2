/**
 * The host of served environments. A session whose steps are short runs on the calling thread, since a hand-off costs more
 * than it saves; any other is split into contiguous blocks, one per worker thread, that are stepped at the same time. What
 * nobody knows the cost of, a scenario of the client's own, is checked and run in threads of its session's own.
 */
import { CcparkError, unknownName } from "../../../core/errors.ts";
import { formatGib } from "../../../scenarios/validate.ts";
import { checkSeed } from "../../vector/episode-seeds.ts";
import { checkInfoKeys } from "../../vector/info-keys.ts";
import {
  layoutOf,
  openRowsHere,
  openRowsInThreads,
  type RowsSpec,
  sharedBuffer,
} from "../../vector/open-rows.ts";
import { LostWorker } from "../../vector/place.ts";
import type { SlotEnvShape } from "../../vector/slots/slot-env.ts";
import { type OwnThread, RowWorkers, type WorkerOptions } from "../../vector/worker-threads.ts";
import { ActionPolicy } from "../generated/ccpark/v1/environment.ts";
import type { EnvHost, Session, SessionConfig } from "./env-host.ts";
import { OwnThreads, together } from "./own-threads.ts";
import type { ServedEnv } from "./served-env.ts";
import { AUTORESET, EnvSession, type Strangers } from "./session.ts";

/**
 * The longest that a step may keep the calling thread from others, by the estimate, microseconds. Telling one thread and
 * hearing from it costs 20, two of them 60 to 70 on two busy cores: much shorter steps gain nothing.
 */
const STEP_BUDGET_US = 300;
/** A reset comes once per episode of hundreds of steps: it may take so many times longer. */
const RESET_BUDGETS = 10;
/** A step that may take longer would keep the other sessions of a shared thread waiting. */
const SHARED_STEP_US = 50_000;
const DEFAULT_TIME_LIMIT_MS = 30_000;
/** Sessions with scenarios of their own: a thread has a heap of some 20 MB. */
const MAX_OWN_THREADS = 32;
/** Half of a common workstation's memory. */
const MEMORY_LIMIT_BYTES = 8 * 2 ** 30;

export interface HostOptions {
  readonly served: readonly ServedEnv[];
  /** threads for sessions that are not small; 0 or absent: everything runs on the calling thread */
  readonly workers?: number;
  /** what a thread runs; absent: scenarios of clients are refused */
  readonly worker?: Pick<WorkerOptions, "url" | "data">;
  /** threads of sessions' own, at one time; default 32 */
  readonly maxOwnThreads?: number;
  /** a request that takes longer ends its session; default 30 s. On the calling thread nothing can end it */
  readonly timeLimitMs?: number;
  /** estimated size of all open sessions together; default 8 GiB */
  readonly memoryLimitBytes?: number;
  /** estimated length of a step from which on a session goes to worker threads, microseconds; default 300 */
  readonly stepBudgetUs?: number;
}

/** Prefixes the field that a mistake names. */
function inKwargs(error: unknown): unknown {
  if (!(error instanceof CcparkError) || error instanceof LostWorker) return error;
  const field = error.field === undefined ? "kwargs" : `kwargs.${error.field}`;
  return new CcparkError(error.kind, error.message, { cause: error, field });
}

/** What can be said without making an environment. */
function checkTerms(config: SessionConfig): void {
  checkSeed(config.seed + (config.numEnvs - 1), "kwargs.seed + num_envs - 1", "kwargs.seed");
  if (Object.hasOwn(config.kwargs, "actionPolicy")) {
    throw new CcparkError("invalid-argument", "[grpc] kwargs.actionPolicy: use the field action_policy", {
      field: "kwargs.actionPolicy",
    });
  }
}

/** Mistakes name the field of the request. */
function checkShape(config: SessionConfig, shape: SlotEnvShape): void {
  checkInfoKeys(config.infoKeys, shape.rewardComponents);
  if (config.withState && shape.stateSpace === undefined) {
    throw new CcparkError("invalid-argument", `[grpc] with_state: ${config.envId} has no state`, {
      field: "with_state",
    });
  }
}

/** A scenario that the client has written, not one that the server knows by name. */
function isStrange({ scenario }: Readonly<Record<string, unknown>>): boolean {
  return scenario !== null && typeof scenario === "object";
}

/** A session while it is made. */
interface Opening {
  readonly config: SessionConfig;
  readonly kind: ServedEnv;
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly spec: RowsSpec;
}

class ThreadedHost implements EnvHost {
  readonly #served: readonly ServedEnv[];
  readonly #stepBudgetUs: number;
  readonly #memoryLimitBytes: number;
  /** of the sessions that are open */
  #memoryBytes = 0;
  readonly #workers: RowWorkers | undefined;
  readonly #own: OwnThreads | undefined;

  constructor(options: HostOptions) {
    const { served, workers = 0, worker, timeLimitMs = DEFAULT_TIME_LIMIT_MS } = options;
    this.#served = served;
    this.#stepBudgetUs = options.stepBudgetUs ?? STEP_BUDGET_US;
    this.#memoryLimitBytes = options.memoryLimitBytes ?? MEMORY_LIMIT_BYTES;
    if (worker === undefined) return;
    if (workers > 0) this.#workers = new RowWorkers(workers, { ...worker, timeLimitMs });
    this.#own = new OwnThreads({ ...worker, timeLimitMs }, options.maxOwnThreads ?? MAX_OWN_THREADS);
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

  #takeMemory(): SessionMemory {
    let held = 0;
    return {
      hold: (bytes) => {
        const others = this.#memoryBytes - held;
        if (bytes > held && others + bytes > this.#memoryLimitBytes) {
          const [needed, open, limit] = [bytes, others, this.#memoryLimitBytes].map(formatGib);
          throw new CcparkError(
            "resource-exhausted",
            `[grpc] num_envs: the session needs about ${needed}, open sessions have ${open} and this server allows ${limit}`,
            { field: "num_envs" },
          );
        }
        if (bytes <= held) return;
        this.#memoryBytes = others + bytes;
        held = bytes;
      },
      giveBack: () => {
        const bytes = held;
        this.#memoryBytes -= bytes;
        held = 0;
        return bytes;
      },
    };
  }

  #ownThreads(): OwnThreads {
    if (this.#own !== undefined) return this.#own;
    throw new CcparkError(
      "failed-precondition",
      "[grpc] scenarios given as objects run in threads, which this server does not have",
    );
  }

  async open(config: SessionConfig): Promise<Session> {
    const kind = this.#find(config.envId);
    checkTerms(config);
    const policy = config.actionPolicy === ActionPolicy.ACTION_POLICY_REJECT ? "reject" : "clip";
    const { numEnvs, withState, infoKeys, maxEpisodeSteps } = config;
    const spec: RowsSpec = {
      numEnvs,
      firstSeed: config.seed,
      maxEpisodeSteps,
      autoreset: AUTORESET.get(config.autoresetMode)!,
      withState,
      infoKeys,
    };
    const opening = { config, kind, kwargs: { ...config.kwargs, actionPolicy: policy }, spec };
    return isStrange(config.kwargs) ? await this.#openStrange(opening) : await this.#openNamed(opening);
  }

  /** Whether a step and a reset of all environments are short enough for the calling thread. */
  #isSmall({ numEnvs }: SessionConfig, { step, reset }: SlotEnvShape["costUs"]): boolean {
    const budgetUs = this.#stepBudgetUs;
    return numEnvs * step <= budgetUs && numEnvs * reset <= RESET_BUDGETS * budgetUs;
  }

  async #openNamed(opening: Opening): Promise<Session> {
    const { config, kind, kwargs, spec } = opening;
    let shape: SlotEnvShape;
    try {
      shape = kind.make(kwargs, 1)[0]!;
    } catch (error) {
      throw inKwargs(error);
    }
    checkShape(config, shape);
    const { costUs, memoryBytes } = shape;
    if (this.#own !== undefined && costUs.step > SHARED_STEP_US) return this.#openInOwn(opening, shape);
    const memory = this.#takeMemory();
    const taken: OwnThread[] = [];
    const onClose = (): void => {
      const bytes = memory.giveBack();
      for (const thread of taken) this.#own?.giveBack(thread, bytes);
    };
    try {
      memory.hold(config.numEnvs * memoryBytes);
      const buffer = sharedBuffer(spec, shape);
      const open =
        this.#workers === undefined || this.#isSmall(config, costUs)
          ? openRowsHere(spec, kind.make(kwargs, config.numEnvs), buffer)
          : await openRowsInThreads(
              spec,
              { kind, kwargs, sample: shape, withCaller: false },
              this.#workers,
              buffer,
            );
      const strangers: Strangers = {
        check: this.#checkOf(opening, shape, memory),
        open: async () => {
          const all = { ...spec, from: 0, to: config.numEnvs, here: { from: 0, to: 0 } };
          const layout = layoutOf(spec, shape);
          taken.push(...this.#ownThreads().take());
          const [block] = await taken[0]!.open([
            { envId: config.envId, kwargs, config: all, layout, buffer },
          ]);
          return block!;
        },
      };
      return new EnvSession(config, { shape, ...open, strangers, onClose });
    } catch (error) {
      onClose();
      throw error;
    }
  }

  /** Scenarios of resets are looked at in a thread of nobody's, so that the session stays whatever they are. */
  #checkOf({ config, kwargs }: Opening, shape: SlotEnvShape, memory: SessionMemory): Strangers["check"] {
    return async (scenario, seed, environments) => {
      const own = this.#ownThreads();
      const [thread] = own.take();
      try {
        const bytes = await thread!.check(config.envId, kwargs, scenario, seed);
        memory.hold((config.numEnvs - environments) * shape.memoryBytes + environments * bytes);
      } catch (error) {
        if (!(error instanceof LostWorker)) throw error;
        throw new CcparkError("resource-exhausted", error.message, {
          cause: error,
          field: "options.scenario",
        });
      } finally {
        own.giveBack(thread!, 0);
      }
    };
  }

  async #openStrange(opening: Opening): Promise<Session> {
    const { config, kwargs } = opening;
    const own = this.#ownThreads();
    const [thread] = own.take();
    let shape: SlotEnvShape;
    try {
      shape = await thread!.examine(config.envId, kwargs);
    } catch (error) {
      own.giveBack(thread!, 0);
      throw inKwargs(error);
    }
    return await this.#openInOwn(opening, shape, thread);
  }

  /** @param first a thread that is taken already */
  async #openInOwn(opening: Opening, shape: SlotEnvShape, first?: OwnThread): Promise<Session> {
    const { config, kind, kwargs, spec } = opening;
    const own = this.#ownThreads();
    const taken = first === undefined ? own.take() : [first];
    const memory = this.#takeMemory();
    const onClose = (): void => {
      const bytes = memory.giveBack();
      for (const thread of taken) own.giveBack(thread, bytes);
    };
    try {
      memory.hold(config.numEnvs * shape.memoryBytes);
      const further = this.#isSmall(config, shape.costUs)
        ? 0
        : Math.min(this.#workers?.count ?? 1, config.numEnvs) - 1;
      checkShape(config, shape);
      if (further > 0 && own.free > 0) taken.push(...own.take(further));
      const of = { kind, kwargs, sample: shape, withCaller: false };
      const open = await openRowsInThreads(spec, of, together(taken));
      const check = this.#checkOf(opening, shape, memory);
      const strangers: Strangers = { check, open: () => undefined };
      return new EnvSession(config, { shape, ...open, strangers, onClose });
    } catch (error) {
      onClose();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#own?.close();
    await this.#workers?.close();
  }
}

/** Estimated size of one session. */
interface SessionMemory {
  /** The session needs so many bytes now, never less than before. @throws CcparkError (resource-exhausted) */
  hold(bytes: number): void;
  /** @returns how many there were */
  giveBack(): number;
}

export function envHost(options: HostOptions): EnvHost {
  return new ThreadedHost(options);
}
