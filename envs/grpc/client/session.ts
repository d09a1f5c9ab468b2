/** One session of a client: made by its options, asked over its transport, freed by `close`. */
import { randomUUID } from "node:crypto";
import { CcparkError } from "../../../core/errors.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import type { Box, Space } from "../../spaces.ts";
import type { Autoreset } from "../../vector/block.ts";
import { checkSeed } from "../../vector/episode-seeds.ts";
import {
  ActionPolicy,
  AutoresetMode,
  type CreateSessionResponse,
  type GetStateResponse,
  NumberEncoding,
  type RenderResponse,
  type ResetRequest,
  type ResetResponse,
  type StepResponse,
} from "../generated/ccpark/v1/environment.ts";
import type { Duration } from "../generated/google/protobuf/duration.ts";
import { SERVED_IDS } from "../served-ids.ts";
import { boxFromWire, packValues, spaceFromWire } from "../wire.ts";
import { Service, type ServiceOptions } from "./service.ts";
import { StreamTransport } from "./stream.ts";
import type { Transport } from "./transport.ts";
import { UnaryTransport } from "./unary.ts";

export interface SessionOptions extends ServiceOptions {
  /** a preset's name or a scenario */
  readonly scenario?: string | Scenario;
  /** other options of the environment: observation, action, reward, stepMs and so on */
  readonly kwargs?: Readonly<Record<string, unknown>>;
  /** default ccpark/CongestionControl-v0 */
  readonly envId?: string;
  /** for a finite action outside the box; default "clip" */
  readonly actionPolicy?: "clip" | "reject";
  /** truncates an episode after so many steps; absent: only the environment ends it */
  readonly maxEpisodeSteps?: number;
  /** how long the session outlives its connection; default: the server's, mostly 60 s */
  readonly leaseMs?: number;
  /** "unary" is slower and for networks that carry no streams; default "stream" */
  readonly transport?: "stream" | "unary";
}

/** What the kind of client decides. */
export interface SessionShape {
  readonly numEnvs: number;
  readonly autoreset: Autoreset;
  readonly infoKeys: readonly string[];
  readonly withState: boolean;
}

/** Seeds of a reset: one for all (environment i gets seed + i), one per environment, or none. */
export type Seeds = number | readonly number[] | undefined;

const AUTORESET_MODE: Readonly<Record<Autoreset, AutoresetMode>> = {
  "next-step": AutoresetMode.AUTORESET_MODE_NEXT_STEP,
  "same-step": AutoresetMode.AUTORESET_MODE_SAME_STEP,
  disabled: AutoresetMode.AUTORESET_MODE_DISABLED,
};
const CLOSE_TIMEOUT_MS = 2_000;
const NO_FLAGS = new Uint8Array(0);

/** Plain data without `undefined`, as google.protobuf.Struct holds it. */
function toStruct(value: object): Record<string, unknown> {
  const plain = (v: unknown): unknown => {
    if (Array.isArray(v)) return v.map(plain);
    if (v !== null && typeof v === "object") return toStruct(v);
    if (v === null || typeof v === "number" || typeof v === "string" || typeof v === "boolean") return v;
    throw new CcparkError("invalid-argument", `[grpc] options must be plain data: got ${typeof v}`);
  };
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .map(([key, v]) => [key, plain(v)]),
  );
}

function seedingOf(seeds: Seeds): ResetRequest["seeding"] {
  if (seeds === undefined) return undefined;
  if (typeof seeds === "number") return { $case: "seed", value: BigInt(checkSeed(seeds, "seed")) };
  return {
    $case: "seeds",
    value: { seeds: seeds.map((seed, i) => BigInt(checkSeed(seed, `seeds[${i}]`))) },
  };
}

function toDuration(ms: number): Duration {
  const seconds = Math.floor(ms / 1e3);
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1e3) * 1e6) };
}

export class ClientSession {
  readonly description: CreateSessionResponse;
  readonly observationSpace: Box;
  readonly actionSpace: Space;
  readonly #service: Service;
  readonly #transport: Transport;
  #closed: Promise<void> | undefined;

  private constructor(
    service: Service,
    description: CreateSessionResponse,
    transport: SessionOptions["transport"],
  ) {
    this.#service = service;
    this.description = description;
    this.observationSpace = boxFromWire(description.singleObservationSpace, "observation space");
    this.actionSpace = spaceFromWire(description.singleActionSpace, "action space");
    const leaseMs =
      Number(description.leaseTtl?.seconds ?? 0) * 1e3 + (description.leaseTtl?.nanos ?? 0) / 1e6;
    const resumeMs = service.resumeMs ?? leaseMs;
    this.#transport =
      transport === "unary"
        ? new UnaryTransport(service, description, resumeMs)
        : new StreamTransport(service, description, resumeMs);
  }

  /**
   * Makes a session and attaches to it.
   * @throws CcparkError: unavailable if nobody serves the address; what the environment says of its options
   */
  static async open(options: SessionOptions, shape: SessionShape): Promise<ClientSession> {
    const scenario = options.scenario ?? options.kwargs?.["scenario"];
    const kwargs = toStruct({ ...options.kwargs, scenario });
    const { leaseMs } = options;
    const service = new Service(options);
    try {
      const description = await service.call(service.client.createSession, {
        envId: options.envId ?? SERVED_IDS.singleFlow,
        numEnvs: shape.numEnvs,
        kwargs,
        maxEpisodeSteps: options.maxEpisodeSteps,
        autoresetMode: AUTORESET_MODE[shape.autoreset],
        actionPolicy:
          options.actionPolicy === "reject"
            ? ActionPolicy.ACTION_POLICY_REJECT
            : ActionPolicy.ACTION_POLICY_CLIP,
        infoKeys: [...shape.infoKeys],
        leaseTtl: leaseMs === undefined ? undefined : toDuration(leaseMs),
        requestId: randomUUID(),
        numberEncoding: NumberEncoding.NUMBER_ENCODING_PACKED,
        withState: shape.withState,
      });
      const session = new ClientSession(service, description, options.transport);
      await session.#transport.attach();
      return session;
    } catch (error) {
      service.client.close();
      throw error;
    }
  }

  /** @param mask flags, one per environment; absent: all */
  async reset(
    seeds: Seeds,
    options: { readonly mask?: Uint8Array; readonly scenario?: Scenario } = {},
  ): Promise<ResetResponse> {
    const { mask = NO_FLAGS, scenario } = options;
    const answer = await this.#transport.ask({
      $case: "reset",
      value: {
        sessionId: "",
        sessionToken: "",
        seq: 0n,
        seeding: seedingOf(seeds),
        resetMask: mask.slice(),
        options: scenario === undefined ? undefined : { scenario: toStruct(scenario) },
      },
    });
    if (answer.$case !== "reset") throw this.nonsense(`got the answer ${answer.$case}, expected reset`);
    return answer.value;
  }

  /** @param actions all rows; copied */
  async step(actions: Float32Array): Promise<StepResponse> {
    const answer = await this.#transport.ask({
      $case: "step",
      value: {
        sessionId: "",
        sessionToken: "",
        seq: 0n,
        actions: [packValues(this.actionSpace, actions)],
        actionValues: [],
      },
    });
    if (answer.$case !== "step") throw this.nonsense(`got the answer ${answer.$case}, expected step`);
    return answer.value;
  }

  /** Ground truth of one environment's simulation. */
  state(envIndex: number): Promise<GetStateResponse> {
    return this.#service.call(this.#service.client.getState, { ...this.#ticket(), envIndex });
  }

  /** @param mode "ansi", "svg" or "rgb_array" */
  render(envIndex: number, mode: string): Promise<RenderResponse> {
    return this.#service.call(this.#service.client.render, { ...this.#ticket(), envIndex, mode });
  }

  /** The server does not keep the protocol; nothing more can be asked. */
  nonsense(what: string): CcparkError {
    const error = new CcparkError("internal", `[grpc] ${this.#service.address}: ${what}`);
    this.#transport.break(error);
    return error;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #ticket(): { sessionId: string; sessionToken: string } {
    const { sessionId, sessionToken } = this.description;
    return { sessionId, sessionToken };
  }

  async #close(): Promise<void> {
    const { client } = this.#service;
    const goneAlready = this.#transport.isBroken;
    this.#transport.break(new CcparkError("failed-precondition", "[grpc] the environment is closed"));
    if (!goneAlready) {
      // the lease frees a session that cannot be closed
      await this.#service.call(client.closeSession, this.#ticket(), CLOSE_TIMEOUT_MS).catch(() => undefined);
    }
    client.close();
  }
}
