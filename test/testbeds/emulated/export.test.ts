import { expect, it } from "vitest";
import { reno } from "../../../algorithms/native/reno.ts";
import { ACK_BYTES, PACKET_BYTES } from "../../../core/units.ts";
import { runAlgorithmLater } from "../../../envs/measured-run.ts";
import { getScenario } from "../../../scenarios/presets.ts";
import { EMULATED } from "../../../testbeds/emulated/emulated.ts";
import type { RecordedFormat } from "../../../testbeds/exports/recorder.ts";
import { parseLinkLog } from "../../../testbeds/mahimahi/log.ts";
import { describeWithLinks } from "../host/with-links.ts";

interface CapturedPacket {
  /** since 1970 */
  readonly atSec: number;
  /** of the IP packet, of which a capture has the beginning */
  readonly bytes: number;
}

/** libpcap's file of packets that begin with their IP header, with nanoseconds. */
function readPcap(file: Uint8Array): CapturedPacket[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  expect([view.getUint32(0, true), view.getUint32(20, true)]).toEqual([0xa1b23c4d, 101]);
  const packets: CapturedPacket[] = [];
  for (let at = 24; at < file.length; ) {
    const [sec, ns, kept, bytes] = [0, 4, 8, 12].map((i) => view.getUint32(at + i, true)) as [
      number,
      number,
      number,
      number,
    ];
    // the length that the IP header says, in the network's order
    expect(view.getUint16(at + 16 + 2)).toBe(bytes);
    packets.push({ atSec: sec + ns / 1e9, bytes });
    at += 16 + kept;
  }
  return packets;
}

/** A second of Reno over an emulated link, written down. */
function exported(...formats: readonly RecordedFormat[]) {
  return runAlgorithmLater({
    testbed: EMULATED,
    algorithm: reno,
    scenario: getScenario("park-paper", { durationSec: 1 }),
    seed: 1,
    rewardName: "park",
    recording: { formats, title: "a title" },
  });
}

describeWithLinks("an emulated run that is exported", () => {
  it("has the packets of the client's end as a capture, each data packet with its ACK", async () => {
    const { recordings, metrics } = await exported("pcap");
    const packets = readPcap(recordings!.pcap!);
    const sent = packets.filter(({ bytes }) => bytes === PACKET_BYTES);
    const acks = packets.filter(({ bytes }) => bytes === ACK_BYTES);
    expect(sent.length + acks.length).toBe(packets.length);
    // what is on its way when the run ends is sent, but not counted
    expect(sent.length).toBeGreaterThanOrEqual(metrics.sentPackets);
    expect(sent.length - metrics.sentPackets).toBeLessThan(50);
    // one for two packets, fewer where the receiver finds more of them at once
    expect(acks.length).toBeGreaterThan(0.1 * sent.length);
    expect(acks.length).toBeLessThan(sent.length);
    const [first, last] = [packets[0]!, packets.at(-1)!];
    expect(Math.abs(first.atSec - Date.now() / 1000)).toBeLessThan(60);
    expect(last.atSec - first.atSec).toBeGreaterThan(0.9);
    expect(recordings!.mahimahi).toBeUndefined();
  });

  it("has the link's log in mm-link's format, which agrees with its results, and its senders' qlog", async () => {
    const { recordings, metrics } = await exported("mahimahi", "qlog");
    const text = recordings!.mahimahi!;
    expect(text).toMatch(/^# a title\n/);
    const log = parseLinkLog(text, "reno.log");
    expect(log.arrivedPackets).toBeGreaterThan(100);
    // the log goes on until the link is closed
    expect(log.departedBytes).toBeGreaterThanOrEqual(metrics.servedBytes);
    expect(log.departedBytes).toBeLessThan(1.2 * metrics.servedBytes);
    expect(recordings!.qlog!).toContain("packet_sent");
  });
});
