/** What environments in rows have in common: the scenario of an episode, its ground truth, its pictures, its cost. */
import { assert } from "../../../core/errors.ts";
import { eventsOfReset, eventsPerSec } from "../../../scenarios/estimates/cost.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import type { Run } from "../../../testbeds/testbed.ts";
import { drawScenario, type ScenarioSource } from "../../steps/scenario-source.ts";
import { type GroundTruth, groundTruth } from "./ground-truth.ts";
import { type EpisodeCourse, EpisodeHistory } from "./history.ts";
import type { MaybePicture } from "./slot-env.ts";

/** Draws a picture; wired by who may use chart libraries. undefined: no such mode */
export type DrawPicture = (mode: string, course: EpisodeCourse) => MaybePicture;

/** What such an environment is made of, besides its options. */
export interface SlotEnvParts {
  readonly scenarios: ScenarioSource;
  /** A scenario from another process as a source; absent: resets take none. @throws CcparkError */
  readonly readScenario?: (scenario: unknown) => ScenarioSource;
  /** absent: there are no pictures */
  readonly draw?: DrawPicture;
  /** as of `SlotEnvShape`; absent: none */
  readonly notes?: readonly string[];
  /** keep the course of episodes from the beginning on; default false */
  readonly render?: boolean;
}

export class SlotEpisode {
  readonly #parts: SlotEnvParts;
  readonly #history = new EpisodeHistory();
  #scenario: Scenario | undefined;
  #seed = 0;
  #isRecording: boolean;

  constructor(parts: SlotEnvParts) {
    this.#parts = parts;
    this.#isRecording = parts.render ?? false;
  }

  /** The scenario of an episode. @param given as in `SlotEnv.reset` */
  draw(seed: number, given: unknown): Scenario {
    const { scenarios, readScenario } = this.#parts;
    if (given === undefined) return drawScenario(scenarios, seed);
    assert(readScenario !== undefined, "resets with a scenario need a reader of scenarios");
    return drawScenario(readScenario(given), seed);
  }

  /** Call it after the environment has begun with `scenario`. */
  begin(seed: number, scenario: Scenario, run: Run): void {
    this.#seed = seed;
    this.#scenario = scenario;
    this.#history.clear();
    if (this.#isRecording) this.record(run);
  }

  /** Whether each step is to be recorded. */
  get isRecording(): boolean {
    return this.#isRecording;
  }

  /** Call it after each step while `isRecording`. */
  record(run: Run): void {
    this.#history.record(run);
  }

  state(run: Run): GroundTruth {
    return groundTruth(run, this.#begun());
  }

  render(mode: string, run: Run): MaybePicture {
    const { name: title } = this.#begun();
    const { draw } = this.#parts;
    if (draw === undefined) return undefined;
    if (!this.#isRecording) {
      this.#isRecording = true;
      this.#history.record(run);
    }
    return draw(mode, this.#history.course(run, { title, seed: this.#seed }));
  }

  #begun(): Scenario {
    assert(this.#scenario !== undefined, "the episode has begun");
    return this.#scenario;
  }
}

/**
 * A step without packets, and what each packet adds: quiet percentiles between round trips and among 64 environments, where
 * the caches are cold (in a loop of its own an environment takes half of that), as docs/performance.md has them.
 */
const STEP_US = 2;
const PACKET_US = 0.4;
/** Building a simulation: quiet percentile, a few steps between. */
const RESET_US = 160;

/** @param stepSec undefined: a step lasts a round trip, with a queue of half of that */
export function costUs(scenario: Scenario, stepSec: number | undefined): { step: number; reset: number } {
  const { propagationDelayMs } = scenario;
  const backMs = scenario.reversePropagationDelayMs ?? propagationDelayMs;
  const span = stepSec ?? (1.5 * (propagationDelayMs + backMs)) / 1000;
  return {
    step: STEP_US + PACKET_US * eventsPerSec(scenario) * span,
    reset: RESET_US + PACKET_US * eventsOfReset(scenario),
  };
}
