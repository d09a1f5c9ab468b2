/** The worker's side of `worker-threads.ts`: keeps blocks of many vector forms and does what it is told, in order. */
import { getPriority, platform, setPriority } from "node:os";
import type { MessagePort } from "node:worker_threads";
import { assert, CcparkError, type ErrorKind } from "../../core/errors.ts";
import { placeInModule, thrownText } from "../../core/module-files.ts";
import type { MoveTarget } from "../../scenarios/traffic/named-flows.ts";
import type { RowTask } from "../env.ts";
import { type RowArrays, viewRows } from "./arrays.ts";
import { type Breakage, BrokenEnv, type Handover, RowBlock, type RowEpisode } from "./block.ts";
import type { BlockRequest } from "./open-rows.ts";
import { booksOf, type EnvBooks, type EnvTruth, truthOf } from "./place.ts";
import type { EnvKind, Picture, SlotEnv, SlotEnvShape } from "./slots/slot-env.ts";
import { Stretches } from "./stretches.ts";

export type WorkerRequest =
  | ({ readonly do: "open"; readonly block: number } & BlockRequest)
  | { readonly do: "reset"; readonly block: number; readonly seeded: boolean; readonly scenario: unknown }
  | { readonly do: "step"; readonly block: number }
  | { readonly do: "perform"; readonly block: number; readonly task: string; readonly given: unknown }
  | { readonly do: "state"; readonly block: number; readonly env: number }
  | { readonly do: "books"; readonly block: number; readonly env: number }
  | {
      readonly do: "move";
      readonly block: number;
      readonly env: number;
      readonly slot: number;
      readonly to: MoveTarget;
    }
  | { readonly do: "render"; readonly block: number; readonly env: number; readonly mode: string }
  | { readonly do: "release"; readonly block: number; readonly envs: readonly number[] }
  | { readonly do: "adopt"; readonly block: number; readonly handovers: readonly Handover[] }
  | { readonly do: "close"; readonly block: number }
  /** answered by who has loaded its modules */
  | { readonly do: "greet" }
  | { readonly do: "examine"; readonly envId: string; readonly kwargs: Kwargs }
  | {
      readonly do: "check";
      readonly envId: string;
      readonly kwargs: Kwargs;
      readonly scenario: unknown;
      readonly seed: number;
    };

type Kwargs = Readonly<Record<string, unknown>>;

/** A user's; `stack` is that of its cause. */
interface Mistake {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly field?: string | undefined;
  readonly stack?: string | undefined;
}

/** What a request came to; undefined: done, and nothing to tell. */
export type WorkerReply =
  | undefined
  | { readonly episodes: readonly RowEpisode[] }
  | { readonly result: unknown }
  | { readonly truth: EnvTruth }
  | { readonly books: EnvBooks }
  | { readonly picture: Picture | undefined }
  | { readonly handovers: readonly Handover[] }
  | { readonly shape: SlotEnvShape }
  | { readonly memoryBytes: number }
  | { readonly broken: Breakage }
  | { readonly mistake: Mistake }
  | { readonly thrown: string };

function failed(error: unknown): WorkerReply {
  if (error instanceof BrokenEnv) return { broken: error.breakage };
  if (error instanceof CcparkError) {
    const { kind, message, field, cause } = error;
    return { mistake: { kind, message, field, stack: cause instanceof Error ? cause.stack : undefined } };
  }
  if (placeInModule(error) !== undefined) {
    return {
      mistake: { kind: "invalid-argument", message: thrownText(error), stack: (error as Error).stack },
    };
  }
  return { thrown: error instanceof Error ? error.message : String(error) };
}

/** Below that of threads that others wait for. */
const OWN_PRIORITY = 5;

/** What only one session waits for lets the rest of the process go first. Linux alone has priorities of threads. */
function giveWay(): void {
  if (platform() === "linux") setPriority(Math.max(getPriority(), OWN_PRIORITY));
}

/** What is fixed of an environment, as plain data. */
function shapeOf(env: SlotEnv): SlotEnvShape {
  return {
    observationSpace: env.observationSpace,
    actionSpace: env.actionSpace,
    refusesBelow: env.refusesBelow,
    flowIds: env.flowIds,
    severalFlows: env.severalFlows,
    stepSeconds: env.stepSeconds,
    notes: env.notes,
    stateSpace: env.stateSpace,
    rewardComponents: env.rewardComponents,
    costUs: env.costUs,
    memoryBytes: env.memoryBytes,
  };
}

/**
 * Answers every request on the port with one reply, in order.
 * @param tasks that may be asked for
 */
export function serveRows(
  port: MessagePort,
  kinds: readonly EnvKind[],
  tasks: readonly RowTask<never, unknown>[] = [],
): void {
  const blocks = new Map<
    number,
    { readonly block: RowBlock; readonly rows: RowArrays; readonly stretches: Stretches }
  >();
  /** what takes its time: pictures, and steps in real time; what is told after it waits */
  let pending: Promise<void> | undefined;

  const carryOut = (request: WorkerRequest): WorkerReply | Promise<WorkerReply> => {
    if (request.do === "greet") return undefined;
    if (request.do === "examine" || request.do === "check") {
      giveWay();
      const { envId, kwargs } = request;
      const [env] = kinds.find((each) => each.envId === envId)!.make(kwargs, 1);
      if (request.do === "examine") return { shape: shapeOf(env!) };
      return { memoryBytes: env!.checkScenario(request.scenario, request.seed) };
    }
    if (request.do === "open") {
      const { config, envId, kwargs } = request;
      const rows = viewRows(request.buffer, request.layout);
      const kind = kinds.find((each) => each.envId === envId)!;
      const envs = kind.make(kwargs, config.to - config.from);
      const block = new RowBlock(config, envs, rows);
      blocks.set(request.block, { block, rows, stretches: new Stretches(block, false) });
      return undefined;
    }
    const { block, rows, stretches } = blocks.get(request.block)!;
    switch (request.do) {
      case "step": {
        const told = (episodes: readonly RowEpisode[]): WorkerReply =>
          episodes.length === 0 ? undefined : { episodes };
        const episodes = block.step();
        return episodes instanceof Promise ? episodes.then(told) : told(episodes);
      }
      case "perform": {
        const task = tasks.find(({ name }) => name === request.task);
        assert(task !== undefined, `the threads know the task ${request.task}`);
        return task.run(stretches, request.given as never).then((result) => ({ result }));
      }
      case "reset":
        return block.reset(request.seeded, request.scenario)?.then(() => undefined);
      case "state":
        return { truth: truthOf(block.envAt(request.env), rows.seeds[request.env]!) };
      case "books":
        return { books: booksOf(block.envAt(request.env), rows.seeds[request.env]!) };
      case "move":
        block.envAt(request.env).move(request.slot, request.to);
        return undefined;
      case "render": {
        const picture = block.envAt(request.env).render(request.mode);
        return picture instanceof Promise ? picture.then((late) => ({ picture: late })) : { picture };
      }
      case "release":
        return { handovers: block.release(request.envs) };
      case "adopt":
        block.adopt(request.handovers);
        return undefined;
      case "close":
        block.close();
        blocks.delete(request.block);
        return undefined;
    }
  };

  const answer = (request: WorkerRequest): Promise<void> | undefined => {
    let reply: WorkerReply | Promise<WorkerReply>;
    try {
      reply = carryOut(request);
    } catch (error) {
      reply = failed(error);
    }
    if (!(reply instanceof Promise)) {
      port.postMessage(reply);
      return undefined;
    }
    return reply.then(
      (late) => port.postMessage(late),
      (error) => port.postMessage(failed(error)),
    );
  };

  port.on("message", (request: WorkerRequest) => {
    if (pending === undefined) pending = answer(request);
    else pending = pending.then(() => answer(request));
    const mine = pending;
    mine?.then(() => {
      if (pending === mine) pending = undefined;
    });
  });
}
