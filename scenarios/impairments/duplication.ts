import { lossRate } from "../schema/ranges.ts";
import type { Impairment } from "./impairment.ts";

export const DUPLICATION: Impairment = { schema: lossRate.optional(), label: "duplication" };
