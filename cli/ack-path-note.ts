import type { ScenarioEntry } from "../scenarios/scenario-files.ts";
import { printErr } from "./console.ts";

/** What of a command's options may have made a link faster. */
interface Given {
  readonly names: readonly string[];
  readonly overrides?: readonly string[];
  readonly trace?: string | null | undefined;
}

/** A published link is as it is; one that somebody made faster may have kept its slow ACKs, which nobody sees in results. */
export async function noteSlowAcks(
  entries: readonly Pick<ScenarioEntry, "of">[],
  { names, overrides = [], trace }: Given,
  seed: number,
): Promise<void> {
  const { slowAckPath } = await import("../scenarios/estimates/ack-path.ts");
  const { isScenarioFile } = await import("../scenarios/scenario-files.ts");
  if (overrides.length === 0 && typeof trace !== "string" && !names.some(isScenarioFile)) return;
  for (const entry of entries) {
    const slow = slowAckPath(entry.of(seed));
    if (slow !== undefined) printErr(`note: ${slow}\n`);
  }
}
