/**
 * What went wrong once while programs in Linux TCP were found out about, as tests:
 *
 *   threshold and undo follow who ran the last ACK          faults, agent-faults: no storm
 *   a flow that never had a program keeps its slow start    here
 *   a window is whole packets in Linux                      faults (fractions of a packet)
 *   commands are taken whole, and merge before an ACK       here, faults
 *   create and close find the ring full                     here, faults (ends that were not heard)
 *   slots are shared                                        here
 *   an instance lives until its last socket is gone         here
 *   a killed loader leaves the name                         agent-faults (killed)
 *   a timeout is told with the ACK that follows             here
 *   one connection more than was meant                      faults (rules)
 *   errno, immediates, division by zero, `Micros`, an RTT sample of 0    host/libc, test-run, replay
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { overCcp, resolveAlgorithm } from "../../../algorithms/reference.ts";
import type { CcpAlgorithm, FlowControl } from "../../../ccp-bridge/agent/algorithm.ts";
import { compileAlgorithms } from "../../../ccp-bridge/agent/program-set.ts";
import { DATAPATH_ERRORS } from "../../../ccp-bridge/datapath/datapath-errors.ts";
import { UpdateMessages } from "../../../ccp-bridge/wire/update-field.ts";
import { type Libc, loadLibc } from "../../../testbeds/host/libc.ts";
import { Hosts } from "../../../testbeds/linux/hosts.ts";
import { KernelDatapath } from "../../../testbeds/linux/kernel-datapath.ts";
import { LinuxAgent } from "../../../testbeds/linux/linux-agent.ts";
import { tcpInfo } from "../../../testbeds/linux/tcp-info.ts";
import { kernelRefuses } from "./kernel-access.ts";
import { makeRig } from "./rig.ts";
import { block, freshName, onScene, scripted, until } from "./transfer.ts";

const algorithm = (reference: string): CcpAlgorithm => overCcp(resolveAlgorithm(reference));
const IP = (...words: string[]): void => {
  execFileSync("ip", words, { stdio: "pipe" });
};

describe.skipIf(kernelRefuses() !== undefined)("traps of programs in Linux TCP", () => {
  let libc: Libc;
  beforeAll(async () => {
    libc = await loadLibc();
  });

  it("a flow that never had an agent goes through slow start", async () => {
    const datapath = new KernelDatapath(libc, { name: freshName(), onMessage: () => {} });
    const rig = makeRig(libc, "50mbit", 600_000);
    const hosts = new Hosts(libc, rig.client, rig.server, 4);
    try {
      await hosts.ready;
      const sender = hosts.connect(datapath.name, Number.POSITIVE_INFINITY);
      hosts.start(sender);
      // in congestion avoidance from 10 packets on it would take many times as long
      await until(() => tcpInfo(libc, sender.fd).cwndPackets > 100, 3000);
      const { ackedBytes, mssBytes } = tcpInfo(libc, sender.fd);
      expect(ackedBytes).toBeLessThan(3000 * mssBytes);
      const [facts] = datapath.facts();
      expect(facts).toMatchObject({ runsProgram: false, reports: 0 });
      expect(facts!.nativeAcks).toBe(facts!.acks);
    } finally {
      await hosts.close();
      datapath.close();
      rig.close();
    }
  });

  it("a command is taken whole, however many come while ACKs do", async () => {
    // 12 variables that the agent always sets alike, compared on every ACK
    const names = Array.from({ length: 12 }, (_, i) => `v${i}`);
    const differ = names
      .slice(1)
      .map(
        (name) =>
          `(when (|| (< v0 ${name}) (> v0 ${name})) (:= Report.torn (+ Report.torn 1)) (fallthrough))`,
      )
      .join("\n");
    const program = `
(def (Report (torn 0) (seen 0) (acks 0)) ${names.map((name) => `(${name} 0)`).join(" ")})
${differ}
(when true (:= Report.seen v0) (:= Report.acks (+ Report.acks 1)) (fallthrough))
(when (> Micros 10000) (:= Micros 0) (report))`;
    const last = new Map<FlowControl, { torn: number; seen: number; acks: number }>();
    const controls: FlowControl[] = [];
    const stressed: CcpAlgorithm = {
      name: "stressed",
      programs: { only: program },
      newFlow: (control) => {
        controls.push(control);
        control.setProgram("only", { Cwnd: 144_800 });
        return {
          onReport: (report) => {
            const [torn, seen, acks] = ["torn", "seen", "acks"].map((name) => report.get(name));
            last.set(control, { torn: torn!, seen: seen!, acks: acks! });
          },
        };
      },
    };
    await onScene(libc, stressed, {}, async ({ agent, send }) => {
      for (let i = 0; i < 4; i++) send();
      await until(() => agent.facts().filter(({ runsProgram }) => runsProgram).length >= 4, 5000);
      let value = 0;
      const from = performance.now();
      while (performance.now() - from < 1500) {
        for (let i = 0; i < 200; i++) {
          value++;
          const fields = Object.fromEntries(names.map((name) => [name, value]));
          for (const control of controls) control.updateFields(fields);
        }
        await sleep(0);
      }
      await until(() => [...last.values()].every(({ seen }) => seen === value), 5000);
      console.log(`${value} commands to each of 4 flows, ${[...last.values()].map(({ acks }) => acks)} ACKs`);
      const commands = agent.facts().reduce((sum, facts) => sum + facts.commands, 0);
      expect(commands).toBeGreaterThan(100);
    });
    expect(last.size).toBeGreaterThanOrEqual(4);
    for (const { torn, acks } of last.values()) {
      expect(torn).toBe(0);
      expect(acks).toBeGreaterThan(100);
    }
  });

  it("a new flow that finds the ring full is announced when there is room", async () => {
    const fields = Array.from({ length: 16 }, (_, i) => `(volatile r${i} 0)`).join(" ");
    const program = `(def (Report ${fields}))(when true (:= Report.r0 Ack.bytes_acked) (report))`;
    const opened: number[] = [];
    const options = {
      fallbackTimeoutUs: 60_000_000,
      ringBytes: 4096,
      onEvent: (event: { readonly kind: string; readonly info?: { readonly srcPort: number } }) => {
        if (event.kind === "opened") opened.push(event.info!.srcPort);
      },
    };
    await onScene(
      libc,
      scripted({ program, fields: { Cwnd: 724_000 } }),
      options,
      async ({ agent, send }) => {
        send();
        await until(() => agent.facts().some(({ runsProgram }) => runsProgram), 5000);
        let lost = 0;
        // this thread does not read; the ring is full after a few ACKs
        for (let i = 0; i < 50 && lost < 100; i++) {
          block(100);
          lost = agent.facts().reduce((sum, { lostReports }) => sum + lostReports, 0);
        }
        expect(lost).toBeGreaterThanOrEqual(100);
        const late = send();
        block(300);
        expect(opened).not.toContain(late.port);
        await until(() => opened.includes(late.port), 5000);
        await until(
          () => agent.facts().every(({ srcPort, runsProgram }) => srcPort !== late.port || runsProgram),
          5000,
        );
      },
    );
  });

  it("a command for a flow that is gone reaches nobody, also when its slot has another", async () => {
    const ids: number[] = [];
    const options = {
      onEvent: (event: { readonly kind: string; readonly info?: { readonly flowId: number } }) => {
        if (event.kind === "opened") ids.push(event.info!.flowId);
      },
    };
    await onScene(libc, algorithm("reno"), options, async ({ agent, send, info, hosts }) => {
      const first = send(14_480);
      await until(() => info(first).ackedBytes > 14_480 && ids.length > 0, 5000);
      hosts.release(first);
      await until(() => agent.facts().length === 0, 10_000);
      const [old] = ids as [number];
      expect(agent.datapath.receive(new UpdateMessages(old).ofWindow(1448, 0))).toBe(
        DATAPATH_ERRORS.unknownFlow,
      );
      // ids count on, so that one of the same slot is another
      const second = send();
      await until(() => ids.length > 1, 5000);
      expect(ids[1]).not.toBe(old);
      expect(agent.datapath.receive(new UpdateMessages(old).ofWindow(1448, 0))).toBe(
        DATAPATH_ERRORS.unknownFlow,
      );
      expect(info(second).cwndPackets).toBeGreaterThanOrEqual(2);
    });
  });

  it("more flows than slots: those beyond run natively, and are counted", { timeout: 60_000 }, async () => {
    await onScene(libc, algorithm("reno"), { senders: 1050 }, async ({ agent, send }) => {
      for (let i = 0; i < 1050; i++) send(1448);
      await until(() => agent.datapath.refusedFlows >= 26, 20_000);
      expect(agent.facts().length).toBeLessThanOrEqual(1024);
    });
  });

  it("an instance whose sockets outlive it stands in nobody's way", async () => {
    const name = freshName();
    const set = compileAlgorithms([algorithm("cubic")]);
    const rig = makeRig(libc, "50mbit");
    const hosts = new Hosts(libc, rig.client, rig.server, 8);
    try {
      await hosts.ready;
      const senders = [];
      for (let i = 0; i < 3; i++) {
        const agent = new LinuxAgent(libc, { name, set });
        const sender = hosts.connect(name, Number.POSITIVE_INFINITY);
        hosts.start(sender);
        senders.push(sender);
        await until(
          () => agent.facts().some(({ runsProgram, srcPort }) => runsProgram && srcPort === sender.port),
          5000,
        );
        agent.close();
      }
      // three instances of one name, none of them with an agent: all go on
      for (const { fd } of senders) {
        const { ackedBytes } = tcpInfo(libc, fd);
        await until(() => tcpInfo(libc, fd).ackedBytes > ackedBytes + 14_480, 5000);
      }
    } finally {
      await hosts.close();
      rig.close();
    }
    expect(
      readFileSync("/proc/sys/net/ipv4/tcp_available_congestion_control", "utf8").split(/\s/),
    ).not.toContain(name);
  });

  it("a timeout is told once, with the ACK that follows it", async () => {
    const program = `
(def (Report (timeouts 0) (lost 0)))
(when (&& Flow.was_timeout true) (:= Report.timeouts (+ Report.timeouts 1)) (report) (fallthrough))
(when true (:= Report.lost (+ Report.lost Ack.lost_pkts_sample)) (fallthrough))
(when (> Micros 10000) (:= Micros 0) (report))`;
    let timeouts = 0;
    const onReport = (get: (name: string) => number): void => {
      timeouts = get("timeouts");
    };
    await onScene(
      libc,
      scripted({ program, fields: { Cwnd: 72_400 }, onReport }),
      {},
      async ({ rig, send, info }) => {
        const sender = send();
        const cable = `c${process.pid}-${rig.number}br`;
        await until(() => info(sender).ackedBytes > 1_000_000, 5000);
        expect(timeouts).toBe(0);
        IP("-n", rig.router.name!, "link", "set", cable, "down");
        await until(() => info(sender).timeouts >= 1, 5000);
        IP("-n", rig.router.name!, "link", "set", cable, "up");
        const { ackedBytes } = info(sender);
        await until(() => info(sender).ackedBytes > ackedBytes + 100_000 && timeouts > 0, 10_000);
        // several may pass before an ACK comes: they are one
        expect(timeouts).toBeLessThanOrEqual(info(sender).timeouts);
      },
    );
  });
});
