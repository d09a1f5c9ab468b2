/** A deterministic toy: the smallest environment that shows seeds, ends, clipping and every fact of StepInfo. */
import { CcparkError, unknownName } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import type { Env, TimeStep } from "../../envs/env.ts";
import type { EnvHost } from "../../envs/grpc/env-host.ts";
import { localHost } from "../../envs/grpc/env-host-local.ts";
import { checkSeed, type SteppableEnv } from "../../envs/grpc/session-env.ts";
import type { Scenario } from "../../envs/scenario.ts";
import { type Box, checkFinite, makeBox } from "../../envs/spaces.ts";

const SCENARIOS = ["toy-short", "toy-long", "toy-terminates", "toy-explodes"];
const KWARGS = ["scenario", "actionPolicy", "steps", "stepMs"];

const OBSERVATION: Box = makeBox([
  { name: "sum", unit: "1", low: -1000, high: 1000, definition: "sum of the actions and the seeded noise" },
  { name: "noise", unit: "1", low: 0, high: 0.1, definition: "the last draw" },
  { name: "progress", unit: "1", low: 0, high: 1, definition: "share of the episode that is over" },
]);
const ACTION: Box = makeBox([
  { name: "up", unit: "1", low: -1, high: 1, definition: "added to the sum" },
  { name: "down", unit: "1", low: -0.3, high: 0.3, definition: "subtracted from the sum" },
]);

export class ToyEnv implements SteppableEnv {
  readonly observationSpace: Box = OBSERVATION;
  readonly actionSpace: Box = ACTION;
  readonly #scenario: string;
  #episodeSteps: number;
  #rng: Rng | undefined;
  #sum = 0;
  #steps = 0;
  #scale = 1;

  constructor(kwargs: Readonly<Record<string, unknown>>) {
    for (const key of Object.keys(kwargs)) {
      if (!KWARGS.includes(key)) {
        throw new CcparkError("invalid-argument", unknownName("env", "option", key, KWARGS).message);
      }
    }
    const scenario = kwargs["scenario"] ?? "toy-short";
    if (typeof scenario !== "string" || !SCENARIOS.includes(scenario)) {
      throw unknownName("scenario", "scenario", String(scenario), SCENARIOS);
    }
    this.#scenario = scenario;
    this.#episodeSteps = Number(kwargs["steps"] ?? (scenario === "toy-long" ? 1000 : 20));
  }

  reset(seed: number, scenario?: Scenario): TimeStep {
    if (scenario !== undefined && typeof scenario.propagationDelayMs !== "number") {
      throw new CcparkError("invalid-argument", "[scenario] propagationDelayMs: got nothing, expected ms");
    }
    this.#scale = scenario?.propagationDelayMs ?? 1;
    this.#rng = Rng.fromSeed(seed);
    this.#sum = 0;
    this.#steps = 0;
    return this.#timeStep(this.#rng.next() * 0.1, 0, 0);
  }

  step(action: Float32Array): TimeStep {
    if (this.#rng === undefined || this.#steps >= this.#episodeSteps) {
      throw new CcparkError("failed-precondition", "[env] step outside an episode");
    }
    checkFinite(ACTION, action, "action");
    const [up, down] = action.map((a, i) => Math.min(Math.max(a, ACTION.low[i]!), ACTION.high[i]!));
    const clipped = up !== action[0] || down !== action[1] ? 1 : 0;
    this.#steps += 1;
    if (this.#scenario === "toy-explodes" && this.#steps === 3) throw new Error("boom");
    const noise = this.#rng.next() * 0.1;
    this.#sum += (up! - down! + noise) * this.#scale;
    return this.#timeStep(noise, this.#sum / 3, clipped);
  }

  episodeMetrics(): Readonly<Record<string, number>> {
    return { goodputMbps: this.#sum };
  }

  #timeStep(noise: number, reward: number, clippedActions: number): TimeStep {
    const over = this.#steps >= this.#episodeSteps;
    return {
      observation: Float32Array.of(
        this.#sum,
        Math.min(noise, OBSERVATION.high[1]!),
        this.#steps / this.#episodeSteps,
      ),
      reward,
      terminated: over && this.#scenario === "toy-terminates",
      truncated: over && this.#scenario !== "toy-terminates",
      info: {
        report: this.#steps % 2 === 1,
        timeUs: this.#steps * 10_000.25,
        stepUs: this.#steps === 0 ? 0 : 10_000.25,
        deliveredBytes: 1448 * this.#steps,
        lostPackets: this.#steps % 3,
        rttUs: 50_000 + noise,
        cwndBytes: 14_480,
        pacingRateBytesPerSec: this.#steps % 2 === 0 ? 0 : 1e6 / 3,
        clippedActions,
      },
    };
  }
}

export const makeToyEnv = (kwargs: Readonly<Record<string, unknown>>): SteppableEnv => new ToyEnv(kwargs);

/** The toy as a local `Env`. */
export function localToyEnv(kwargs: Readonly<Record<string, unknown>>): Env {
  const env = new ToyEnv(kwargs);
  return {
    observationSpace: env.observationSpace,
    actionSpace: env.actionSpace,
    reset: async ({ seed, scenario }) => env.reset(checkSeed(seed, "seed"), scenario),
    step: async (action) => env.step(action),
    close: async () => undefined,
  };
}

/** The toy behind the id of the real environment. */
export const toyHost = (): EnvHost => localHost(new Map([["ccpark/CongestionControl-v0", makeToyEnv]]));
