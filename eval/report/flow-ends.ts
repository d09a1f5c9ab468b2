/** How finite flows ended, in words: the same in terminal and page. */
import type { FlowEnds } from "../summary.ts";

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

/** Such as `deadline 12 s: pass in 2 of 3 seeds, worst 12.61 s (seed 3)`; undefined: nothing beyond the mean is to be said. */
export function endsText({ runs, completed, deadline }: FlowEnds): string | undefined {
  if (deadline === undefined) {
    return completed === runs ? undefined : `completed in ${completed} of ${runs} runs`;
  }
  const { sec, met, worst } = deadline;
  const verdict = met === runs ? "pass" : `fail in ${runs - met} of ${runs} runs`;
  const took = worst.completionMs === null ? "not completed" : seconds(worst.completionMs);
  return `deadline ${sec} s: ${verdict}, worst ${took} (seed ${worst.seed})`;
}
