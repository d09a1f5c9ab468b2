/**
 * Worker threads that step blocks of rows, the main thread's side. Their numbers lie in memory that both share; a
 * request is one message and so is its reply, and replies come in the order of requests. A worker that does not answer in
 * time is ended, one that dies is replaced, and what it held is lost: whoever asks for it is told.
 */
import type { Worker } from "node:worker_threads";
import { CcparkError } from "../../core/errors.ts";
import { startWorkerThread } from "../../core/start-worker-thread.ts";
import type { MoveTarget } from "../../scenarios/traffic/named-flows.ts";
import type { RowTask } from "../env.ts";
import { BrokenEnv, type Handover, type RowEpisode } from "./block.ts";
import type { BlockRequest, BlockThreads } from "./open-rows.ts";
import { type BlockPlace, type EnvBooks, type EnvTruth, LostWorker } from "./place.ts";
import type { Picture, SlotEnvShape } from "./slots/slot-env.ts";
import type { WorkerReply, WorkerRequest } from "./worker-thread.ts";

export interface WorkerOptions {
  /** module that calls `serveRows` */
  readonly url: URL;
  /** `workerData` of that module */
  readonly data?: unknown;
  /** a request that takes longer ends its worker; absent: none does */
  readonly timeLimitMs?: number;
}

/** What is under way, for the sentence when it takes too long; undefined: it is not timed. */
const TIMED: Readonly<Partial<Record<WorkerRequest["do"], string>>> = {
  reset: "the reset",
  step: "the step",
  state: "the look at its state",
  render: "the drawing of its picture",
  release: "the move to another thread",
  adopt: "the move to another thread",
  close: "the end",
  examine: "the check of the scenario",
  check: "the check of the scenario",
};

interface Waiting {
  readonly timed: string | undefined;
  resolve(reply: WorkerReply): void;
  reject(error: unknown): void;
}

/** What a thread of too many needs and the system has no more of. */
const NO_ROOM = new Set(["EMFILE", "ENFILE", "EAGAIN", "ERR_WORKER_INIT_FAILED"]);

function whyLost(error: Error): LostWorker {
  const { code = "" } = error as NodeJS.ErrnoException;
  if (code === "ERR_WORKER_OUT_OF_MEMORY") {
    return new LostWorker("out-of-memory", "the worker thread of these environments ran out of memory");
  }
  if (NO_ROOM.has(code)) {
    return new LostWorker(
      "no-room",
      "the system has no room for another worker thread (`ulimit -n`, `ulimit -u`)",
    );
  }
  return new LostWorker("ended", `the worker thread of these environments failed: ${error.message}`);
}

/**
 * A server may have dozens of threads, each of which lets V8's young generation grow to 48 MB where it allocates much; half of that
 * costs no time that can be measured.
 */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 24 };

/** One thread, and the next after its death. */
class RowWorker {
  readonly #options: WorkerOptions;
  #thread: Worker | undefined;
  /** requests that have no reply yet, the one under way first */
  #waiting: Waiting[] = [];
  /** counts threads: a block lives and dies with the one that opened it */
  #generation = 0;
  #timer: NodeJS.Timeout | undefined;
  #why: LostWorker | undefined;
  /** blocks that it holds */
  blocks = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  get generation(): number {
    return this.#generation;
  }

  post(request: WorkerRequest, generation: number): Promise<WorkerReply> {
    if (generation !== this.#generation) {
      return Promise.reject(
        new LostWorker("ended", "the worker thread that held these environments has ended"),
      );
    }
    const thread = (this.#thread ??= this.#start());
    return new Promise((resolve, reject) => {
      // starting a worker and loading its modules is not a step
      this.#waiting.push({ timed: TIMED[request.do], resolve, reject });
      if (this.#waiting.length === 1) {
        thread.ref(); // a program does not end while it waits for an answer
        this.#watch();
      }
      thread.postMessage(request);
    });
  }

  /** Starts the clock of the request under way. */
  #watch(): void {
    clearTimeout(this.#timer);
    const { timeLimitMs } = this.#options;
    const what = this.#waiting[0]?.timed;
    if (timeLimitMs !== undefined && what !== undefined) {
      this.#timer = setTimeout(() => this.#expire(what), timeLimitMs).unref();
    }
  }

  #expire(what: string): void {
    this.#end(
      new LostWorker(
        "out-of-time",
        `${what} ran beyond ${this.#options.timeLimitMs} ms: its environments are lost`,
      ),
    );
  }

  #start(): Worker {
    const thread = startWorkerThread(this.#options.url, this.#options.data, RESOURCE_LIMITS);
    thread.unref();
    thread.on("message", (reply: WorkerReply) => {
      if (thread !== this.#thread) return; // it was ended, and what it still says is nobody's answer
      const first = this.#waiting.shift();
      if (this.#waiting.length === 0) thread.unref();
      this.#watch();
      first?.resolve(reply);
    });
    thread.on("error", (error: Error) => {
      if (thread !== this.#thread) return;
      this.#why ??= whyLost(error);
    });
    thread.on("exit", () => {
      if (thread === this.#thread) {
        this.#end(
          this.#why ?? new LostWorker("ended", "the worker thread of these environments ended by itself"),
        );
      }
    });
    return thread;
  }

  /** Ends the thread; the next request starts another. @param why of the request under way */
  #end(why: LostWorker): void {
    const thread = this.#thread;
    const [first, ...others] = this.#waiting;
    this.#thread = undefined;
    this.#why = undefined;
    this.#waiting = [];
    this.#generation += 1;
    this.blocks = 0;
    clearTimeout(this.#timer);
    void thread?.terminate();
    first?.reject(why);
    const also = "a worker thread ended because of others, and these environments with it";
    for (const each of others) each.reject(new LostWorker("ended", also));
  }

  /** Ends the thread at once. */
  end(): void {
    this.#end(new LostWorker("ended", "the worker thread of these environments was ended"));
  }

  /** Ends the thread after the requests that it has. */
  async close(): Promise<void> {
    while (this.#waiting.length > 0) {
      const last = this.#waiting.at(-1)!;
      await new Promise<void>((resolve) => {
        const { resolve: onReply, reject } = last;
        last.resolve = (reply) => {
          onReply(reply);
          resolve();
        };
        last.reject = (error) => {
          reject(error);
          resolve();
        };
      });
    }
    const thread = this.#thread;
    this.#thread = undefined;
    clearTimeout(this.#timer);
    await thread?.terminate();
  }
}

type Result = Exclude<WorkerReply, undefined> | Record<never, never>;

function readReply(reply: WorkerReply): Result {
  if (reply === undefined) return {};
  if ("broken" in reply) throw new BrokenEnv(reply.broken, undefined);
  if ("mistake" in reply) {
    const { kind, message, field, stack } = reply.mistake;
    throw new CcparkError(kind, message, { field, cause: stack });
  }
  if ("thrown" in reply) throw new Error(reply.thrown);
  return reply;
}

/** A block in a worker thread. */
class RemoteBlock implements BlockPlace {
  readonly from: number;
  readonly to: number;
  readonly #worker: RowWorker;
  readonly #generation: number;
  readonly #number: number;

  constructor(worker: RowWorker, number: number, { from, to }: { from: number; to: number }) {
    this.#worker = worker;
    this.#generation = worker.generation;
    this.#number = number;
    this.from = from;
    this.to = to;
  }

  async call(request: WorkerRequest): Promise<Result> {
    return readReply(await this.#worker.post(request, this.#generation));
  }

  async reset(seeded: boolean, scenario?: unknown): Promise<void> {
    await this.call({ do: "reset", block: this.#number, seeded, scenario });
  }

  async step(): Promise<readonly RowEpisode[]> {
    const reply = await this.call({ do: "step", block: this.#number });
    return "episodes" in reply ? reply.episodes : [];
  }

  async perform<Given, Result>({ name }: RowTask<Given, Result>, given: Given): Promise<Result> {
    const reply = await this.call({ do: "perform", block: this.#number, task: name, given });
    return (reply as { result: Result }).result;
  }

  async state(env: number): Promise<EnvTruth> {
    const reply = await this.call({ do: "state", block: this.#number, env });
    return (reply as { truth: EnvTruth }).truth;
  }

  async books(env: number): Promise<EnvBooks> {
    const reply = await this.call({ do: "books", block: this.#number, env });
    return (reply as { books: EnvBooks }).books;
  }

  async move(env: number, slot: number, to: MoveTarget): Promise<void> {
    await this.call({ do: "move", block: this.#number, env, slot, to });
  }

  async render(env: number, mode: string): Promise<Picture | undefined> {
    const reply = await this.call({ do: "render", block: this.#number, env, mode });
    return (reply as { picture: Picture | undefined }).picture;
  }

  async release(envs: readonly number[]): Promise<Handover[]> {
    const reply = await this.call({ do: "release", block: this.#number, envs });
    return [...(reply as { handovers: readonly Handover[] }).handovers];
  }

  async adopt(handovers: readonly Handover[]): Promise<void> {
    await this.call({ do: "adopt", block: this.#number, handovers });
  }

  close(): void {
    if (this.#generation !== this.#worker.generation) return;
    this.#worker.blocks -= 1;
    this.call({ do: "close", block: this.#number }).catch(() => undefined); // it died meanwhile, and the block with it
  }
}

/**
 * A thread that one owner has alone, for what may take long or break: it keeps nobody else waiting, and nobody else loses
 * anything with it.
 */
export class OwnThread implements BlockThreads {
  readonly count = 1;
  readonly #worker: RowWorker;
  #opened = 0;

  constructor(options: WorkerOptions) {
    this.#worker = new RowWorker(options);
  }

  async #ask(request: WorkerRequest): Promise<Result> {
    // the clock of what follows does not count how long a thread takes to start
    await this.greet();
    return readReply(await this.#worker.post(request, this.#worker.generation));
  }

  /** Answered once it has nothing else to do. @throws LostWorker */
  async greet(): Promise<void> {
    await this.#worker.post({ do: "greet" }, this.#worker.generation);
  }

  /** Makes an environment of that kind to look at. @throws what its making throws, LostWorker */
  async examine(envId: string, kwargs: Readonly<Record<string, unknown>>): Promise<SlotEnvShape> {
    const reply = await this.#ask({ do: "examine", envId, kwargs });
    return (reply as { shape: SlotEnvShape }).shape;
  }

  /** Whether a reset would take this scenario. @returns and @throws as `SlotEnv.checkScenario`, LostWorker */
  async check(
    envId: string,
    kwargs: Readonly<Record<string, unknown>>,
    scenario: unknown,
    seed: number,
  ): Promise<number> {
    const reply = await this.#ask({ do: "check", envId, kwargs, scenario, seed });
    return (reply as { memoryBytes: number }).memoryBytes;
  }

  async open(requests: readonly BlockRequest[]): Promise<BlockPlace[]> {
    const blocks: BlockPlace[] = [];
    for (const request of requests) {
      const block = new RemoteBlock(this.#worker, ++this.#opened, request.config);
      await block.call({ ...request, do: "open", block: this.#opened });
      blocks.push(block);
    }
    return blocks;
  }

  /** Ends the thread at once, whatever it does. */
  end(): void {
    this.#worker.end();
  }
}

export class RowWorkers implements BlockThreads {
  readonly count: number;
  readonly #workers: readonly RowWorker[];
  #opened = 0;

  /** @param count of threads, started when first needed */
  constructor(count: number, options: WorkerOptions) {
    this.count = count;
    this.#workers = Array.from({ length: count }, () => new RowWorker(options));
  }

  /** Opens the blocks of one vector form, each in another worker, those with the fewest blocks first. */
  async open(requests: readonly BlockRequest[]): Promise<BlockPlace[]> {
    const workers = [...this.#workers].sort((a, b) => a.blocks - b.blocks);
    const blocks = requests.map((request, i) => {
      const worker = workers[i % workers.length]!;
      worker.blocks += 1;
      const number = ++this.#opened;
      const block = new RemoteBlock(worker, number, request.config);
      return { block, opened: block.call({ ...request, do: "open", block: number }) };
    });
    const settled = await Promise.allSettled(blocks.map(({ opened }) => opened));
    const failure = settled.find((each) => each.status === "rejected");
    if (failure === undefined) return blocks.map(({ block }) => block);
    for (const { block } of blocks) block.close();
    throw failure.reason;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }
}
