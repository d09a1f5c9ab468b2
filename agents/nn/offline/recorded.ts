/** What was recorded of others' runs, as learners read it: no file, only numbers. */
import { CcparkError } from "../../../core/errors.ts";
import type { Space } from "../../../envs/spaces.ts";
import type { Spaces } from "../../checkpoint.ts";
import { unitsOf } from "../box-units.ts";
import type { Transitions } from "../off-policy/replay.ts";

export interface RecordedData extends Spaces {
  /** with actions as the environment takes them */
  readonly transitions: Transitions;
  /** of the files: a run goes on with the data that it began with */
  readonly sha256: string;
}

/** Actions as policies say them: numbers of a box in units of half of it, held at its bounds; choices as they are. [rows x action] */
export function rawActions(space: Space, actions: Float32Array): Float32Array {
  if (space.kind === "discrete") return actions.slice();
  const { middle, half } = unitsOf(space);
  const count = space.shape[0];
  return actions.map((x, i) => Math.min(1, Math.max(-1, (x - middle[i % count]!) / half[i % count]!)));
}

const shapeOf = ({ observationSpace, actionSpace }: Spaces): string =>
  `observation [${observationSpace.shape[0]}] and ${actionSpace.kind === "box" ? `action [${actionSpace.shape[0]}]` : `${actionSpace.n} choices`}`;

/**
 * The transitions with raw actions, for a learner.
 * @throws CcparkError (invalid-argument) where they are of other spaces, or none
 */
export function readRecorded(name: string, data: RecordedData, spaces: Spaces): Transitions {
  const [got, expected] = [shapeOf(data), shapeOf(spaces)];
  if (got !== expected) {
    throw new CcparkError("invalid-argument", `[${name}] dataset: got ${got}, expected ${expected}`);
  }
  if (data.transitions.rows === 0) {
    throw new CcparkError("invalid-argument", `[${name}] dataset: got no steps, expected at least one`);
  }
  return { ...data.transitions, actions: rawActions(spaces.actionSpace, data.transitions.actions) };
}
