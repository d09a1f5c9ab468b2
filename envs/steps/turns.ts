/**
 * The steps of a run's flows under test, one definition for every world: `Turns` asks for time (run to `untilNs`) or for a
 * decision (the flow whose turn it is). Whoever drives it lets time pass, at once (`VirtualRun`) or later (`RealTimeRun`),
 * and gives a flow its action (`EnvFlow.admit`) before going on. A class and not a generator function: V8 does not inline
 * those, which costs a step of the simulator 3 % of its time.
 */
import { NANOS_PER_MICRO, type Nanos } from "../../core/units.ts";
import { UNDER_TEST } from "../../scenarios/flows.ts";
import type { Run, VirtualRun } from "../../testbeds/testbed.ts";
import type { EnvOptions } from "../options.ts";
import type { EnvFlow, EnvFlows } from "./env-flow.ts";
import { ReportStep } from "./report-step.ts";

interface Acting {
  readonly flow: EnvFlow;
  readonly step: ReportStep;
}

/** `Turns.next` asks for time. */
export const TIME = "time";

/**
 *   ASKED_TIME ──▶ ENDING steps, each flow its next ──▶ STARTING flows, each its first ──▶ ASKED_TIME ──▶ ... ──▶ OVER
 */
const ASKED_TIME = 0;
const ENDING = 1;
const STARTING = 2;
const OVER = 3;

export class Turns {
  /** where `next` asked to run to */
  untilNs: Nanos = 0;
  readonly #run: Run;
  readonly #options: EnvOptions;
  readonly #stays: boolean;
  readonly #started: readonly EnvFlow[];
  readonly #startsNs: readonly Nanos[];
  #state: typeof ASKED_TIME | typeof ENDING | typeof STARTING | typeof OVER = STARTING;
  #acting: readonly Acting[] = [];
  /** when time had passed last: real time goes on while flows decide */
  #endingNs: Nanos = 0;
  /** of those that act, how many have been looked at since time passed */
  #looked = 0;
  /** flows that have had their first turn */
  #seen = 0;
  /** when a start was last asked for: a bundle begins with what it hears first, later than its hosts */
  #awaitedNs: Nanos = -1;
  /** its decision has been asked for */
  #asked: Acting | undefined;

  /**
   * To the run's end; whenever a flow starts or its step is over, it is its turn. The steps at hand end with the run, too.
   * @param flows already attached to the run; their `onReport` must ask the run for a stop
   * @param stays whether a flow that is over goes on taking (silent) turns until the run ends
   */
  constructor(run: Run, flows: EnvFlows, options: EnvOptions, stays: boolean) {
    this.#run = run;
    this.#options = options;
    this.#stays = stays;
    this.#started = flows.started;
    this.#startsNs = run.flows
      .filter(({ algorithm }) => algorithm === UNDER_TEST)
      .map(({ startNs }) => startNs)
      .sort((a, b) => a - b);
  }

  /** To be called when what was asked for last is done. @returns undefined: the run is over */
  next(): EnvFlow | typeof TIME | undefined {
    const asked = this.#asked;
    if (asked !== undefined) {
      const { nowNs } = this.#run;
      asked.flow.act(nowNs);
      asked.step.begin(nowNs);
      this.#asked = undefined;
    }
    if (this.#state === ASKED_TIME) {
      this.#state = ENDING;
      this.#endingNs = this.#run.nowNs;
      this.#looked = 0;
    }
    if (this.#state === ENDING) {
      const flow = this.#endSteps();
      if (flow !== undefined) return flow;
      this.#state = this.#endingNs >= this.#run.endNs ? OVER : STARTING;
    }
    if (this.#state === OVER) return undefined;
    if (this.#seen < this.#started.length) return this.#start(this.#started[this.#seen++]!);
    this.#state = ASKED_TIME;
    this.untilNs = this.#nextNs();
    return TIME;
  }

  /** @returns the next flow that has to decide */
  #endSteps(): EnvFlow | undefined {
    const nowNs = this.#endingNs;
    const isEnd = nowNs >= this.#run.endNs;
    while (this.#looked < this.#acting.length) {
      const acting = this.#acting[this.#looked]!;
      const { flow, step } = acting;
      this.#looked++;
      if (!isEnd && !step.isOver(nowNs)) continue;
      flow.endStep(nowNs, (nowNs - step.beganNs) / NANOS_PER_MICRO);
      if (isEnd) continue;
      if (this.#stays || !flow.isOver) {
        this.#asked = acting;
        return flow;
      }
      this.#acting = this.#acting.filter((each) => each !== acting);
      this.#looked--;
    }
    return undefined;
  }

  #start(flow: EnvFlow): EnvFlow {
    this.#asked = { flow, step: new ReportStep(flow, this.#options) };
    this.#acting = [...this.#acting, this.#asked];
    return flow;
  }

  #nextNs(): Nanos {
    const startsNs = this.#startsNs;
    let untilNs = this.#run.endNs;
    if (this.#seen < startsNs.length) {
      const { nowNs } = this.#run;
      const startNs = startsNs[this.#seen]!;
      // one may start late, as in real time with its connection: it asks for its turn then
      if (startNs > nowNs || (startNs === nowNs && this.#awaitedNs !== nowNs)) {
        untilNs = Math.min(untilNs, startNs);
        this.#awaitedNs = nowNs;
      }
    }
    for (let i = 0; i < this.#acting.length; i++) {
      const { deadlineNs } = this.#acting[i]!.step;
      if (deadlineNs < untilNs) untilNs = deadlineNs;
    }
    return untilNs;
  }
}

/** Drives turns in virtual time, which stands still while `decide` thinks. */
export function driveVirtual(turns: Turns, run: VirtualRun, decide: (flow: EnvFlow) => void): void {
  for (let ask = turns.next(); ask !== undefined; ask = turns.next()) {
    if (ask === TIME) run.runUntil(turns.untilNs);
    else decide(ask);
  }
}

/** The same for a world whose time has to be waited for, or a decision that has to be. */
export async function driveLater(
  turns: Turns,
  run: Run,
  decide: (flow: EnvFlow) => void | Promise<void>,
): Promise<void> {
  for (let ask = turns.next(); ask !== undefined; ask = turns.next()) {
    if (ask === TIME) await run.runUntil(turns.untilNs);
    else await decide(ask);
  }
}
