/** Streams of `ccpark/transport` beside Linux's TCP, short: what holds whatever else the machine does. */
import { expect, it } from "vitest";
import { loadExperiment } from "../../eval/experiments/registry.ts";
import { describeWithLinks } from "./host/with-links.ts";

interface Row {
  readonly stream: string;
  readonly streamMbps: number;
  readonly tcpMbps: number;
}

/** A stream needs its processes to be there in time, so little of the link is a lot of what it needs. */
const MBPS = 4;
const ALIKE: ReadonlySet<string> = new Set(["reno", "cubic", "dtl:priority=1"]);

describeWithLinks("transport-beside-tcp", () => {
  // who waits for a processor for seconds loses its share to the kernel's: then again
  it("both get through the one link, and streams of TCP's own rules get a part of it", {
    retry: 2,
  }, async () => {
    const { options, run, report, count } = await loadExperiment("transport-beside-tcp");
    const initial = Object.fromEntries(
      Object.entries(options).map(([key, { initial: value }]) => [key, value]),
    );
    const settings = { ...initial, mbps: MBPS, settleSec: 1, sec: 2 };
    const rows: object[] = [];
    for await (const row of run(settings)) rows.push(row);
    expect(rows).toHaveLength(count(settings));
    for (const { stream, streamMbps, tcpMbps } of rows as Row[]) {
      expect(streamMbps, stream).toBeGreaterThanOrEqual(0);
      expect(tcpMbps, stream).toBeGreaterThan(0);
      // payload is less than the link's rate; what the queue held before comes on top of two seconds' own
      expect(streamMbps + tcpMbps, stream).toBeLessThan(1.3 * MBPS);
      expect(streamMbps + tcpMbps, stream).toBeGreaterThan(0.3 * MBPS);
    }
    const shares = (rows as Row[])
      .filter(({ stream }) => ALIKE.has(stream))
      .map(({ streamMbps, tcpMbps }) => streamMbps / (streamMbps + tcpMbps))
      .sort((a, b) => a - b);
    expect(shares).toHaveLength(ALIKE.size);
    const median = shares[1];
    expect(median, String(shares)).toBeGreaterThan(0.05);
    expect(median, String(shares)).toBeLessThan(0.95);
    const { text, claims, figure } = report(rows, settings);
    expect(text).toContain("medians of 1 rounds, in real time");
    for (const { claim, measured } of claims) expect(measured, claim).not.toBeNaN();
    expect(JSON.stringify(figure.spec)).toContain("vega-lite");
  });
});
