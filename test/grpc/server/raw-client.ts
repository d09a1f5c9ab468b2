/** The service without the comfort of `connectEnv`: for tests that break its rules. */
import { type ClientDuplexStream, credentials, type ServiceError } from "@grpc/grpc-js";
import {
  ActionPolicy,
  AutoresetMode,
  type ConnectRequest,
  type ConnectResponse,
  type CreateSessionRequest,
  type CreateSessionResponse,
  EnvServiceClient,
  NumberEncoding,
  type ResetRequest,
  type StepRequest,
} from "../../../envs/grpc/generated/ccpark/v1/environment.ts";
import { pack } from "../../../envs/grpc/wire.ts";

type Payload = NonNullable<ConnectRequest["payload"]>;

export function resetPayload(seq: number, fields: Partial<ResetRequest> = {}): Payload & { $case: "reset" } {
  return {
    $case: "reset",
    value: {
      sessionId: "",
      sessionToken: "",
      seq: BigInt(seq),
      seeding: { $case: "seed", value: 7n },
      resetMask: new Uint8Array(0),
      options: undefined,
      ...fields,
    },
  };
}

/** @param actions row-major */
export function stepPayload(seq: number, actions: readonly number[]): Payload & { $case: "step" } {
  const value: StepRequest = {
    sessionId: "",
    sessionToken: "",
    seq: BigInt(seq),
    actions: [pack(Float32Array.from(actions))],
    actionValues: [],
  };
  return { $case: "step", value };
}

/** A stream whose answers are read one by one. */
export class RawStream {
  readonly call: ClientDuplexStream<ConnectRequest, ConnectResponse>;
  readonly #answers: ConnectResponse[] = [];
  #waiting: (() => void) | undefined;
  #ended: { code: number; details: string } | undefined;

  constructor(client: EnvServiceClient) {
    this.call = client.connect();
    this.call.on("data", (answer: ConnectResponse) => {
      this.#answers.push(answer);
      this.#waiting?.();
    });
    this.call.on("error", (error: ServiceError) => this.#end(error.code, error.details));
    this.call.on("end", () => setImmediate(() => this.#end(0, "ended")));
  }

  #end(code: number, details: string): void {
    this.#ended ??= { code, details };
    this.#waiting?.();
  }

  write(...payloads: Payload[]): void {
    for (const payload of payloads) this.call.write({ payload });
  }

  attach(
    session: CreateSessionResponse,
    fields: { lastSeqReceived?: bigint; takeOver?: boolean } = {},
  ): void {
    const { sessionId, sessionToken } = session;
    const { lastSeqReceived, takeOver = false } = fields;
    this.write({ $case: "attach", value: { sessionId, sessionToken, lastSeqReceived, takeOver } });
  }

  /** The next answer; throws if the stream ends first. */
  async read(): Promise<ConnectResponse> {
    for (;;) {
      const answer = this.#answers.shift();
      if (answer !== undefined) return answer;
      if (this.#ended !== undefined) throw new Error(`ended: ${this.#ended.code} ${this.#ended.details}`);
      await new Promise<void>((resolve) => (this.#waiting = resolve));
    }
  }

  /** Waits for the end; answers that are still unread stay readable. */
  async end(): Promise<{ code: number; details: string }> {
    while (this.#ended === undefined) await new Promise<void>((resolve) => (this.#waiting = resolve));
    return this.#ended;
  }
}

export class RawClient {
  readonly stub: EnvServiceClient;

  constructor(port: number) {
    this.stub = new EnvServiceClient(`127.0.0.1:${port}`, credentials.createInsecure(), {
      "grpc.max_send_message_length": -1,
      "grpc.max_receive_message_length": -1,
      "grpc.use_local_subchannel_pool": 1, // its own connection, so that tests do not share one
    });
  }

  create(fields: Partial<CreateSessionRequest> = {}): Promise<CreateSessionResponse> {
    const request: CreateSessionRequest = {
      envId: "ccpark/CongestionControl-v0",
      numEnvs: 1,
      kwargs: { scenario: "toy-short" },
      maxEpisodeSteps: undefined,
      autoresetMode: AutoresetMode.AUTORESET_MODE_DISABLED,
      actionPolicy: ActionPolicy.ACTION_POLICY_UNSPECIFIED,
      infoKeys: [],
      leaseTtl: undefined,
      requestId: "",
      numberEncoding: NumberEncoding.NUMBER_ENCODING_UNSPECIFIED,
      withState: false,
      ...fields,
    };
    return this.unary((done) => this.stub.createSession(request, done));
  }

  unary<Response>(
    start: (done: (error: ServiceError | null, response: Response) => void) => unknown,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      start((error, response) => (error === null ? resolve(response) : reject(error)));
    });
  }

  connect(): RawStream {
    return new RawStream(this.stub);
  }

  /** A stream attached to the session. */
  async attached(session: CreateSessionResponse): Promise<RawStream> {
    const stream = this.connect();
    stream.attach(session);
    await stream.read();
    return stream;
  }

  close(): void {
    this.stub.close();
  }
}
