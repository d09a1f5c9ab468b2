/** Queue disciplines as plain data; `make-queue.ts` builds them. */

/** Absent numbers are the defaults of the RFC or paper; `ecn`: mark packets that can be marked instead of dropping. */
export type DisciplineSpec =
  | { readonly kind: "drop-tail" }
  | { readonly kind: "drop-head" }
  /** Floyd and Jacobson 1993; `gentle`: Floyd 2000 */
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
  /** McKenney 1990, as Linux's sch_sfq: round robin by quantum over hashed buckets, drops from the longest */
  | {
      readonly kind: "sfq";
      readonly buckets?: number;
      readonly quantumBytes?: number;
      readonly perturbSec?: number;
    }
  /** Shreedhar and Varghese 1995: one class per flow */
  | { readonly kind: "drr"; readonly quantumBytes?: number }
  | { readonly kind: "strict-priority"; readonly bands?: number }
  /** DCTCP (RFC 8257): CE where the queue is longer than the threshold when a packet arrives */
  | {
      readonly kind: "step-mark";
      readonly thresholdPackets?: number;
      readonly thresholdBytes?: number;
    };
