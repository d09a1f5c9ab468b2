/** Where an environment is in the life of an episode: reset, steps, end. */
import { CcparkError } from "../../core/errors.ts";

export type EpisodePhase = "before-reset" | "running" | "ended";

/** @throws CcparkError (failed-precondition) unless an episode is running */
export function expectRunning(phase: EpisodePhase): void {
  if (phase === "running") return;
  const when = phase === "ended" ? "after the end of the episode" : "before the first reset";
  throw new CcparkError("failed-precondition", `[env] step ${when}: expected reset first`);
}

/** What an episode has made. @throws CcparkError (failed-precondition) before the first reset */
export function expectReset<T>(made: T | undefined): T {
  if (made !== undefined) return made;
  throw new CcparkError(
    "failed-precondition",
    "[env] nothing to measure before the first reset: expected reset first",
  );
}
