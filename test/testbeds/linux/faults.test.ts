import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { overCcp, resolveAlgorithm } from "../../../algorithms/reference.ts";
import type { CcpAlgorithm } from "../../../ccp-bridge/agent/algorithm.ts";
import { parseFlowSelector } from "../../../ccp-bridge/agent/flow-rules.ts";
import { compileAlgorithms } from "../../../ccp-bridge/agent/program-set.ts";
import { AgentHost, type HostEvent } from "../../../ccp-bridge/ipc/agent-host.ts";
import { openUnixDatagram } from "../../../ccp-bridge/ipc/unix-datagram.ts";
import {
  IPPROTO_TCP,
  SO_MAX_PACING_RATE,
  SOL_SOCKET,
  TCP_CONGESTION,
} from "../../../testbeds/host/constants.ts";
import { type Libc, loadLibc } from "../../../testbeds/host/libc.ts";
import { Btf, congControlType } from "../../../testbeds/linux/bpf/btf.ts";
import { ForeignAgent } from "../../../testbeds/linux/foreign-agent.ts";
import { Hosts } from "../../../testbeds/linux/hosts.ts";
import { LinuxAgent } from "../../../testbeds/linux/linux-agent.ts";
import { kernelRefuses } from "./kernel-access.ts";
import { makeRig } from "./rig.ts";
import { block, freshName, onScene, scripted, until } from "./transfer.ts";

const refusal = kernelRefuses();
const algorithm = (reference: string): CcpAlgorithm => overCcp(resolveAlgorithm(reference));
const available = (): string[] =>
  readFileSync("/proc/sys/net/ipv4/tcp_available_congestion_control", "utf8").trim().split(" ");
const warnings = (): number =>
  execFileSync("dmesg", { encoding: "utf8" })
    .split("\n")
    .filter((line) => /WARNING|BUG:|Oops|RIP:|divide error/.test(line)).length;
describe.skipIf(refusal !== undefined)("Linux TCP under a CCP agent", () => {
  let libc: Libc;
  let warningsBefore = 0;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    libc = await loadLibc();
    warningsBefore = warnings();
  });

  afterAll(() => {
    for (const child of children) child.kill("SIGKILL");
    expect(warnings()).toBe(warningsBefore);
  });

  it("fills a link, paces by the rate that a program sets, and tells of its flows", async () => {
    await onScene(libc, algorithm("cubic"), { rate: "50mbit" }, async ({ agent, send, goodputMbps }) => {
      const sender = send();
      await sleep(300);
      expect(await goodputMbps(sender, 1)).toBeGreaterThan(35);
      const [facts] = agent.facts().filter(({ srcPort }) => srcPort === sender.port);
      expect(facts).toMatchObject({ dstIp: 0x64400902, errors: 0, lostReports: 0, programUid: 1 });
      expect(facts!.reports).toBeGreaterThan(5);
      expect(facts!.nativeAcks).toBeLessThan(facts!.acks / 2);
      expect(agent.agent.counters).toMatchObject({ malformed: 0, unknownFlow: 0 });
    });
    const program = "(def (Report (volatile acked 0)))(when true (:= Rate 1250000) (:= Cwnd 1448000))";
    await onScene(libc, scripted({ program }), {}, async ({ send, goodputMbps, info }) => {
      const sender = send();
      await sleep(300);
      const mbps = await goodputMbps(sender, 1);
      expect(mbps).toBeGreaterThan(8);
      expect(mbps).toBeLessThan(11);
      expect(info(sender).pacingRateBytesPerSec).toBe(1_250_000);
    });
  });

  it("keeps fractions of a packet in the window: Cwnd grows by less than a packet per ACK", async () => {
    const program =
      "(def (Report (volatile acked 0)))(when true (:= Cwnd (+ Cwnd 100)) (:= Rate 625000) (fallthrough))(when (> Micros 100000) (:= Report.acked Cwnd) (report) (:= Micros 0))";
    const seen: number[] = [];
    await onScene(
      libc,
      scripted({ program, fields: { Cwnd: 14_480 }, onReport: (get) => seen.push(get("acked")) }),
      {},
      async ({ send }) => {
        send();
        await sleep(1000);
      },
    );
    expect(seen.length).toBeGreaterThan(3);
    expect(seen.at(-1)!).toBeGreaterThan(seen[0]! + 1448);
    expect(seen.every((bytes, i) => i === 0 || bytes > seen[i - 1]!)).toBe(true);
  });

  it("merges commands that come before the next ACK, and takes the last value of each register", async () => {
    const program =
      "(def (Report (volatile a 0) (volatile b 0)) (x 1) (y 2))(when (> Micros 20000) (:= Report.a x) (:= Report.b y) (report) (:= Micros 0))";
    const seen = new Set<string>();
    const merging: CcpAlgorithm = {
      name: "merging",
      programs: { only: program },
      newFlow: (control) => {
        control.setProgram("only", { Cwnd: 144_800 });
        control.updateFields({ x: 5 });
        control.updateFields({ x: 6 });
        control.updateFields({ y: 7 });
        return { onReport: (report) => seen.add(`${report.get("a")} ${report.get("b")}`) };
      },
    };
    await onScene(libc, merging, {}, async ({ send }) => {
      send();
      await sleep(300);
    });
    expect([...seen]).toEqual(["6 7"]);
  });

  it("goes on natively while the agent is silent, and is adopted when it speaks again", async () => {
    const options = { rate: "50mbit", fallbackTimeoutUs: 200_000 };
    await onScene(libc, algorithm("cubic"), options, async ({ agent, send, info, goodputMbps }) => {
      const sender = send();
      const own = () => agent.facts().find(({ srcPort }) => srcPort === sender.port)!;
      await until(() => agent.facts().length > 0 && own().programUid === 1, 2000);
      const beforeMbps = await goodputMbps(sender, 0.5);
      // a thread that does nothing else is an agent that hangs
      const { totalRetransPackets: before, ackedBytes } = info(sender);
      block(1500);
      const { totalRetransPackets: after, ackedBytes: acked } = info(sender);
      expect(((acked - ackedBytes) * 8) / 1.5e6).toBeGreaterThan(0.5 * beforeMbps);
      // window and threshold follow who ran the last ACK: no storm
      expect(after - before).toBeLessThan(((acked - ackedBytes) / 1448) * 0.05);
      expect(own().nativeAcks).toBeGreaterThan(50);
      await until(() => own().programUid === 1, 2000);
      expect(await goodputMbps(sender, 0.5)).toBeGreaterThan(0.5 * beforeMbps);
    });
  });

  it("starts natively, in slow start, where there is no agent", async () => {
    await onScene(
      libc,
      algorithm("cubic"),
      { rate: "50mbit" },
      async ({ agent, send, info, goodputMbps }) => {
        agent.close();
        // a socket of another name: the algorithm is gone for new ones
        expect(() => send()).toThrow(/ENOENT/);
        expect(available()).not.toContain(agent.datapath.name);
        const sender = send(Number.POSITIVE_INFINITY, "reno");
        expect(await goodputMbps(sender, 0.5)).toBeGreaterThan(20);
        expect(info(sender).isEstablished).toBe(true);
      },
    );
  });

  it("loses reports, not packets, where nobody reads them; ends that were not heard are found", async () => {
    const fields = Array.from({ length: 16 }, (_, i) => `(volatile r${i} 0)`).join(" ");
    const program = `(def (Report ${fields}))(when true (:= Report.r0 Ack.bytes_acked) (report))`;
    const options = { fallbackTimeoutUs: 60_000_000, ringBytes: 1 << 17 };
    await onScene(libc, scripted({ program, fields: { Cwnd: 724_000 } }), options, async (scene) => {
      const { agent, send, hosts } = scene;
      for (let i = 0; i < 4; i++) send();
      await until(() => agent.facts().filter(({ programUid }) => programUid === 1).length >= 4, 3000);
      const closed = agent.agent.flowCount;
      const from = performance.now();
      // nobody reads
      let full = false;
      while (!full && performance.now() - from < 20_000) {
        block(100);
        full = agent.facts().some(({ lostReports }) => lostReports > 100);
      }
      expect(full).toBe(true);
      const acksFull = agent.facts().reduce((sum, { acks }) => sum + acks, 0);
      block(300);
      expect(agent.facts().reduce((sum, { acks }) => sum + acks, 0)).toBeGreaterThan(acksFull + 100);
      await hosts.close();
      await until(() => agent.agent.flowCount === 0, 3000);
      expect(closed).toBeGreaterThanOrEqual(4);
    });
  });

  it("serves a thousand short connections, and says goodbye to each", { timeout: 60_000 }, async () => {
    const opened = new Set<number>();
    const closed = new Set<number>();
    const options = {
      senders: 1100,
      onEvent: (event: { kind: string; flowId?: number; info?: { flowId: number } }) => {
        if (event.kind === "opened") opened.add(event.info!.flowId);
        if (event.kind === "closed") closed.add(event.flowId!);
      },
    };
    await onScene(libc, algorithm("reno"), options, async ({ agent, send, info, hosts }) => {
      for (let i = 0; i < 100; i++) {
        const senders = Array.from({ length: 10 }, () => send(14_480));
        await until(() => senders.every((sender) => info(sender).ackedBytes > 14_480), 10_000);
        for (const sender of senders) hosts.release(sender);
      }
      await until(() => agent.facts().length === 0 && closed.size === opened.size, 15_000);
      expect(opened.size).toBeGreaterThanOrEqual(900);
      expect(agent.datapath.refusedFlows).toBe(0);
    });
  });

  it("lets connections go to another congestion control that no rule means", async () => {
    const selects = parseFlowSelector("dst=100.64.9.0/24,dport=1");
    const options = { admits: selects, other: "reno" };
    await onScene(libc, algorithm("cubic"), options, async ({ agent, send, goodputMbps }) => {
      const sender = send();
      const chosen = (): string => {
        const name = new Uint8Array(64);
        libc.getsockopt(sender.fd, IPPROTO_TCP, TCP_CONGESTION, name);
        return new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
      };
      await until(() => chosen() === "reno", 2000);
      expect(await goodputMbps(sender, 0.3)).toBeGreaterThan(10);
      expect(agent.agent.flowCount).toBe(0);
    });
  });

  it("gives a command the algorithm as its default, behind a link, and tells what became of it", async () => {
    const main = fileURLToPath(new URL("../../../cli/main.ts", import.meta.url));
    const name = freshName();
    const command = [
      "sh",
      "-c",
      "cat /proc/sys/net/ipv4/tcp_congestion_control; echo $CCPARK_CONGESTION; exit 3",
    ];
    const child = spawn(
      process.execPath,
      [
        "--import",
        "tsx",
        main,
        "run",
        "--algorithm",
        "vegas",
        "--name",
        name,
        "--scenario",
        "park-paper",
        "--",
        ...command,
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    children.push(child);
    const texts = { out: "", err: "" };
    child.stdout.on("data", (data) => (texts.out += data));
    child.stderr.on("data", (data) => (texts.err += data));
    const [code] = await once(child, "close");
    expect(texts.out).toBe(`${name}\n${name}\n`);
    expect(texts.err).toContain("vegas in Linux: no connection; the command opened none over TCP");
    expect(code).toBe(3);
    expect(available()).not.toContain(name);
  });

  it("obeys an agent of another process over its socket, goes on without it, and obeys the next", async () => {
    const folder = mkdtempSync(join(tmpdir(), "cct-"));
    const path = join(folder, "agent");
    const set = compileAlgorithms([algorithm("reno"), algorithm("cubic")]);
    const opened: string[] = [];
    const onEvent = (event: HostEvent): void => {
      if (event.kind === "opened") opened.push(event.algorithm);
    };
    const startAgent = async (): Promise<AgentHost> => {
      const host = new AgentHost({ set, onEvent });
      await host.listen((onMessage) => openUnixDatagram({ path, onMessage }));
      return host;
    };
    const first = await startAgent();
    const foreign = await ForeignAgent.open(libc, {
      name: freshName(),
      transport: (onMessage) => openUnixDatagram({ path: join(folder, "datapath"), onMessage }),
      agent: path,
      algorithmName: "cubic",
    });
    const rig = makeRig(libc, "50mbit");
    const hosts = new Hosts(libc, rig.client, rig.server, 4);
    const runsProgram = (): boolean => foreign.datapath.facts().some((facts) => facts.runsProgram);
    let second: AgentHost | undefined;
    try {
      await hosts.ready;
      await until(() => foreign.counters.received > 0, 2000);
      const sender = hosts.connect(foreign.datapath.name, Number.POSITIVE_INFINITY);
      hosts.start(sender);
      await until(runsProgram, 3000);
      expect(opened).toContain("cubic");
      first.close();
      await until(() => !runsProgram(), 4000);
      second = await startAgent();
      await until(runsProgram, 4000);
      expect(foreign.counters.refused).toBe(0);
    } finally {
      await hosts.close();
      foreign.close();
      first.close();
      second?.close();
      rig.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("says in one sentence that a name is taken, or not a name", () => {
    const name = freshName();
    const set = compileAlgorithms([algorithm("reno")]);
    const first = new LinuxAgent(libc, { name, set });
    try {
      expect(() => new LinuxAgent(libc, { name, set })).toThrow(/already/);
      expect(() => new LinuxAgent(libc, { name: "No such", set })).toThrow(/expected at most 15/);
      const second = new LinuxAgent(libc, { name: freshName(), set });
      expect(available()).toContain(second.datapath.name);
      second.close();
    } finally {
      first.close();
    }
    expect(available()).not.toContain(name);
  });

  it("refuses a kernel without BTF, and one whose cong_control is older", () => {
    expect(() => congControlType("/nowhere")).toThrow(/no \/nowhere: the kernel was built without/);
    expect(() => congControlType("/etc/hostname")).toThrow(/expected types in BTF/);
    expect(() => new Btf(new Uint8Array(100))).toThrow(/expected types in BTF/);
    expect(congControlType().index).toBeGreaterThan(0);
  });

  it("holds a flow back by SO_MAX_PACING_RATE whatever the program says", async () => {
    const program = "(def (Report (volatile acked 0)))(when true (:= Rate 12500000) (:= Cwnd 1448000))";
    await onScene(libc, scripted({ program }), {}, async ({ send, goodputMbps }) => {
      const sender = send();
      libc.setsockopt(sender.fd, SOL_SOCKET, SO_MAX_PACING_RATE, 500_000);
      await sleep(300);
      expect(await goodputMbps(sender, 1)).toBeLessThan(5);
    });
  });

  it("leaves nothing behind", async () => {
    await until(() => available().every((name) => !name.startsWith(`cct${process.pid}`)), 3000);
    const listed = execFileSync("ip", ["netns", "list"], { encoding: "utf8" });
    expect(listed).not.toContain(`ccpark-${process.pid}`);
  });
});
