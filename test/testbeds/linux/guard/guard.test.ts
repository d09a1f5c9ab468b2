/** What Linux TCP allows no program and no agent: packets without end where nothing comes back, or where most of them are lost. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { type Libc, loadLibc } from "../../../../testbeds/host/libc.ts";
import { kernelRefuses } from "../kernel-access.ts";
import { onScene, scripted, until } from "../transfer.ts";

const MSS_BYTES = 1448;
const WINDOW_PACKETS = 300;
/** A window that nothing changes, and a word of each ACK. */
const STUBBORN = {
  program: `(def (Report (volatile acked 0)))
(when true (:= Cwnd ${WINDOW_PACKETS * MSS_BYTES}) (:= Report.acked (+ Report.acked Ack.bytes_acked)) (fallthrough))
(when (> Micros 10000) (report) (:= Micros 0))`,
} as const;
/** The router holds 40 full packets, and the path next to none. */
const SLOW = { rate: "10mbit" };

describe.skipIf(kernelRefuses() !== undefined)("Linux TCP under a program that never gives way", () => {
  let libc: Libc;

  beforeAll(async () => {
    libc = await loadLibc();
  });

  it("sends one packet per retransmission timeout, which doubles, while nothing comes back, and goes on when something does", async () => {
    await onScene(libc, scripted(STUBBORN), { rate: "50mbit" }, async ({ rig, send, info, agent }) => {
      const sender = send();
      await until(() => agent.facts().some(({ runsProgram }) => runsProgram), 5000);
      await sleep(300);
      const forward = (value: "0" | "1"): void =>
        rig.router.run(() => writeFileSync("/proc/sys/net/ipv4/ip_forward", value));
      forward("0");
      // what was under way has arrived, and a probe for its end has been sent
      await sleep(400);
      const { sentPackets } = info(sender);
      await sleep(6000);
      const sent = info(sender).sentPackets - sentPackets;
      console.log(`${sent} packets in 6 s of silence`);
      expect(sent).toBeGreaterThanOrEqual(1);
      // 0.2 s and twice as long each time: at 0.4, 0.8, 1.6, 3.2 and 6.4 s
      expect(sent).toBeLessThanOrEqual(6);
      const { ackedBytes } = info(sender);
      forward("1");
      await until(() => info(sender).ackedBytes > ackedBytes + 1_000_000, 20_000);
    });
  }, 40_000);

  it("has its window cut where most packets are lost, and has all of it again where they are not", async () => {
    await onScene(libc, scripted(STUBBORN), SLOW, async ({ rig, send, info, agent }) => {
      const sender = send();
      await until(() => agent.facts().some(({ runsProgram }) => runsProgram), 5000);
      await sleep(1000);
      const before = info(sender);
      const windows: number[] = [];
      for (let i = 0; i < 40; i++) {
        await sleep(50);
        windows.push(agent.facts()[0]!.cwndBytes / MSS_BYTES);
      }
      const after = info(sender);
      const sent = after.sentPackets - before.sentPackets;
      const again = (after.totalRetransPackets - before.totalRetransPackets) / sent;
      windows.sort((a, b) => a - b);
      console.log(
        `window ${windows[20]} packets, ${(100 * again).toFixed(0)} % of ${sent} packets sent again`,
      );
      expect(windows[20]).toBeLessThan(WINDOW_PACKETS / 4);
      expect(again).toBeLessThan(0.5);
      execFileSync(
        "ip",
        `netns exec ${rig.router.name} tc qdisc del dev c${process.pid}-${rig.number}br root`.split(" "),
      );
      await until(() => Math.round(agent.facts()[0]!.cwndBytes / MSS_BYTES) === WINDOW_PACKETS, 10_000);
      const { ackedBytes } = info(sender);
      await until(() => info(sender).ackedBytes > ackedBytes + 10_000_000, 10_000);
    });
  }, 40_000);
});
