/** What the disciplines with several lines share. */
import type { z } from "zod";
import { count } from "../schema/ranges.ts";

/** Lines that flows are hashed to. */
export const bucketCount: z.ZodNumber = count.max(65_536);
/** Lines by priority. */
export const bandCount: z.ZodNumber = count.max(256);
