/**
 * One link model, two clocks: what came to an emulated link, and when, is replayed to a bare link of the simulator in
 * virtual time. The same packets in, the same decisions out.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { NANOS_PER_MILLI, NANOS_PER_SEC, PACKET_BYTES } from "../../../core/units.ts";
import type { Scenario } from "../../../scenarios/scenario.ts";
import { Hop, NOBODY, OUTSIDE } from "../../../sim/general/hop.ts";
import { CE, ECT_0, ECT_1, PacketStore } from "../../../sim/general/packet-store.ts";
import { planLink } from "../../../testbeds/emulated/link-plan.ts";
import { IP_TOS, IPPROTO_IP } from "../../../testbeds/host/constants.ts";
import { describeWithLinks } from "../host/with-links.ts";
import { linkOf, sleep, UDP_HEADER_BYTES, UdpFlows, withLink } from "./rig.ts";

const folder = mkdtempSync(join(tmpdir(), "ccpark-replay-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Row {
  readonly atNs: number;
  readonly flow: number;
  readonly bytes: number;
  readonly ecn: number;
  readonly fate: string;
}

function readRows(file: string): Row[] {
  return readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","))
    .filter(([, way]) => way === "0")
    .map(([atNs, , flow, bytes, ecn, , fate]) => ({
      atNs: Number(atNs),
      flow: Number(flow),
      bytes: Number(bytes),
      ecn: Number(ecn),
      fate: fate!,
    }));
}

/** The forward link alone, of the simulator, with nothing around it. @returns what becomes of each packet */
function replay(scenario: Scenario, rows: readonly Row[]): string[] {
  const { spec, rng } = planLink(scenario, 1, "simulated");
  const packets = new PacketStore();
  const fates = rows.map(() => "underway");
  const hop = new Hop({
    number: 0,
    spec: spec.forward,
    packets,
    listeners: [undefined],
    onDrop: (packet) => {
      fates[packets.number[packet]!] = "lost";
    },
    fork: (effect) => rng.fork(`forward.${effect}`),
  });
  const serveUntil = (nowNs: number): void => {
    while (hop.readyNs <= nowNs && hop.readyNs !== Number.POSITIVE_INFINITY) {
      const packet = hop.serve(hop.readyNs, () => NOBODY);
      if (packet === -1) continue;
      fates[packets.number[packet]!] = packets.ecn[packet] === CE ? "marked" : "delivered";
    }
  };
  rows.forEach(({ atNs, flow, bytes, ecn }, i) => {
    serveUntil(atNs);
    const packet = packets.take();
    packets.kind[packet] = OUTSIDE;
    packets.flow[packet] = flow;
    packets.number[packet] = i;
    packets.sequence[packet] = bytes;
    packets.ecn[packet] = ecn;
    packets.queuedNs[packet] = 0;
    hop.enter(atNs, packet, NOBODY);
  });
  serveUntil(Number.POSITIVE_INFINITY);
  return fates;
}

describeWithLinks("an emulated link decides as the simulator does, packet by packet", () => {
  const ecn = true;
  for (const discipline of [
    { kind: "codel" },
    { kind: "codel", ecn },
    { kind: "fq-codel", ecn },
    { kind: "pie", ecn },
    { kind: "red", minPackets: 10, maxPackets: 40, ecn },
    { kind: "step-mark", thresholdPackets: 20 },
    { kind: "dualpi2" },
  ] as const) {
    it(JSON.stringify(discipline), async () => {
      const scenario = linkOf(12, 1, { packets: 200, discipline });
      const packetLog = join(folder, `${JSON.stringify(discipline).replace(/\W/g, "")}.csv`);
      await withLink(scenario, { packetLog }, async (link, libc) => {
        const flows = new UdpFlows(libc, link, 3);
        // two understand marks, each in its way, one does not; together twice what the link can carry
        libc.setsockopt(flows.from[1]!, IPPROTO_IP, IP_TOS, ECT_0);
        libc.setsockopt(flows.from[2]!, IPPROTO_IP, IP_TOS, ECT_1);
        const payload = new Uint8Array(PACKET_BYTES - UDP_HEADER_BYTES);
        while (link.nowNs < link.startNs + 1.2 * NANOS_PER_SEC) {
          for (const [i, fd] of flows.from.entries()) {
            for (let k = 0; k <= i; k++) libc.send(fd, payload, payload.length - 200 * i);
          }
          await sleep(3);
        }
        await sleep(350);
        flows.close();
      });
      const rows = readRows(packetLog);
      const fates = rows.map(({ fate }) => fate);
      const counts = Object.fromEntries(
        ["delivered", "marked", "lost"].map((each) => [each, fates.filter((fate) => fate === each).length]),
      );
      console.log(`${rows.length} packets in ${(rows.at(-1)!.atNs / NANOS_PER_MILLI).toFixed(0)} ms`, counts);
      expect(rows.length).toBeGreaterThan(500);
      expect(rows.filter((row) => row.ecn === ECT_0 || row.ecn === ECT_1).length).toBeGreaterThan(200);
      expect(counts["lost"]! + counts["marked"]!).toBeGreaterThan(5);
      expect(replay(scenario, rows)).toEqual(fates);
    });
  }
});
