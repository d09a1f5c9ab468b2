/** The slow start of RFC 5681: the window grows by what is acknowledged until it reaches ssthresh or something is lost. */
import type { SlowStart } from "./slow-start.ts";

export const STANDARD: SlowStart = {
  name: "standard",
  source: "RFC 5681, 3.1",
  program: { controls: "", events: "" },
};
