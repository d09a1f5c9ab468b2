/** The log of an emulated link for a run's recorder: the link's thread writes it into a file when it ends. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunRecorder } from "../exports/recorder.ts";
import type { LinkOptions } from "./open-link.ts";

/** What to open the link with, so that the recorder finds its log once it has been closed. */
export function recordLink(recorder: RunRecorder | undefined): Pick<LinkOptions, "forwardLog"> {
  if (recorder?.wants("mahimahi") !== true) return {};
  const folder = mkdtempSync(join(tmpdir(), "ccpark-log-"));
  const forwardLog = join(folder, "uplink.log");
  recorder.watchLink(() => {
    try {
      return readFileSync(forwardLog, "utf8");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
  return { forwardLog };
}
