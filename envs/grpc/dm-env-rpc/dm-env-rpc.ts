/**
 * dm_env_rpc.v1, DeepMind's interface, in front of the same sessions: a world is a session with one environment, and the
 * connection that joined it its agent. Every failure is an `error` payload and changes nothing; the stream goes on.
 *
 *   agent:  TERMINATED or INTERRUPTED --step--> RUNNING --episode ends--> TERMINATED or INTERRUPTED --step--> RUNNING
 *
 * Left out: extensions, and worlds with several agents.
 */
import { randomUUID } from "node:crypto";
import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import { CcparkError, showValue, unknownName } from "../../../core/errors.ts";
import { checkSeed } from "../../vector/episode-seeds.ts";
import {
  ActionPolicy,
  AutoresetMode,
  type ConnectResponse,
  NumberEncoding,
} from "../generated/ccpark/v1/environment.ts";
import {
  type ActionObservationSpecs,
  type EnvironmentRequest,
  type EnvironmentResponse,
  EnvironmentStateType,
  type StepRequest,
  type StepResponse,
  type Tensor,
} from "../generated/dm_env_rpc/v1/dm_env_rpc.ts";
import { SERVED_IDS } from "../served-ids.ts";
import { clientOf } from "../server/client-identity.ts";
import { OrderlyStream } from "../server/orderly-stream.ts";
import { checkExtent } from "../server/request-extent.ts";
import type { ServerContext } from "../server/server-context.ts";
import type { SessionEntry } from "../server/session-registry.ts";
import type { SessionRequest } from "../session/env-host.ts";
import { RpcError, toRpcError, toStatus } from "../status-codes.ts";
import { packValues, unpackFloat32, unpackFloat64 } from "../wire.ts";
import { AgentTensors, LAYOUTS, type Layout, refuse, settingsOf } from "./tensors.ts";

const { RUNNING, TERMINATED, INTERRUPTED } = EnvironmentStateType;

const failed = (code: status, message: string): RpcError =>
  new RpcError(code, `[dm_env_rpc] ${message}`, { fatal: false });

/** @throws CcparkError (invalid-argument) for a setting with another name */
function checkNames(settings: Record<string, unknown>, known: readonly string[]): void {
  for (const name of Object.keys(settings)) {
    if (!known.includes(name)) {
      const { message } = unknownName("dm_env_rpc", "setting", name, known);
      throw new CcparkError("invalid-argument", message, { field: `settings.${name}` });
    }
  }
}

function seedOf(settings: Record<string, unknown>): bigint | undefined {
  checkNames(settings, ["seed"]);
  return settings["seed"] === undefined ? undefined : BigInt(checkSeed(settings["seed"], "settings.seed"));
}

class World {
  readonly name: string;
  readonly entry: SessionEntry;
  readonly #context: ServerContext;
  state: EnvironmentStateType = INTERRUPTED;
  /** somebody reset the world: the running sequence is to end in the next step */
  interrupted = false;
  /** of the next sequence */
  seed: bigint | undefined;
  #observation: Float32Array = new Float32Array(0);

  constructor(name: string, entry: SessionEntry, context: ServerContext) {
    this.name = name;
    this.entry = entry;
    this.#context = context;
  }

  /** @throws RpcError: what the session answers */
  async #ask(request: SessionRequest): Promise<NonNullable<ConnectResponse["payload"]>> {
    const { session, budget } = this.entry;
    const waitMs = budget?.take(1, performance.now()) ?? 0;
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    const { payload } = await session.handle(request);
    if (payload?.$case === "error") throw failed(payload.value.code, payload.value.message);
    if (payload === undefined) throw failed(status.INTERNAL, "the session answered nothing");
    return payload;
  }

  #keys(): { sessionId: string; sessionToken: string; seq: bigint } {
    return { sessionId: "", sessionToken: "", seq: this.entry.session.lastSeq + 1n };
  }

  async step({ actions, requestedObservations }: StepRequest, tensors: AgentTensors): Promise<StepResponse> {
    tensors.checkRequested(requestedObservations);
    let [reward, discount] = [0, 1];
    if (this.state !== RUNNING) {
      const seeding = this.seed === undefined ? undefined : { $case: "seed" as const, value: this.seed };
      const value = { ...this.#keys(), seeding, resetMask: new Uint8Array(0), options: undefined };
      const payload = await this.#ask({ $case: "reset", value });
      if (payload.$case === "reset") this.#observation = unpackFloat32(payload.value.observations[0]!);
      this.seed = undefined;
      this.interrupted = false;
      this.state = RUNNING;
    } else if (this.interrupted) {
      this.interrupted = false;
      this.state = INTERRUPTED;
    } else {
      const action = tensors.action(actions);
      const startedMs = performance.now();
      const value = {
        ...this.#keys(),
        actions: [packValues(this.entry.session.description.actionSpace, action)],
        actionValues: [],
      };
      const payload = await this.#ask({ $case: "step", value });
      if (payload.$case === "step") {
        const { observations, rewards, terminated, truncated } = payload.value;
        this.#observation = unpackFloat32(observations[0]!);
        reward = unpackFloat64(rewards)[0]!;
        if (terminated[0] === 1) {
          this.state = TERMINATED;
          discount = 0; // nothing follows; after a truncation something would have
        } else if (truncated[0] === 1) this.state = INTERRUPTED;
        this.#context.counts.step(1, (performance.now() - startedMs) / 1e3);
      }
    }
    const observations = tensors.observe(requestedObservations, this.#observation, reward, discount);
    return { state: this.state, observations };
  }
}

/** The worlds of a server, which all connections share. */
export class Worlds {
  readonly #context: ServerContext;
  readonly #worlds = new Map<string, World>();

  constructor(context: ServerContext) {
    this.#context = context;
  }

  /** @param client as of `clientOf` */
  async create(settings: Record<string, unknown>, client: string): Promise<string> {
    const { envId = SERVED_IDS.singleFlow, seed = 0, maxEpisodeSteps = 0, ...kwargs } = settings;
    if (typeof envId !== "string")
      throw refuse("settings.envId", `got ${showValue(envId)}, expected a string`);
    if (!Number.isSafeInteger(maxEpisodeSteps) || Number(maxEpisodeSteps) < 0) {
      throw refuse(
        "settings.maxEpisodeSteps",
        `got ${showValue(maxEpisodeSteps)}, expected a whole number from 0`,
      );
    }
    if (kwargs["scenario"] === undefined) {
      throw refuse("settings.scenario", "is required: a world is a scenario, by name or written out");
    }
    const entry = await this.#context.sessions.open(
      {
        envId,
        numEnvs: 1,
        kwargs,
        seed: checkSeed(seed, "settings.seed"),
        maxEpisodeSteps: Number(maxEpisodeSteps),
        autoresetMode: AutoresetMode.AUTORESET_MODE_DISABLED,
        actionPolicy: ActionPolicy.ACTION_POLICY_REJECT,
        numberEncoding: NumberEncoding.NUMBER_ENCODING_PACKED,
        withState: false,
        infoKeys: [],
        keptAnswers: 1, // a stream of this protocol cannot be resumed
      },
      { madeBy: undefined, client, leaseMs: undefined },
    );
    if (entry.session.description.slotsPerEnv !== 1) {
      const error = failed(status.UNIMPLEMENTED, `${envId} has several flows; use ccpark.v1 for it`);
      this.#context.sessions.remove(entry, error);
      throw error;
    }
    const world = new World(randomUUID(), entry, this.#context);
    this.#worlds.set(world.name, world);
    entry.watchers.add(() => this.#worlds.delete(world.name));
    return world.name;
  }

  find(name: string): World {
    const world = this.#worlds.get(name);
    if (world !== undefined) return world;
    throw failed(
      status.NOT_FOUND,
      `no world \`${name}\`: it was destroyed, or nobody joined it for too long`,
    );
  }

  reset(name: string, settings: Record<string, unknown>): void {
    const world = this.find(name);
    const seed = seedOf(settings);
    if (seed !== undefined) world.seed = seed;
    world.interrupted = world.state === RUNNING;
  }

  destroy(name: string): void {
    const world = this.find(name);
    if (world.entry.stream !== undefined) {
      throw failed(status.FAILED_PRECONDITION, "an agent is joined to the world; it has to leave first");
    }
    this.#context.sessions.remove(world.entry, failed(status.ABORTED, "the world was destroyed"));
  }
}

/** One connection. Requests are answered one after the other; while the client does not read, nothing is read from it. */
export class DmEnvRpcStream extends OrderlyStream<EnvironmentRequest, EnvironmentResponse> {
  readonly #worlds: Worlds;
  #joined: { readonly world: World; readonly tensors: AgentTensors } | undefined;
  #tail: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;

  constructor(
    call: ServerDuplexStream<EnvironmentRequest, EnvironmentResponse>,
    context: ServerContext,
    worlds: Worlds,
  ) {
    super(call, context);
    this.#worlds = worlds;
    call.on("drain", () => this.#wake?.());
  }

  protected override take(request: EnvironmentRequest): void {
    this.asked();
    if (this.unanswered >= this.context.limits.maxInFlight) this.call.pause();
    this.#tail = this.#tail.then(() => this.#answer(request));
  }

  protected override letGo(): void {
    this.#leave();
    this.#wake?.();
  }

  async #answer(request: EnvironmentRequest): Promise<void> {
    if (!this.isOpen) return;
    let payload: EnvironmentResponse["payload"];
    try {
      checkExtent(request);
      payload = await this.#respond(request.payload);
    } catch (thrown) {
      const error = toRpcError(thrown);
      this.context.counts.error(error.code);
      if (error.code === status.INTERNAL) this.context.log.error({ code: error.code }, error.message);
      payload = { $case: "error", value: toStatus(error) };
    }
    if (!this.isOpen) return;
    if (!this.call.write({ payload })) await new Promise<void>((resolve) => (this.#wake = resolve));
    if (!this.isOpen) return;
    if (this.call.isPaused()) this.call.resume();
    this.answered();
  }

  async #respond(payload: EnvironmentRequest["payload"]): Promise<EnvironmentResponse["payload"]> {
    switch (payload?.$case) {
      case "createWorld": {
        const worldName = await this.#worlds.create(settingsOf(payload.value.settings), clientOf(this.call));
        return { $case: "createWorld", value: { worldName } };
      }
      case "joinWorld": {
        const { worldName, settings } = payload.value;
        return { $case: "joinWorld", value: { specs: this.#join(worldName, settings) } };
      }
      case "step": {
        const { world, tensors } = this.#agent();
        return { $case: "step", value: await world.step(payload.value, tensors) };
      }
      case "reset": {
        const { world, tensors } = this.#agent();
        world.seed = seedOf(settingsOf(payload.value.settings)) ?? world.seed;
        world.state = INTERRUPTED;
        return { $case: "reset", value: { specs: tensors.specs } };
      }
      case "resetWorld":
        this.#worlds.reset(payload.value.worldName, settingsOf(payload.value.settings));
        return { $case: "resetWorld", value: {} };
      case "leaveWorld":
        this.#leave();
        return { $case: "leaveWorld", value: {} };
      case "destroyWorld":
        this.#worlds.destroy(payload.value.worldName);
        return { $case: "destroyWorld", value: {} };
      case "extension":
        throw failed(status.UNIMPLEMENTED, `no extension \`${payload.value.typeUrl}\``);
      default:
        throw failed(status.UNIMPLEMENTED, "a request without a payload that this server knows");
    }
  }

  #agent(): { readonly world: World; readonly tensors: AgentTensors } {
    if (this.#joined === undefined) {
      throw failed(status.FAILED_PRECONDITION, "this connection has not joined a world");
    }
    return this.#joined;
  }

  #join(name: string, given: ReadonlyMap<string, Tensor>): ActionObservationSpecs {
    if (this.#joined !== undefined) {
      throw failed(status.FAILED_PRECONDITION, "this connection is joined to a world; leave that first");
    }
    const world = this.#worlds.find(name);
    const settings = settingsOf(given);
    checkNames(settings, ["layout"]);
    const { layout = "vector" } = settings;
    const isLayout = (text: unknown): text is Layout => LAYOUTS.some((known) => known === text);
    if (!isLayout(layout)) {
      throw refuse("settings.layout", `got ${showValue(layout)}, expected one of ${LAYOUTS.join(", ")}`);
    }
    if (world.entry.stream !== undefined) {
      throw failed(status.FAILED_PRECONDITION, "the world has one agent, and another connection is it");
    }
    const { observationSpace, actionSpace } = world.entry.session.description;
    const tensors = new AgentTensors(observationSpace, actionSpace, layout);
    world.entry.stream = this;
    world.state = INTERRUPTED;
    this.context.sessions.touch(world.entry);
    this.#joined = { world, tensors };
    return tensors.specs;
  }

  /** The lease of the world begins. */
  #leave(): void {
    if (this.#joined === undefined) return;
    const { entry } = this.#joined.world;
    this.#joined = undefined;
    entry.stream = undefined;
    this.context.sessions.touch(entry);
  }
}
