/**
 * A deterministic toy: the smallest environment that shows seeds, ends, clipping and every fact of StepInfo. It can throw,
 * hang, sleep (`sleepMs`, real time per step) and end its thread, and pretend to be slow (`costUs`), so that a host puts it
 * into worker threads.
 */
import { CcparkError, unknownName } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import type { Env, StepInfo, TimeStep } from "../../envs/env.ts";
import type { EnvHost } from "../../envs/grpc/session/env-host.ts";
import { envHost, type HostOptions } from "../../envs/grpc/session/env-host-threads.ts";
import type { ServedEnv } from "../../envs/grpc/session/served-env.ts";
import type { FlowRows } from "../../envs/multi-flow-env.ts";
import { type Box, checkFinite, makeBox } from "../../envs/spaces.ts";
import { checkSeed } from "../../envs/vector/episode-seeds.ts";
import type { SlotEnv } from "../../envs/vector/slots/slot-env.ts";
import type { Scenario } from "../../scenarios/scenario.ts";

const SCENARIOS = ["toy-short", "toy-long", "toy-terminates", "toy-explodes", "toy-hangs", "toy-exits"];
const KWARGS = ["scenario", "actionPolicy", "steps", "stepMs", "costUs", "sleepMs", "render"];

const OBSERVATION: Box = makeBox([
  { name: "sum", unit: "1", low: -1000, high: 1000, definition: "sum of the actions and the seeded noise" },
  { name: "noise", unit: "1", low: 0, high: 0.1, definition: "the last draw" },
  { name: "progress", unit: "1", low: 0, high: 1, definition: "share of the episode that is over" },
]);
const ACTION: Box = makeBox([
  { name: "up", unit: "1", low: -1, high: 1, definition: "added to the sum" },
  { name: "down", unit: "1", low: -0.3, high: 0.3, definition: "subtracted from the sum" },
]);

export class ToyEnv {
  readonly observationSpace: Box = OBSERVATION;
  readonly actionSpace: Box = ACTION;
  readonly #scenario: string;
  #episodeSteps: number;
  #rng: Rng | undefined;
  #sum = 0;
  #steps = 0;
  #scale = 1;
  readonly #sleepMs: number;

  constructor(kwargs: Readonly<Record<string, unknown>>) {
    for (const key of Object.keys(kwargs)) {
      if (!KWARGS.includes(key)) {
        const { message } = unknownName("env", "option", key, KWARGS);
        throw new CcparkError("invalid-argument", message, { field: key });
      }
    }
    const scenario = kwargs["scenario"] ?? "toy-short";
    if (typeof scenario !== "string" || !SCENARIOS.includes(scenario)) {
      throw unknownName("scenario", "scenario", String(scenario), SCENARIOS, "scenario");
    }
    this.#scenario = scenario;
    this.#sleepMs = Number(kwargs["sleepMs"] ?? 0);
    this.#episodeSteps = Number(kwargs["steps"] ?? (scenario === "toy-long" ? 1000 : 20));
  }

  reset(seed: number, scenario?: Scenario): TimeStep {
    checkToyScenario(scenario);
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
    if (this.#sleepMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, this.#sleepMs);
    if (this.#steps === 3) {
      if (this.#scenario === "toy-explodes") throw new Error("boom");
      if (this.#scenario === "toy-exits") process.exit(7); // of a worker: only the thread ends
      while (this.#scenario === "toy-hangs") this.#steps = 3;
    }
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
        actionLateUs: 0,
        missedReports: 0,
      },
    };
  }
}

function checkToyScenario(scenario: unknown): void {
  if (scenario === undefined) return;
  if (typeof (scenario as Scenario).propagationDelayMs !== "number") {
    throw new CcparkError("invalid-argument", "[scenario] propagationDelayMs: got nothing, expected ms", {
      field: "scenario.propagationDelayMs",
    });
  }
}

/** The toy as it is served. */
class ToySlot implements SlotEnv {
  readonly observationSpace: Box = OBSERVATION;
  readonly actionSpace: Box = ACTION;
  readonly refusesBelow = false;
  readonly flowIds: readonly string[] = ["flow-0"];
  readonly severalFlows = false;
  readonly stepSeconds = 0.01;
  readonly stateSpace = undefined;
  readonly rewardComponents: readonly string[] = ["third"];
  readonly notes: readonly string[] = [];
  readonly costUs: { readonly step: number; readonly reset: number };
  readonly memoryBytes = 1000;
  readonly #env: ToyEnv;
  #last: TimeStep | undefined;

  constructor(kwargs: Readonly<Record<string, unknown>>) {
    this.#env = new ToyEnv(kwargs);
    this.costUs = { step: Number(kwargs["costUs"] ?? 1), reset: 1 };
  }

  get #step(): TimeStep {
    return this.#last!;
  }

  get ended(): boolean {
    return this.#step.terminated || this.#step.truncated;
  }

  checkScenario(scenario: unknown): number {
    checkToyScenario(scenario);
    return this.memoryBytes;
  }

  reset(seed: number, scenario?: unknown): void {
    this.#last = this.#env.reset(seed, scenario as Scenario | undefined);
  }

  step(actions: Float32Array): void {
    this.#last = this.#env.step(actions.slice());
  }

  writeView(into: FlowRows, row: number): void {
    into.observations.set(this.#step.observation, row * OBSERVATION.shape[0]);
    into.present[row] = 1;
    into.live[row] = this.ended ? 0 : 1;
  }

  writeOutcome(into: FlowRows, row: number): void {
    into.rewards[row] = this.#step.reward;
    into.terminated[row] = this.#step.terminated ? 1 : 0;
    into.truncated[row] = this.#step.truncated ? 1 : 0;
  }

  info(): StepInfo {
    return this.#step.info;
  }

  writeRewardComponents(_slot: number, into: Float64Array): void {
    into[0] = this.#step.reward;
  }

  simSeconds(): number {
    return this.#step.info.timeUs / 1e6;
  }

  episodeMetrics(): Readonly<Record<string, number>> {
    return this.#env.episodeMetrics();
  }

  move(): void {
    throw new CcparkError("failed-precondition", "[toy] it stays");
  }

  state: SlotEnv["state"] = () => ({
    timeUs: this.#step.info.timeUs,
    scenario: {} as Scenario,
    links: [],
    measured: {
      ...{ name: "forward", rateBytesPerSec: 0, bufferBytes: 0, queueBytes: 0, queuePackets: 0 },
      ...{ servedBytes: 0, droppedPackets: 0 },
    },
    flows: [],
    baseRttUs: 0,
    bdpBytes: 0,
  });

  render: SlotEnv["render"] = () => ({
    mediaType: "text/plain; charset=utf-8",
    data: new TextEncoder().encode(`sum ${this.#step.observation[0]}\n`),
    shape: [],
  });
}

/** The toy behind the id of the real environment. */
export const SERVED_TOY: ServedEnv = {
  envId: "ccpark/CongestionControl-v0",
  list: () => SERVED_TOY.describe().env!,
  describe: () => ({
    env: {
      envId: "ccpark/CongestionControl-v0",
      description: "a toy",
      severalFlows: false,
      kwargsJsonSchema: "{}",
      scenarioJsonSchema: "{}",
    },
    observations: [],
    actions: [],
    rewards: [],
    scenarios: [],
    infoKeys: [],
    stateSpace: undefined,
  }),
  make: (kwargs, count) => Array.from({ length: count }, () => new ToySlot(kwargs)),
};

/** @param options workers: threads for sessions whose `costUs` is high; default none */
export function toyHost(options: Omit<HostOptions, "served" | "worker"> = {}): EnvHost {
  const url = new URL("./toy-worker.ts", import.meta.url);
  return envHost({ served: [SERVED_TOY], worker: { url }, ...options });
}

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
