/** Queues from plain data. */
import type { Rng } from "../../../core/random.ts";
import type { Nanos } from "../../../core/units.ts";
import type { DisciplineSpec } from "../../../scenarios/disciplines/registry.ts";
import { Codel } from "./codel.ts";
import { DropHead } from "./drop-head.ts";
import { DropTail } from "./drop-tail.ts";
import { DualPi2 } from "./dualpi2.ts";
import { Drr } from "./fair/drr.ts";
import { FqCodel } from "./fair/fq-codel.ts";
import { Sfq } from "./fair/sfq.ts";
import { Pie } from "./pie.ts";
import type { Queue } from "./queue.ts";
import type { QueueParts } from "./queue-parts.ts";
import { Red } from "./red.ts";
import { StepMark } from "./step-mark.ts";
import { StrictPriority } from "./strict-priority.ts";

export interface QueueOptions extends QueueParts {
  /** undefined: drop-tail */
  readonly discipline: DisciplineSpec | undefined;
  /** the queue's own: RED and PIE draw one number per packet that may be dropped, SFQ and FQ-CoDel one per hash */
  readonly rng: Rng;
  /** service time of a typical packet, which RED uses while it is idle; absent: an idle time counts as one arrival */
  readonly meanPacketNs?: Nanos;
}

export function makeQueue(options: QueueOptions): Queue {
  const { discipline, rng } = options;
  switch (discipline?.kind) {
    case undefined:
    case "drop-tail":
      return new DropTail(options);
    case "drop-head":
      return new DropHead(options);
    case "red":
      return new Red(options, discipline, rng, options.meanPacketNs);
    case "codel":
      return new Codel(options, discipline);
    case "pie":
      return new Pie(options, discipline, rng);
    case "fq-codel":
      return new FqCodel(options, discipline, rng);
    case "sfq":
      return new Sfq(options, discipline, rng);
    case "drr":
      return new Drr(options, discipline);
    case "strict-priority":
      return new StrictPriority(options, discipline);
    case "step-mark":
      return new StepMark(options, discipline);
    case "dualpi2":
      return new DualPi2(options, discipline);
  }
}
