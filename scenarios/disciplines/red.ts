import * as z from "zod";
import { complain, type Kind } from "../schema/shapes.ts";

/** Floyd and Jacobson 1993; `gentle` (Floyd 2000) is on unless set to false. */
export interface RedSpec {
  readonly kind: "red";
  readonly minPackets?: number;
  readonly maxPackets?: number;
  readonly maxProbability?: number;
  readonly weight?: number;
  readonly gentle?: boolean;
  readonly ecn?: boolean;
}

/** Where a scenario names no other: Floyd 1997, "RED: Discussions of Setting Parameters". */
export const RED_MIN_PACKETS = 5;

export const RED: Kind<RedSpec> = {
  fields: {
    minPackets: z.number().gt(0).optional(),
    maxPackets: z.number().gt(0).optional(),
    maxProbability: z.number().gt(0).max(1).optional(),
    weight: z.number().gt(0).max(1).optional(),
    gentle: z.boolean().optional(),
    ecn: z.boolean().optional(),
  },
  check({ minPackets, maxPackets }, complaints) {
    const min = minPackets ?? RED_MIN_PACKETS;
    if ((maxPackets ?? Number.POSITIVE_INFINITY) <= min) {
      complain(complaints, ["maxPackets"], `> ${min} (minPackets)`);
    }
  },
};
