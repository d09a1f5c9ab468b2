import { delayMs } from "../schema/ranges.ts";
import type { Impairment } from "./impairment.ts";

export const LINK_DELAY: Impairment = { schema: delayMs.optional() };
