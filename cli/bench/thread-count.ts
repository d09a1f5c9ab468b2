/**
 * How many threads the runs of a benchmark are worth. A further one compiles what it runs once more, which takes a third of a second of
 * the processor: it is started where it saves as much of the clock.
 */
import type { BenchmarkPlan } from "../../eval/benchmark.ts";
import { eventsPerSec } from "../../scenarios/estimates/cost.ts";
import type { BenchUnit } from "./bench-unit.ts";

/** What each thread must have to do for that. */
const SEC_PER_THREAD = 0.6;
/** Of what is quickest: one flow over one link. What is slower than that shows when it runs. */
const EVENTS_PER_SEC = 15_000_000;
/** Of a run beside its packets: a network, its programs and its results. */
const EVENTS_PER_RUN = 5_000;
/** The first thread has compiled most of what it runs by then, and after as much again its pace says something. */
const WARM_MS = 250;
/** What must be left then: on a machine half as fast, what one thread is enough for looks like more at first. */
const LATE_SEC = 2.5;

/** How much the units of a plan have to do, in events as `scenarios/estimates/cost.ts` counts them. */
export class PlannedWork {
  readonly units: readonly BenchUnit[];
  readonly total: number;
  /** by scenario, of a run */
  readonly #perRun: readonly number[];

  constructor({ scenarios, seeds }: Pick<BenchmarkPlan, "scenarios" | "seeds">, units: readonly BenchUnit[]) {
    this.units = units;
    this.#perRun = scenarios.map((planned) => {
      const scenario = "of" in planned ? planned.of(seeds[0]!) : planned;
      return EVENTS_PER_RUN + eventsPerSec(scenario) * scenario.durationSec;
    });
    this.total = units.reduce((sum, _, place) => sum + this.of(place), 0);
  }

  /** Of the unit at this place. */
  of(place: number): number {
    const { scenario, seeds } = this.units[place]!;
    return this.#perRun[scenario]! * seeds.length;
  }
}

/** What there was to do at a time. */
interface Rest {
  readonly atMs: number;
  readonly events: number;
}

export class ThreadCount {
  /** threads to begin with */
  readonly atFirst: number;
  readonly #work: PlannedWork;
  readonly #cores: number;
  readonly #beganMs: number;
  #restUnits: number;
  #restEvents: number;
  #from: Rest;
  #isDecided: boolean;

  /** @param cores threads at most */
  constructor(work: PlannedWork, { cores, nowMs }: { readonly cores: number; readonly nowMs: number }) {
    this.#work = work;
    this.#cores = cores;
    this.#beganMs = nowMs;
    this.#restUnits = work.units.length;
    this.#restEvents = work.total;
    this.#from = { atMs: nowMs, events: this.#restEvents };
    this.atFirst = this.#threadsFor(this.#restEvents / EVENTS_PER_SEC);
    this.#isDecided = this.atFirst > 1;
  }

  /**
   * Asked again and again while one thread runs alone.
   * @param places of the units that it has done since
   * @returns threads from now on, once that is known; else undefined
   */
  after(places: readonly number[], nowMs: number): number | undefined {
    this.#restUnits -= places.length;
    for (const place of places) this.#restEvents -= this.#work.of(place);
    const events = this.#restEvents;
    const sinceMs = nowMs - this.#beganMs;
    if (this.#isDecided || sinceMs < WARM_MS) return undefined;
    if (sinceMs < 2 * WARM_MS) {
      if (this.#from.atMs === this.#beganMs) this.#from = { atMs: nowMs, events };
      return undefined;
    }
    this.#isDecided = true;
    const secPerEvent = (nowMs - this.#from.atMs) / 1000 / (this.#from.events - events);
    const sec = events * secPerEvent;
    return sec < LATE_SEC ? 1 : this.#threadsFor(sec);
  }

  #threadsFor(sec: number): number {
    const worth = Math.max(1, Math.floor(sec / SEC_PER_THREAD));
    return Math.min(worth, this.#cores, this.#restUnits);
  }
}
