/** The logs of an emulated link for a run's recorder: the link's thread writes them into files until it ends. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunRecorder } from "../exports/recorder.ts";
import type { LinkOptions } from "./open-link.ts";

/** What to open the link with, so that the recorder finds its logs once it has been closed. */
export function recordLink(recorder: RunRecorder | undefined): Pick<LinkOptions, "forwardLog" | "pcap"> {
  const wantsLog = recorder?.wants("mahimahi") === true;
  const wantsPackets = recorder?.wants("pcap") === true;
  if (recorder === undefined || !(wantsLog || wantsPackets)) return {};
  const folder = mkdtempSync(join(tmpdir(), "ccpark-log-"));
  const forwardLog = join(folder, "uplink.log");
  const pcap = join(folder, "client.pcap");
  recorder.watchLink(() => {
    try {
      return {
        ...(wantsLog && { mahimahi: readFileSync(forwardLog, "utf8") }),
        ...(wantsPackets && { pcap: readFileSync(pcap) }),
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
  return { ...(wantsLog && { forwardLog }), ...(wantsPackets && { pcap }) };
}
