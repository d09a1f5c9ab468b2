import { timeSpans } from "../schema/times.ts";
import type { Impairment } from "./impairment.ts";

export const BLACKHOLES: Impairment = { schema: timeSpans.optional(), label: "blackholes" };
