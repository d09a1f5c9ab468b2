/** What happens to a flow under one name: it moves to another path, its agent dies and a standby takes over, it belongs to others. */
import type { z } from "zod";
import { list, positive, text, timeSec } from "../schema/ranges.ts";
import { complain, fields, type Schema } from "../schema/shapes.ts";

/** From then on packets take these links where they took `forward` and `reverse`; those under way go on where they are. */
export interface MoveTarget {
  /** a name of `links`, or `forward`; the measured link moves with the first flow under test */
  readonly forward: string;
  /** a name of `links`, or `reverse` */
  readonly reverse: string;
}

export interface MoveSpec extends MoveTarget {
  /** from the start of the flow under test */
  readonly atSec: number;
}

/** In the order of time. */
export const MOVES_SCHEMA: Schema = list(
  fields<MoveSpec>({ atSec: timeSec, forward: text, reverse: text }),
).superRefine((value, complaints) => {
  const moves = value as MoveSpec[];
  for (let i = 1; i < moves.length; i++) {
    const beforeSec = moves[i - 1]!.atSec;
    if (moves[i]!.atSec > beforeSec) continue;
    complain(complaints, [i, "atSec"], `more than ${beforeSec}, the time of the move before`);
    return;
  }
});

/** Whether flows may move when somebody asks for it, while they run. */
export function canBeMoved({ moves, spareLinks }: { moves?: unknown; spareLinks?: unknown }): boolean {
  return moves !== undefined || spareLinks !== undefined;
}

/** The agent of the flows under test dies; a second one takes them over when the first one's lease, no longer renewed, has ended. */
export interface StandbySpec {
  /** from the start of the flow under test */
  readonly killAtSec: number;
  readonly leaseSec: number;
}

export const STANDBY_SCHEMA: Schema = fields<StandbySpec>({
  killAtSec: timeSec,
  leaseSec: positive(0.01, 60),
});

/** A flow of flows that a flow belongs to, from the outermost in: all members of one say the same weight of it. */
export interface AggregateSpec {
  readonly name: string;
  /** among its siblings */
  readonly weight: number;
}

/** Of a flow, or of a flow of flows, among its siblings. */
export const WEIGHT_SCHEMA: z.ZodNumber = positive(0.001, 1_000);
const MAX_LEVELS = 8;
export const AGGREGATES_SCHEMA: Schema = list(
  fields<AggregateSpec>({ name: text, weight: WEIGHT_SCHEMA }),
).refine((levels) => (levels as unknown[]).length <= MAX_LEVELS, { error: `at most ${MAX_LEVELS} levels` });
