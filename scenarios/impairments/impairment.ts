import type { Schema } from "../schema/shapes.ts";

/** One thing that a link does to packets beside queueing and serving them. */
export interface Impairment {
  /** of its field in a direction */
  readonly schema: Schema;
  /** its words in the label of a link; absent: labels do not mention it this way */
  readonly label?: string;
}
