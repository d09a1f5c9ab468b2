/** Sessions without a transport: requests and answers as plain calls. */
import { createHash } from "node:crypto";
import { Rng } from "../../../core/random.ts";
import {
  ActionPolicy,
  AutoresetMode,
  type ConnectResponse,
  NumberEncoding,
  type ResetRequest,
  ResetResponse,
  StepResponse,
} from "../../../envs/grpc/generated/ccpark/v1/environment.ts";
import type { EnvHost, Session, SessionConfig } from "../../../envs/grpc/session/env-host.ts";
import { pack } from "../../../envs/grpc/wire.ts";
import { boundsOf } from "../../../envs/spaces.ts";
import type { MaybePromise } from "../../../envs/vector/place.ts";

export const MODES: readonly AutoresetMode[] = [
  AutoresetMode.AUTORESET_MODE_NEXT_STEP,
  AutoresetMode.AUTORESET_MODE_SAME_STEP,
  AutoresetMode.AUTORESET_MODE_DISABLED,
];

export function openSession(host: EnvHost, fields: Partial<SessionConfig> = {}): Promise<Session> {
  return host.open({
    envId: "ccpark/CongestionControl-v0",
    numEnvs: 1,
    kwargs: {},
    seed: 0,
    maxEpisodeSteps: 0,
    autoresetMode: AutoresetMode.AUTORESET_MODE_NEXT_STEP,
    actionPolicy: ActionPolicy.ACTION_POLICY_CLIP,
    numberEncoding: NumberEncoding.NUMBER_ENCODING_PACKED,
    withState: false,
    infoKeys: [],
    keptAnswers: 4,
    ...fields,
  });
}

const isRepeated = ({ config }: Session): boolean =>
  config.numberEncoding === NumberEncoding.NUMBER_ENCODING_REPEATED;

export function answerReset(
  session: Session,
  fields: Partial<ResetRequest> = {},
): MaybePromise<ConnectResponse> {
  return session.handle({
    $case: "reset",
    value: {
      sessionId: "",
      sessionToken: "",
      seq: session.lastSeq + 1n,
      seeding: undefined,
      resetMask: new Uint8Array(0),
      options: undefined,
      ...fields,
    },
  });
}

export function answerStep(
  session: Session,
  actions: Float32Array,
  seq: bigint = session.lastSeq + 1n,
): MaybePromise<ConnectResponse> {
  return session.handle({
    $case: "step",
    value: {
      sessionId: "",
      sessionToken: "",
      seq,
      actions: isRepeated(session) ? [] : [pack(actions)],
      actionValues: isRepeated(session) ? Array.from(actions) : [],
    },
  });
}

function payloadOf(answer: ConnectResponse, kind: string): unknown {
  if (answer.payload?.$case === kind) return answer.payload.value;
  throw new Error(JSON.stringify(answer.payload?.value, (_, v) => (typeof v === "bigint" ? String(v) : v)));
}

export async function reset(session: Session, fields: Partial<ResetRequest> = {}): Promise<ResetResponse> {
  return payloadOf(await answerReset(session, fields), "reset") as ResetResponse;
}

/** @param actions absent: zeros */
export async function step(session: Session, actions?: Float32Array): Promise<StepResponse> {
  return payloadOf(await answerStep(session, actions ?? noActions(session)), "step") as StepResponse;
}

export function noActions({ config, description }: Session): Float32Array {
  return new Float32Array(config.numEnvs * description.slotsPerEnv * description.actionSpace.shape[0]);
}

/** Seeded actions inside the box and a little beyond. */
export function randomActions(session: Session, rng: Rng): Float32Array {
  const { low, high } = boundsOf(session.description.actionSpace);
  return noActions(session).map((_, i) =>
    rng.uniform(1.1 * low[i % low.length]!, 1.1 * high[i % low.length]!),
  );
}

/** All answers of a run; under DISABLED the environments that ended are reset with a mask. */
export async function trajectory(session: Session, steps: number): Promise<(ResetResponse | StepResponse)[]> {
  const rng = Rng.fromSeed(99);
  const { numEnvs, autoresetMode } = session.config;
  const answers: (ResetResponse | StepResponse)[] = [await reset(session)];
  for (let i = 0; i < steps; i++) {
    const taken = await step(session, randomActions(session, rng));
    answers.push(taken);
    const over = Uint8Array.from({ length: numEnvs }, (_, env) =>
      taken.ended.length > 0 ? taken.ended[env]! : taken.terminated[env]! | taken.truncated[env]!,
    );
    if (autoresetMode === AutoresetMode.AUTORESET_MODE_DISABLED && over.includes(1)) {
      answers.push(await reset(session, { resetMask: over }));
    }
  }
  return answers;
}

/** SHA-256 of all bytes of answers. */
export function digestOf(answers: readonly (ResetResponse | StepResponse)[]): string {
  const hash = createHash("sha256");
  for (const answer of answers) {
    hash.update(
      "rewards" in answer ? StepResponse.encode(answer).finish() : ResetResponse.encode(answer).finish(),
    );
  }
  return hash.digest("hex");
}
