import * as z from "zod";
import { fields } from "../schema/shapes.ts";
import type { Impairment } from "./impairment.ts";

/** Every n-th packet is lost, the first after `offset` packets. */
export interface PeriodicLossSpec {
  readonly everyPackets: number;
  readonly offsetPackets?: number;
}

export const PERIODIC_LOSS: Impairment = {
  schema: fields<PeriodicLossSpec>({
    everyPackets: z.number().int().min(2),
    offsetPackets: z.number().int().min(0).optional(),
  }).optional(),
  label: "periodic loss",
};
