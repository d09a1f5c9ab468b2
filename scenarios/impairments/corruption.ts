import { lossRate } from "../schema/ranges.ts";
import type { Impairment } from "./impairment.ts";

export const CORRUPTION: Impairment = { schema: lossRate.optional(), label: "corruption" };
