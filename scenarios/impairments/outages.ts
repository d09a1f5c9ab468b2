import { timeSpans } from "../schema/times.ts";
import type { Impairment } from "./impairment.ts";

export const OUTAGES: Impairment = { schema: timeSpans.optional(), label: "outages" };
