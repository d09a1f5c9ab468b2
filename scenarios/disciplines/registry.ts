/**
 * Queue disciplines as plain data, one file each; `sim/general/queues` holds the queues. Absent numbers are the defaults of
 * the RFC or paper; `ecn`: mark packets that can be marked instead of dropping.
 */
import { byKind, type Kinds, type Schema } from "../schema/shapes.ts";
import { CODEL, type CodelSpec } from "./codel.ts";
import { DROP_HEAD, type DropHeadSpec } from "./drop-head.ts";
import { DROP_TAIL, type DropTailSpec } from "./drop-tail.ts";
import { DRR, type DrrSpec } from "./drr.ts";
import { DUALPI2, type DualPi2Spec } from "./dualpi2.ts";
import { FQ_CODEL, type FqCodelSpec } from "./fq-codel.ts";
import { PIE, type PieSpec } from "./pie.ts";
import { RED, type RedSpec } from "./red.ts";
import { SFQ, type SfqSpec } from "./sfq.ts";
import { STEP_MARK, type StepMarkSpec } from "./step-mark.ts";
import { STRICT_PRIORITY, type StrictPrioritySpec } from "./strict-priority.ts";

export type DisciplineSpec =
  | DropTailSpec
  | DropHeadSpec
  | RedSpec
  | CodelSpec
  | PieSpec
  | FqCodelSpec
  | SfqSpec
  | DrrSpec
  | StrictPrioritySpec
  | StepMarkSpec
  | DualPi2Spec;

const KINDS: Kinds<DisciplineSpec> = {
  "drop-tail": DROP_TAIL,
  "drop-head": DROP_HEAD,
  red: RED,
  codel: CODEL,
  pie: PIE,
  "fq-codel": FQ_CODEL,
  sfq: SFQ,
  drr: DRR,
  "strict-priority": STRICT_PRIORITY,
  "step-mark": STEP_MARK,
  dualpi2: DUALPI2,
};

export const DISCIPLINE_SCHEMA: Schema = byKind<DisciplineSpec>(KINDS);

/** What may be set of one kind. */
export type DisciplineOptions<Kind extends DisciplineSpec["kind"]> = Omit<
  Extract<DisciplineSpec, { readonly kind: Kind }>,
  "kind"
>;
