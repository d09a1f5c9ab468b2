import * as z from "zod";
import type { Impairment } from "./impairment.ts";

export const ACK_THINNING: Impairment = { schema: z.boolean().optional(), label: "ACK thinning" };
