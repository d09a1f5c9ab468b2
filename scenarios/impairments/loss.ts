import { lossRate } from "../schema/ranges.ts";
import type { Impairment } from "./impairment.ts";

/** Labels say it with its number. */
export const LOSS: Impairment = { schema: lossRate };
