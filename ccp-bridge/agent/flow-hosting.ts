/** What the host of an agent adds to a flow: a clock to wake by, chance, and what the create message cannot say. */
import type { Rng } from "../../core/random.ts";
import type { Micros } from "../../core/units.ts";
import type { FlowInfo } from "./algorithm.ts";

/** Calls `run` once at `atUs` of the reports' clock, after everything else of that instant, never within this call. */
export type ScheduleWake = (atUs: Micros, run: (nowUs: Micros) => void) => void;

/** New values for some parameters of a live flow, at a time of the reports' clock; one that has passed means at once. */
export interface ParameterChange {
  readonly atUs: Micros;
  readonly params: Readonly<Record<string, number>>;
}

export interface FlowHosting {
  /** absent: `FlowControl.wakeAt` throws */
  readonly schedule?: ScheduleWake;
  /** see `FlowInfo`; absent: a fork of the agent's */
  readonly rng?: Rng;
  /** see `FlowInfo`; absent: 1 */
  readonly weight?: number;
  /** see `FlowInfo`; absent: none */
  readonly aggregates?: FlowInfo["aggregates"];
  /** see `FlowInfo`; absent: the datapath's address */
  readonly host?: string;
  /** see `FlowInfo`; absent: empty */
  readonly name?: string;
  /** what its owner will change, in the order of time; needs `schedule`; absent: nothing */
  readonly changes?: readonly ParameterChange[];
}
