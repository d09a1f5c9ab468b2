import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CcpAlgorithm, Report } from "../../../ccp-bridge/agent/algorithm.ts";
import { compileAlgorithms } from "../../../ccp-bridge/agent/program-set.ts";
import { CcpDatapath } from "../../../ccp-bridge/datapath/datapath.ts";
import { AgentHost, type HostEvent } from "../../../ccp-bridge/ipc/agent-host.ts";
import type { DatagramTransport } from "../../../ccp-bridge/ipc/datagram-transport.ts";
import { openUdp } from "../../../ccp-bridge/ipc/udp.ts";
import { AF_UNIX, loadUnixCalls, SOCK_DGRAM, toSockaddr } from "../../../ccp-bridge/ipc/unix-calls.ts";
import { openUnixDatagram } from "../../../ccp-bridge/ipc/unix-datagram.ts";
import { encodeCreate } from "../../../ccp-bridge/wire/create.ts";
import { MESSAGE_TYPES } from "../../../ccp-bridge/wire/header.ts";
import { encodeMeasure } from "../../../ccp-bridge/wire/measure.ts";
import { encodeReady } from "../../../ccp-bridge/wire/ready.ts";
import { decodeUpdateField } from "../../../ccp-bridge/wire/update-field.ts";

let folder: string;
let closers: (() => void)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ccpark-host-"));
  closers = [];
});
afterEach(() => {
  for (const close of closers.reverse()) close();
  rmSync(folder, { recursive: true, force: true });
});

const SOURCE = "(def (Report (volatile acked 0)))(when true (:= Report.acked Ack.bytes_acked) (report))";

/** Answers each report with the window that it was told as acknowledged bytes. */
function echo(name = "echo", onReport?: (report: Report) => void): CcpAlgorithm {
  return {
    name,
    programs: { perAck: SOURCE },
    newFlow(control, info) {
      control.setProgram("perAck", { Cwnd: info.initCwndBytes });
      return {
        onReport(report) {
          onReport?.(report);
          control.updateFields({ Cwnd: report.get("acked") });
        },
      };
    },
  };
}

/** Sets the windows 1, 2, 3 ... as soon as a flow starts. */
function talkative(count: number): CcpAlgorithm {
  return {
    ...echo(),
    newFlow(control) {
      for (let cwndBytes = 1; cwndBytes <= count; cwndBytes++) control.setWindow(cwndBytes, 0);
      return { onReport: () => {} };
    },
  };
}

const CREATE = encodeCreate({
  flowId: 1,
  initCwndBytes: 14_480,
  mssBytes: 1448,
  srcIp: 1,
  srcPort: 2,
  dstIp: 3,
  dstPort: 4,
  algorithmName: "",
});

const settled = async (condition: () => boolean): Promise<void> => {
  const untilMs = performance.now() + 4000;
  while (!condition() && performance.now() < untilMs) await new Promise((resolve) => setImmediate(resolve));
};

async function makeHost(...algorithms: CcpAlgorithm[]) {
  const events: HostEvent[] = [];
  const host = new AgentHost({
    set: compileAlgorithms(algorithms.length > 0 ? algorithms : [echo()]),
    onEvent: (event) => events.push(event),
  });
  closers.push(() => host.close());
  await host.listen((onMessage) => openUnixDatagram({ path: join(folder, "agent"), onMessage }));
  const count = (kind: HostEvent["kind"]) => events.filter((event) => event.kind === kind).length;
  return { host, events, count };
}

/** Our datapath on a socket of its own, one flow, with a clock that the test moves. */
async function makeDatapath(transport?: {
  open: (onMessage: (bytes: Uint8Array) => void) => Promise<DatagramTransport>;
  agent: string;
}) {
  let nowUs = 0;
  let datapath: CcpDatapath | undefined;
  const onMessage = (bytes: Uint8Array) => datapath?.receive(bytes);
  const socket = await (transport?.open(onMessage) ??
    openUnixDatagram({ path: join(folder, "datapath"), onMessage }));
  closers.push(() => socket.close());
  const agent = transport?.agent ?? join(folder, "agent");
  const made = new CcpDatapath({
    send: (bytes) => (socket.send(bytes, agent) === "sent" ? 0 : -1),
    nowUs,
    onSetCwnd: (_flow, cwndBytes) => {
      state.cwndBytes = cwndBytes;
    },
  });
  datapath = made;
  const flow = made.openFlow({ initCwndBytes: 14_480, mssBytes: 1448, dstPort: 5001 }, nowUs);
  const state = {
    datapath: made,
    flow,
    socket,
    cwndBytes: 0,
    ack(bytes: number, stepUs = 1000): number {
      nowUs += stepUs;
      made.setPrimitives(flow.flowId, { "Ack.bytes_acked": bytes });
      return made.invoke(flow, nowUs);
    },
  };
  return state;
}

describe("an agent on a unix socket", () => {
  it("drives our datapath through a thousand reports", async () => {
    const { host } = await makeHost();
    const datapath = await makeDatapath();
    await settled(() => datapath.ack(1) === 0 && datapath.flow.reports > 0);
    for (let i = 1; i <= 1000; i++) {
      const cwndBytes = 2896 + i;
      const before = host.agent.counters.reports;
      datapath.ack(cwndBytes);
      await settled(() => host.agent.counters.reports > before);
    }
    await settled(() => {
      datapath.ack(5000);
      return datapath.cwndBytes === 5000;
    });
    expect(datapath.cwndBytes).toBe(5000);
    expect(host.agent.counters).toMatchObject({ malformed: 0, unknownFlow: 0 });
    expect(host.agent.counters.reports).toBeGreaterThan(1000);
  });

  it("takes over a live flow after its own restart, before the datapath has noticed", async () => {
    const first = await makeHost();
    const datapath = await makeDatapath();
    await settled(() => datapath.ack(1) === 0 && datapath.flow.reports > 0);
    first.host.close();
    const second = await makeHost();
    await settled(() => {
      datapath.ack(7777);
      return datapath.cwndBytes === 7777;
    });
    expect(datapath.cwndBytes).toBe(7777);
    expect(second.count("opened")).toBe(1);
  });

  it("takes over a live flow that has fallen back", async () => {
    const first = await makeHost();
    const datapath = await makeDatapath();
    await settled(() => datapath.ack(1) === 0 && datapath.flow.reports > 0);
    first.host.close();
    while (!datapath.datapath.inFallback) datapath.ack(1, 100_000);
    await makeHost();
    await settled(() => {
      datapath.ack(7777, 20_000);
      return datapath.cwndBytes === 7777;
    });
    expect(datapath.cwndBytes).toBe(7777);
  });

  it("delivers in order what a full queue has refused", async () => {
    const { host } = await makeHost(talkative(900));
    const windows: number[] = [];
    const socket = await openUnixDatagram({
      path: join(folder, "slow"),
      onMessage: (bytes) => {
        if (bytes[0] === MESSAGE_TYPES.updateField)
          windows.push(Number(decodeUpdateField(bytes).updates[0]!.value));
      },
    });
    closers.push(() => socket.close());
    socket.send(CREATE, join(folder, "agent"));
    await settled(() => windows.length === 900);
    expect(windows).toEqual(Array.from({ length: 900 }, (_, i) => i + 1));
    expect(host.agent.counters.malformed).toBe(0);
  });

  it("forgets a datapath that does not read, and takes it back when it does again", async () => {
    const { events, count } = await makeHost(talkative(2500));
    const calls = await loadUnixCalls();
    const fd = calls.socket(AF_UNIX, SOCK_DGRAM, 0);
    const own = toSockaddr(Buffer.from(join(folder, "deaf")));
    const to = toSockaddr(Buffer.from(join(folder, "agent")));
    calls.bind(fd, own, own.length);
    calls.sendto(fd, CREATE, CREATE.length, 0, to, to.length);
    await settled(() => count("vanished") === 1);
    expect(events.find((event) => event.kind === "vanished")).toMatchObject({ reason: "stuck", flows: 1 });
    calls.sendto(fd, CREATE, CREATE.length, 0, to, to.length);
    await settled(() => count("datapath") === 2);
    calls.close(fd);
    expect(count("datapath")).toBe(2);
  });

  it("wakes a flow when its time has come, once, and outlives what it throws", async () => {
    const wakes: [number, number][] = [];
    const { count } = await makeHost({
      ...echo(),
      newFlow(control, { nowUs }) {
        control.wakeAt(nowUs + 60_000_000);
        control.wakeAt(nowUs + 3_500);
        return {
          onReport: () => {},
          onWake(wokenUs) {
            wakes.push([wokenUs, nowUs + 3_500]);
            throw new Error("tired");
          },
        };
      },
    });
    await makeDatapath();
    await settled(() => count("failed") === 1);
    expect(wakes).toHaveLength(1);
    expect(wakes[0]![0]).toBeGreaterThanOrEqual(wakes[0]![1]);
  });

  it("forgets the flows of a datapath that has gone", async () => {
    const { host, events, count } = await makeHost();
    const datapath = await makeDatapath();
    await settled(() => datapath.ack(1) === 0 && datapath.flow.reports > 0);
    datapath.ack(5);
    datapath.socket.close();
    await settled(() => count("vanished") > 0);
    expect(events.find((event) => event.kind === "vanished")).toMatchObject({
      kind: "vanished",
      reason: "gone",
      flows: 1,
    });
    expect(host.agent.flowCount).toBe(0);
  });

  it("goes on after an algorithm has thrown, and after every malformed datagram", async () => {
    const broken = echo("broken", (report) => {
      if (report.get("acked") === 13) throw new Error("thirteen");
    });
    const { events, count } = await makeHost(broken);
    const datapath = await makeDatapath();
    await settled(() => datapath.ack(1) === 0 && datapath.flow.reports > 0);
    datapath.ack(13);
    await settled(() => count("failed") === 1);
    const noise = [
      [],
      [1],
      [1, 0, 7, 0, 0, 0, 0, 0],
      [1, 0, 255, 255, 0, 0, 0, 0],
      [2, 0, 8, 0, 0, 0, 0, 0],
      [9, 0, 8, 0, 0, 0, 0, 0],
      [0, 0, 32, 0, ...new Array<number>(28).fill(0)],
      [0, 0, 96, 0, ...new Array<number>(28).fill(65), ...new Array<number>(64).fill(255)],
      [1, 0, 17, 0, ...new Array<number>(13).fill(1)],
      [5, 0, 8, 0, 0, 0, 0, 0],
    ];
    for (const bytes of noise) datapath.socket.send(Uint8Array.from(bytes), join(folder, "agent"));
    await settled(() => {
      datapath.ack(7777);
      return datapath.cwndBytes === 7777;
    });
    expect(datapath.cwndBytes).toBe(7777);
    expect(events.find((event) => event.kind === "failed")).toMatchObject({ error: new Error("thirteen") });
    expect(count("malformed")).toBeGreaterThanOrEqual(8);
  });

  it("ignores a sender without a path, and tells of it", async () => {
    const { count, host } = await makeHost();
    const calls = await loadUnixCalls();
    const fd = calls.socket(AF_UNIX, SOCK_DGRAM, 0);
    const to = toSockaddr(Buffer.from(join(folder, "agent")));
    const ready = encodeReady({ datapathId: 0 });
    calls.sendto(fd, ready, ready.length, 0, to, to.length);
    await settled(() => count("unnamed") === 1);
    calls.close(fd);
    expect(count("unnamed")).toBe(1);
    expect(host.agent.flowCount).toBe(0);
  });

  it("serves UDP beside it, with the same flows", async () => {
    const { host } = await makeHost();
    const udp = await host.listen((onMessage) => openUdp({ port: 0, onMessage }));
    const datapath = await makeDatapath({
      open: (onMessage) => openUdp({ port: 0, onMessage }),
      agent: udp.address,
    });
    await settled(() => {
      datapath.ack(7777);
      return datapath.cwndBytes === 7777;
    });
    expect(datapath.cwndBytes).toBe(7777);
  });

  it("ignores reports of a flow that it does not know", async () => {
    const { host } = await makeHost();
    const socket = await openUnixDatagram({ path: join(folder, "other"), onMessage: () => {} });
    closers.push(() => socket.close());
    const report = encodeMeasure({ flowId: 9, programUid: 1, fields: [1n] });
    socket.send(report, join(folder, "agent"));
    await settled(() => host.agent.counters.unknownFlow === 1);
    expect(host.agent.counters.unknownFlow).toBe(1);
  });
});
