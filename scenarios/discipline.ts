/** Queue disciplines as plain data; `make-queue.ts` builds them. */

/** Absent numbers are the defaults of the RFC or paper; `ecn`: mark packets that can be marked instead of dropping. */
export type DisciplineSpec =
  | { readonly kind: "drop-tail" }
  | { readonly kind: "drop-head" }
  /** Floyd and Jacobson 1993; `gentle` (Floyd 2000) is on unless set to false */
  | {
      readonly kind: "red";
      readonly minPackets?: number;
      readonly maxPackets?: number;
      readonly maxProbability?: number;
      readonly weight?: number;
      readonly gentle?: boolean;
      readonly ecn?: boolean;
    }
  /** RFC 8289 */
  | {
      readonly kind: "codel";
      readonly targetMs?: number;
      readonly intervalMs?: number;
      readonly ecn?: boolean;
    }
  /** RFC 8033 */
  | {
      readonly kind: "pie";
      readonly targetMs?: number;
      readonly updateMs?: number;
      readonly burstMs?: number;
      readonly ecn?: boolean;
    }
  /** RFC 8290 */
  | {
      readonly kind: "fq-codel";
      readonly buckets?: number;
      readonly quantumBytes?: number;
      readonly targetMs?: number;
      readonly intervalMs?: number;
      readonly ecn?: boolean;
    }
  /** McKenney 1990, as Linux's sch_sfq: round robin by quantum over hashed buckets */
  | {
      readonly kind: "sfq";
      readonly buckets?: number;
      readonly quantumBytes?: number;
      /** flows are hashed anew at whole multiples of this; absent or 0: never */
      readonly perturbSec?: number;
    }
  /** Shreedhar and Varghese 1995: one line per flow; a quantum of at least the largest packet sends one in each turn */
  | { readonly kind: "drr"; readonly quantumBytes?: number }
  /** band 0 first; packets of a priority beyond the bands belong to the last */
  | { readonly kind: "strict-priority"; readonly bands?: number }
  /** DCTCP (RFC 8257): CE where a packet finds more than the threshold waiting; absent: 65 packets */
  | {
      readonly kind: "step-mark";
      readonly thresholdPackets?: number;
      readonly thresholdBytes?: number;
    };

/** What may be set of one kind. */
export type DisciplineOptions<Kind extends DisciplineSpec["kind"]> = Omit<
  Extract<DisciplineSpec, { readonly kind: Kind }>,
  "kind"
>;
