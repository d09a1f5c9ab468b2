import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { NANOS_PER_MILLI, NANOS_PER_SEC, PACKET_BYTES } from "../../../core/units.ts";
import { resolveScenario } from "../../../scenarios/scenario-files.ts";
import { MSG_DONTWAIT, POLLIN } from "../../../testbeds/host/constants.ts";
import { describeWithLinks } from "../host/with-links.ts";
import { hurried, linkOf, median, sleep, UDP_HEADER_BYTES, UdpFlows, withLink } from "./rig.ts";

const PAYLOAD = new Uint8Array(PACKET_BYTES - UDP_HEADER_BYTES);
const TRAFFIC = fileURLToPath(new URL("./traffic.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "ccpark-link-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function now(): number {
  return Number(process.hrtime.bigint());
}

describeWithLinks("an emulated link", () => {
  it("delays 1,000 probes by its 20 ms and their service, with a small part of a millisecond more", async () => {
    const errorsUs = await withLink(linkOf(48, 20, { packets: 100 }), {}, (link, libc) =>
      hurried(libc, () => {
        const flows = new UdpFlows(libc, link, 1);
        const into = new Uint8Array(2048);
        const probe = new Float64Array(new ArrayBuffer(64));
        const errors: number[] = [];
        const expected: number[] = [];
        const serviceNs = ((64 + UDP_HEADER_BYTES) * 8 * NANOS_PER_SEC) / 48e6;
        const firstNs = now() + 5 * NANOS_PER_MILLI;
        const polled = new Int32Array([flows.to[0]!, POLLIN]);
        let sent = 0;
        while (errors.length < 1000) {
          if (sent < 1000 && now() >= firstNs + sent * 1.5 * NANOS_PER_MILLI) {
            probe[0] = now();
            expected.push(probe[0] + 20 * NANOS_PER_MILLI);
            libc.send(flows.from[0]!, new Uint8Array(probe.buffer));
            sent++;
          }
          // wakes before something is due, and then looks without sleeping: its own wake-up is not the link's lateness
          const nextSendNs = sent < 1000 ? firstNs + sent * 1.5 * NANOS_PER_MILLI : Number.POSITIVE_INFINITY;
          const nextNs = Math.min(nextSendNs, expected[errors.length] ?? nextSendNs) - now();
          if (nextNs > 300_000) libc.ppoll(polled, nextNs - 250_000);
          if (libc.recv(flows.to[0]!, into, into.length, MSG_DONTWAIT) > 0) {
            const delayNs = now() - new Float64Array(into.buffer, 0, 1)[0]!;
            errors.push((delayNs - 20 * NANOS_PER_MILLI - serviceNs) / 1000);
          }
          if (now() > firstNs + 20 * NANOS_PER_SEC) break;
        }
        flows.close();
        return errors;
      }),
    );
    expect(errorsUs).toHaveLength(1000);
    const p99Us = [...errorsUs].sort((a, b) => a - b)[989]!;
    console.log(`probes: p50 ${median(errorsUs).toFixed(0)} us late, p99 ${p99Us.toFixed(0)} us`);
    expect(Math.min(...errorsUs)).toBeGreaterThan(-1);
    // neighbours on the machine hold up some of them, but not all: the quietest hundred tells of the link
    const hundreds = Array.from({ length: 10 }, (_, i) => median(errorsUs.slice(100 * i, 100 * (i + 1))));
    expect(Math.min(...hundreds)).toBeLessThanOrEqual(250);
  });

  it("gives a source that never pauses the opportunities of a recorded trace", async () => {
    const scenario = resolveScenario("ccp-cell", { tracePath: "lte-driving", overrides: [], seed: 1 });
    const fixed = { startSec: 0, traceOffsetMs: 0, sendJitterUs: 0 };
    const packetLog = join(folder, "trace.csv");
    const seconds = 6;
    const received = await withLink({ ...scenario, fixed }, { packetLog }, async (link, libc) => {
      const flows = new UdpFlows(libc, link, 1);
      const into = new Uint8Array(2048);
      let count = 0;
      const poll = libc.onReadable(flows.to[0]!, () => {
        while (libc.recv(flows.to[0]!, into) > 0) count++;
      });
      // the queue is never empty: 50 Mbit/s, more than the trace ever has for long
      while (link.nowNs - link.startNs < seconds * NANOS_PER_SEC) {
        for (let i = 0; i < 9; i++) libc.send(flows.from[0]!, PAYLOAD);
        await sleep(2);
      }
      const nowNs = link.startNs + seconds * NANOS_PER_SEC;
      const possible = link.truth.forward.capacityBytes(link.startNs, nowNs) / 1504;
      await sleep(100);
      poll.close();
      flows.close();
      return { count, possible, startNs: link.startNs };
    });
    const propagationNs = scenario.propagationDelayMs * NANOS_PER_MILLI;
    const left = readFileSync(packetLog, "utf8")
      .split("\n")
      .slice(1)
      .map((line) => line.split(","))
      .filter(([, way, , , , , fate]) => way === "0" && fate === "delivered")
      .map((cells) => Number(cells[7]) - propagationNs - received.startNs);
    const served = left.filter((atNs) => atNs <= seconds * NANOS_PER_SEC).length;
    console.log(`trace: ${served} of ${received.possible} opportunities, ${received.count} packets received`);
    expect(served / received.possible).toBeGreaterThan(0.998);
    expect(served / received.possible).toBeLessThanOrEqual(1);
    // what the link says has left has arrived, but for what was on its way at the end
    expect(received.count).toBeGreaterThan(0.98 * served);
  });

  for (const mbps of [12, 48, 96]) {
    it(`lets the kernel's TCP have ${mbps} Mbit/s, to 1 %`, async () => {
      const bytes = Math.max(60_000, (mbps * 1e6 * 0.04) / 8);
      const reached = await withLink(linkOf(mbps, 10, { bytes }), {}, async (link) => {
        const run = (end: "client" | "server", args: string[]) =>
          link[end].namespace.run(() =>
            spawn(process.execPath, [TRAFFIC, ...args], { stdio: ["ignore", "pipe", "inherit"] }),
          );
        const sink = run("server", ["sink", "5201"]);
        let text = "";
        const isListening = new Promise<void>((resolve) => {
          sink.stdout.on("data", (chunk: Buffer) => {
            text += chunk;
            resolve();
          });
        });
        const ended = new Promise((resolve) => sink.once("exit", resolve));
        await isListening;
        const bulk = run("client", ["bulk", link.server.address, "5201", "4"]);
        await ended;
        bulk.kill("SIGKILL");
        const course = text
          .split("\n")
          .map((line) => line.split(" ").map(Number))
          .filter((row) => row.length === 2);
        const mbpsBetween = (from: number[], to: number[]): number =>
          ((to[1]! - from[1]!) * 8) / (to[0]! - from[0]!) / 1000;
        const from = course.find(([ms]) => ms! >= 1000)!;
        const to = course.filter(([ms]) => ms! <= 3900).at(-1)!;
        // what else runs on the machine may hold the sender up for a while: the best second tells what the link gives
        const seconds = course.flatMap((row, i) => {
          const later = course[i + 20];
          return row[0]! < from[0]! || later === undefined || later[0]! > to[0]!
            ? []
            : [mbpsBetween(row, later)];
        });
        return { whole: mbpsBetween(from, to), best: Math.max(...seconds) };
      });
      // 20 bytes of IPv4, 32 of TCP with timestamps
      const possible = (mbps * 1448) / 1500;
      console.log(
        `tcp: ${reached.whole.toFixed(2)}, best second ${reached.best.toFixed(2)} of ${possible.toFixed(2)} Mbit/s`,
      );
      expect(reached.best / possible).toBeGreaterThan(0.99);
      expect(reached.whole / possible).toBeLessThan(1.01);
    });
  }

  it("writes mm-link's log, a capture and a list of packets that agree", async () => {
    const files = {
      forwardLog: join(folder, "up.log"),
      pcap: join(folder, "a.pcap"),
      packetLog: join(folder, "a.csv"),
    };
    await withLink(linkOf(12, 5, { packets: 10 }), files, async (link, libc) => {
      const flows = new UdpFlows(libc, link, 1);
      for (let i = 0; i < 60; i++) libc.send(flows.from[0]!, PAYLOAD);
      await sleep(150);
      flows.close();
      expect(link.counts.carriedPackets).toBe(60);
      expect(link.counts.lostPackets).toBe(link.truth.forward.droppedPackets);
    });
    const packets = readFileSync(files.packetLog, "utf8").trim().split("\n").slice(1);
    const log = readFileSync(files.forwardLog, "utf8");
    const lost = packets.filter((line) => line.includes("lost")).length;
    expect(packets).toHaveLength(60);
    expect(lost).toBeGreaterThan(0);
    expect(log.match(/^\d+ \+ 1500$/gm)).toHaveLength(60);
    expect(log.match(/^\d+ d 1 1500$/gm)).toHaveLength(lost);
    expect(log.match(/^\d+ - 1500 \d+$/gm)).toHaveLength(60 - lost);
    // file header, then a record of 16 and 128 bytes for each
    expect(readFileSync(files.pcap)).toHaveLength(24 + 60 * (16 + 128));
  });

  it("leaves nothing when it is closed, and nothing that is not cleaned when its process is killed", async () => {
    const paths = await withLink(linkOf(12, 5, {}), {}, ({ client, server }) => {
      expect(existsSync(client.namespace.path)).toBe(true);
      return [client.namespace.path, server.namespace.path];
    });
    for (const path of paths) expect(existsSync(path)).toBe(false);
    const code = `
      const { openLink } = await import("./testbeds/emulated/open-link.ts");
      const { getScenario } = await import("./scenarios/presets.ts");
      const link = await openLink(getScenario("park-paper"), 1);
      require("node:fs").writeSync(1, link.client.namespace.path);
      process.kill(process.pid, "SIGKILL");`;
    const killed = spawnSync("node", ["--import", "tsx", "-e", `void (async () => {${code}})()`], {
      encoding: "utf8",
    });
    expect(killed.signal).toBe("SIGKILL");
    expect(killed.stdout).toBe(`/run/netns/ccpark-${killed.pid}-0-client`);
    const cleaned = spawnSync("node", ["--import", "tsx", "cli/main.ts", "links", "clean"], {
      encoding: "utf8",
    });
    expect(cleaned.stdout).toContain(`removed ccpark-${killed.pid}-0-client`);
    expect(existsSync(killed.stdout)).toBe(false);
  });
});
