/**
 * An `Env` in another process: one environment over the stream of the service, without autoreset. Errors are those of a
 * local environment; a server that is gone, or silent for too long, gives "unavailable". It does not attach again by
 * itself: make a new one.
 */
import { randomUUID } from "node:crypto";
import {
  type ClientDuplexStream,
  type ClientUnaryCall,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { CcparkError } from "../../core/errors.ts";
import type { Env, ResetOptions, TimeStep } from "../env.ts";
import type { Scenario } from "../scenario.ts";
import type { Box } from "../spaces.ts";
import {
  ActionPolicy,
  AutoresetMode,
  type ConnectRequest,
  type ConnectResponse,
  type CreateSessionResponse,
  EnvServiceClient,
  NumberEncoding,
} from "./generated/ccpark/v1/environment.ts";
import { checkSeed } from "./session-env.ts";
import { kindOfCode } from "./status-codes.ts";
import {
  pack,
  STEP_INFO_KEYS,
  spaceFromWire,
  stepInfoFromColumns,
  unpackFloat64,
  unpackLeaf,
} from "./wire.ts";

export interface ConnectOptions {
  /** host:port */
  readonly address: string;
  /** a preset's name or a scenario */
  readonly scenario?: string | Scenario;
  /** other options of the environment: observation, action, reward, stepMs and so on */
  readonly kwargs?: Readonly<Record<string, unknown>>;
  /** default ccpark/CongestionControl-v0 */
  readonly envId?: string;
  /** for a finite action outside the box; default "clip" */
  readonly actionPolicy?: "clip" | "reject";
  /** longest wait for one answer; default 30 s */
  readonly timeoutMs?: number;
}

const CLOSE_TIMEOUT_MS = 2_000;

function fromServiceError(address: string, error: Partial<ServiceError>): CcparkError {
  const details = error.details || error.message || "the stream ended";
  const kind = kindOfCode(error.code ?? 2);
  const message = details.startsWith("[") ? details : `[grpc] ${address}: ${details}`;
  return new CcparkError(kind, message, { cause: error });
}

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

type Payload = NonNullable<ConnectResponse["payload"]>;

interface Pending {
  resolve(payload: Payload): void;
  reject(error: CcparkError): void;
  readonly timer: NodeJS.Timeout;
}

class RemoteEnv implements Env {
  readonly observationSpace: Box;
  readonly actionSpace: Box;
  readonly #address: string;
  readonly #timeoutMs: number;
  readonly #client: EnvServiceClient;
  readonly #session: CreateSessionResponse;
  readonly #stream: ClientDuplexStream<ConnectRequest, ConnectResponse>;
  /** requests in the order in which their answers come */
  readonly #pending: Pending[] = [];
  #seq = 0n;
  #broken: CcparkError | undefined;
  #closed: Promise<void> | undefined;

  constructor(address: string, timeoutMs: number, client: EnvServiceClient, session: CreateSessionResponse) {
    this.#address = address;
    this.#timeoutMs = timeoutMs;
    this.#client = client;
    this.#session = session;
    this.observationSpace = spaceFromWire(session.singleObservationSpace, "observation space");
    this.actionSpace = spaceFromWire(session.singleActionSpace, "action space");
    this.#stream = client.connect();
    this.#stream.on("data", (response: ConnectResponse) => this.#onAnswer(response));
    this.#stream.on("error", (error: ServiceError) => this.#break(fromServiceError(address, error)));
    this.#stream.on("end", () =>
      this.#break(new CcparkError("unavailable", `[grpc] ${address}: the server ended the stream`)),
    );
  }

  async attach(): Promise<void> {
    const { sessionId, sessionToken } = this.#session;
    await this.#ask({
      $case: "attach",
      value: { sessionId, sessionToken, lastSeqReceived: undefined, takeOver: false },
    });
  }

  async reset(options: ResetOptions): Promise<TimeStep> {
    const seed = checkSeed(options.seed, "seed");
    const scenario = options.scenario;
    const payload = await this.#ask({
      $case: "reset",
      value: {
        sessionId: "",
        sessionToken: "",
        seq: this.#seq + 1n,
        seeding: { $case: "seed", value: BigInt(seed) },
        resetMask: new Uint8Array(0),
        options: scenario === undefined ? undefined : { scenario: toStruct(scenario) },
      },
    });
    if (payload.$case !== "reset") throw this.#nonsense(payload.$case, "reset");
    return {
      observation: this.#observationOf(payload.value.observations),
      reward: 0,
      info: stepInfoFromColumns(payload.value.infos, 0),
      terminated: false,
      truncated: false,
    };
  }

  async step(action: Float32Array): Promise<TimeStep> {
    const payload = await this.#ask({
      $case: "step",
      value: {
        sessionId: "",
        sessionToken: "",
        seq: this.#seq + 1n,
        actions: [pack(action)],
        actionValues: [],
      },
    });
    if (payload.$case !== "step") throw this.#nonsense(payload.$case, "step");
    const { observations, rewards, terminated, truncated, infos } = payload.value;
    const reward = unpackFloat64(rewards)[0];
    if (reward === undefined) throw this.#nonsense("step without a reward", "step");
    return {
      observation: this.#observationOf(observations),
      reward,
      info: stepInfoFromColumns(infos, 0),
      terminated: terminated[0] === 1,
      truncated: truncated[0] === 1,
    };
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    const goneAlready = this.#broken !== undefined;
    this.#break(new CcparkError("failed-precondition", "[grpc] the environment is closed"));
    if (!goneAlready) {
      const { sessionId, sessionToken } = this.#session;
      await unaryCall<unknown>(this.#address, (done) =>
        this.#client.closeSession(
          { sessionId, sessionToken },
          new Metadata(),
          { deadline: Date.now() + CLOSE_TIMEOUT_MS },
          done,
        ),
      ).catch(() => undefined); // the lease frees a session that cannot be closed
    }
    this.#stream.cancel();
    this.#client.close();
  }

  #observationOf(leaves: readonly Uint8Array[]): Float32Array {
    try {
      return unpackLeaf(leaves, 1, this.observationSpace.shape[0], "observation");
    } catch (error) {
      throw new CcparkError("internal", (error as Error).message, { cause: error });
    }
  }

  #nonsense(got: string, expected: string): CcparkError {
    const error = new CcparkError(
      "internal",
      `[grpc] ${this.#address}: got the answer ${got}, expected ${expected}`,
    );
    this.#break(error);
    return error;
  }

  #ask(payload: NonNullable<ConnectRequest["payload"]>): Promise<Payload> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    if (payload.$case === "reset" || payload.$case === "step") this.#seq = payload.value.seq;
    return new Promise<Payload>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#break(
          new CcparkError("unavailable", `[grpc] ${this.#address}: no answer within ${this.#timeoutMs} ms`),
        );
      }, this.#timeoutMs);
      this.#pending.push({ resolve, reject, timer });
      this.#stream.write({ payload });
    });
  }

  #onAnswer({ payload }: ConnectResponse): void {
    const first = this.#pending.shift();
    if (first === undefined) return;
    clearTimeout(first.timer);
    if (payload === undefined) first.reject(this.#nonsense("nothing", "a payload"));
    else if (payload.$case === "error") {
      first.reject(new CcparkError(kindOfCode(payload.value.code), payload.value.message));
    } else first.resolve(payload);
  }

  /** Nothing can be asked any more; whoever waits is told why. */
  #break(error: CcparkError): void {
    if (this.#broken !== undefined) return;
    this.#broken = error;
    for (const { reject, timer } of this.#pending.splice(0)) {
      clearTimeout(timer);
      reject(error);
    }
    this.#stream.cancel();
  }
}

function unaryCall<Response>(
  address: string,
  start: (done: (error: ServiceError | null, response: Response) => void) => ClientUnaryCall,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    start((error, response) => {
      if (error === null) resolve(response);
      else reject(fromServiceError(address, error));
    });
  });
}

/**
 * Makes a session with one environment and attaches to it. `close` it, or the process will not end.
 * @throws CcparkError: unavailable if nobody serves the address; what the environment says of scenario and kwargs
 */
export async function connectEnv(options: ConnectOptions): Promise<Env> {
  const { address, timeoutMs = 30_000 } = options;
  const kwargs = toStruct({ ...options.kwargs, scenario: options.scenario ?? options.kwargs?.["scenario"] });
  const client = new EnvServiceClient(address, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1, // one environment's answers are small; the server has the limit
    "grpc.keepalive_time_ms": 20_000,
    "grpc.keepalive_timeout_ms": 10_000,
  });
  try {
    const session = await unaryCall<CreateSessionResponse>(address, (done) =>
      client.createSession(
        {
          envId: options.envId ?? "ccpark/CongestionControl-v0",
          numEnvs: 1,
          kwargs,
          maxEpisodeSteps: undefined,
          autoresetMode: AutoresetMode.AUTORESET_MODE_DISABLED,
          actionPolicy:
            options.actionPolicy === "reject"
              ? ActionPolicy.ACTION_POLICY_REJECT
              : ActionPolicy.ACTION_POLICY_CLIP,
          infoKeys: [...STEP_INFO_KEYS],
          leaseTtl: undefined,
          requestId: randomUUID(),
          numberEncoding: NumberEncoding.NUMBER_ENCODING_PACKED,
          withState: false,
        },
        new Metadata(),
        { deadline: Date.now() + timeoutMs },
        done,
      ),
    );
    const env = new RemoteEnv(address, timeoutMs, client, session);
    await env.attach();
    return env;
  } catch (error) {
    client.close();
    throw error;
  }
}
