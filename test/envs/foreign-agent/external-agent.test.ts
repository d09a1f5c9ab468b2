/** A scenario under an agent in another process, over unix datagram sockets. */
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ccpAlgorithm } from "../../../algorithms/reference.ts";
import { CcpAgent } from "../../../ccp-bridge/agent/agent.ts";
import type { CcpAlgorithm } from "../../../ccp-bridge/agent/algorithm.ts";
import type { AgentEvent } from "../../../ccp-bridge/ipc/agent-link.ts";
import { openUnixDatagram } from "../../../ccp-bridge/ipc/unix-datagram.ts";
import { MESSAGE_TYPES } from "../../../ccp-bridge/wire/header.ts";
import { type ExternalAgentOptions, runExternalAgent } from "../../../envs/foreign-agent/external-agent.ts";
import { runAlgorithm } from "../../../envs/measured-run.ts";
import { resolveScenario } from "../../../scenarios/scenario-files.ts";
import { makeSocketFolder, ourAgent } from "./agent-child.ts";

const run = (durationSec: number, options: ExternalAgentOptions) =>
  runExternalAgent({
    scenario: resolveScenario("park-paper", { durationSec }),
    seed: 1,
    rewardName: "score",
    ...options,
  });

/** Sets its program and never answers a report. */
function mute(algorithm: CcpAlgorithm): CcpAlgorithm {
  const [program] = Object.keys(algorithm.programs);
  return {
    ...algorithm,
    newFlow(control) {
      control.setProgram(program!);
      return { onReport() {} };
    },
  };
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let sockets: ReturnType<typeof makeSocketFolder>;
let path: string;
beforeEach(() => {
  sockets = makeSocketFolder();
  path = join(sockets.folder, "agent");
});
afterEach(() => sockets.clear());

describe("in lock-step", () => {
  it("an agent that answers in time gives the run that it gives inside this process, to the bit", async () => {
    await sockets.start(ourAgent(path));
    const scenario = resolveScenario("park-paper", { durationSec: 5 });
    const algorithm = ccpAlgorithm("reno");
    const inside = runAlgorithm({ scenario, seed: 1, rewardName: "score", algorithm });
    // Time enough for a busy machine: every answer is waited for.
    const outside = await run(5, { agent: path, quietMs: 50 });
    expect(outside.metrics).toEqual(inside.metrics);
    expect(outside.series).toEqual(inside.series);
    expect(outside.reward).toBe(inside.reward);
    expect(outside.events).toEqual([]);
    expect(outside.counters.reports).toBeGreaterThan(50);
    expect(outside.counters.lossEvents).toBeGreaterThan(0);
    expect(outside.counters.cwndChanges).toBeGreaterThan(0);
  });

  it("an agent that is silent delays a report by the quiet period, not the flow", async () => {
    const agent = new CcpAgent({
      algorithms: [mute(ccpAlgorithm("reno"))],
      send: (message, to) => void socket.send(message, to),
    });
    const socket = await openUnixDatagram({
      path,
      onMessage: (bytes, from) => from !== undefined && agent.receive(bytes, from, 0),
    });
    const result = await run(3, { agent: path });
    socket.close();
    expect(result.counters.reports).toBeGreaterThan(20);
    expect(result.counters.fallbackEvents).toBe(0);
    expect(result.metrics.goodputMbps).toBeGreaterThan(1);
  });

  it("a flow whose agent dies is driven natively to the end", async () => {
    const agent = await sockets.start(ourAgent(path));
    const events: AgentEvent[] = [];
    const running = run(60, { agent: path, onEvent: (event) => events.push(event) });
    await later(300);
    await agent.kill();
    const result = await running;
    expect(events.map((event) => event.kind)).toEqual(["agent-gone", "fallback"]);
    expect(events[1]!.nowUs - events[0]!.nowUs).toBeGreaterThan(1_000_000);
    expect(events[1]!.nowUs - events[0]!.nowUs).toBeLessThan(1_200_000);
    expect(result.counters.fallbackEvents).toBe(1);
    expect(result.metrics.utilisation).toBeGreaterThan(0.9);
  });
});

describe("an agent that fails in the middle of its first answer", () => {
  it("is found out although the flow has nothing to report", async () => {
    const agent = new CcpAgent({
      algorithms: [ccpAlgorithm("reno")],
      send: (message, to) => void socket.send(message, to),
    });
    // It takes ready, and dies of the create.
    const socket = await openUnixDatagram({
      path,
      onMessage(bytes, from) {
        if (bytes[0] === MESSAGE_TYPES.create) socket.close();
        else if (from !== undefined) agent.receive(bytes, from, 0);
      },
    });
    const result = await run(6, { agent: path });
    expect(result.events.map((event) => event.kind)).toEqual(["agent-gone", "fallback"]);
    expect(result.counters.reports).toBe(0);
    expect(result.metrics.utilisation).toBeGreaterThan(0.5);
  });

  it("is asked again if it only hung", async () => {
    const agent = new CcpAgent({
      algorithms: [ccpAlgorithm("reno")],
      send: (message, to) => void socket.send(message, to),
    });
    let creates = 0;
    const socket = await openUnixDatagram({
      path,
      onMessage(bytes, from) {
        if (bytes[0] === MESSAGE_TYPES.create && ++creates === 1) return;
        if (from !== undefined) agent.receive(bytes, from, 0);
      },
    });
    const result = await run(4, { agent: path });
    socket.close();
    expect(creates).toBe(2);
    expect(result.counters.reports).toBeGreaterThan(10);
    expect(result.events).toEqual([]);
  });

  it("may send what it likes: refused messages are one event, and the flow goes on", async () => {
    const agent = new CcpAgent({
      algorithms: [ccpAlgorithm("reno")],
      send: (message, to) => void socket.send(message, to),
    });
    const socket = await openUnixDatagram({
      path,
      onMessage(bytes, from) {
        if (from === undefined) return;
        agent.receive(bytes, from, 0);
        if (bytes[0] !== MESSAGE_TYPES.measure) return;
        for (const rubbish of [[], [1], [4, 0, 255, 255, 1, 0, 0, 0], [2, 0, 8, 0, 0, 0, 0, 0]]) {
          socket.send(Uint8Array.from(rubbish), from);
        }
      },
    });
    const result = await run(2, { agent: path });
    socket.close();
    expect(result.counters.refusedMessages).toBeGreaterThan(3 * 20);
    expect(result.events.map((event) => event.kind)).toEqual(["refused"]);
    expect(result.metrics.goodputMbps).toBeGreaterThan(10);
  });
});

describe("in real time", () => {
  it("the run takes as long as its scenario and gives nearly the same", async () => {
    await sockets.start(ourAgent(path));
    const beganMs = performance.now();
    const result = await run(2, { agent: path, pace: "real-time" });
    expect(performance.now() - beganMs).toBeGreaterThan(2000);
    expect(result.counters.reports).toBeGreaterThan(20);
    expect(result.metrics.utilisation).toBeGreaterThan(0.8);
  });

  it("a flow whose agent is killed and started again is driven natively, then by the new agent", async () => {
    const first = await sockets.start(ourAgent(path));
    const events: AgentEvent[] = [];
    const running = run(10, { agent: path, pace: "real-time", onEvent: (event) => events.push(event) });
    await later(1500);
    await first.kill();
    await later(2000);
    await sockets.start(ourAgent(path));
    const result = await running;
    expect(events.map((event) => event.kind)).toEqual(["agent-gone", "fallback", "agent-back", "adopted"]);
    const [, , back, adopted] = events.map((event) => event.nowUs);
    expect(adopted! - back!).toBeLessThan(1_000_000);
    expect(result.counters).toMatchObject({ installs: 2, fallbackEvents: 1, adoptions: 1 });
    expect(result.metrics.utilisation).toBeGreaterThan(0.7);
  });

  it("an agent that is replaced between two reports is noticed, and the new one gets the flow", async () => {
    const first = await sockets.start(ourAgent(path));
    const events: AgentEvent[] = [];
    const running = run(4, { agent: path, pace: "real-time", onEvent: (event) => events.push(event) });
    await later(1000);
    // As quick as a restart can be: in the same turn, by this process.
    const agent = new CcpAgent({
      algorithms: [ccpAlgorithm("reno")],
      send: (message, to) => void socket.send(message, to),
    });
    await first.kill();
    const socket = await openUnixDatagram({
      path,
      onMessage: (bytes, from) =>
        from !== undefined && agent.receive(bytes, from, Math.round(performance.now() * 1000)),
    });
    const result = await running;
    await later(100);
    socket.close();
    expect(events.map((event) => event.kind)).toContain("agent-back");
    expect(result.counters.fallbackEvents).toBe(0);
    expect(agent.counters.reports).toBeGreaterThan(10);
    expect(agent.flowCount).toBe(0);
  });
});

describe("what can be wrong at the start", () => {
  it("no socket at the path", async () => {
    await expect(run(1, { agent: path })).rejects.toThrow(`no agent at \`${path}\`: there is no such socket`);
  });

  it("something that is not a socket", async () => {
    await expect(run(1, { agent: sockets.folder })).rejects.toThrow("it is not a socket");
  });

  it("a socket that a killed agent has left", async () => {
    const agent = await sockets.start(ourAgent(path));
    await agent.kill();
    await expect(run(1, { agent: path })).rejects.toThrow("no process receives there");
  });

  it("a socket whose owner never answers", { timeout: 20_000 }, async () => {
    const socket = await openUnixDatagram({ path, onMessage: () => {} });
    await expect(run(1, { agent: path })).rejects.toThrow("sent nothing within 5 s");
    socket.close();
  });

  it("an algorithm's name that does not fit the create message", async () => {
    await expect(run(1, { agent: path, algorithmName: "x".repeat(64) })).rejects.toThrow("at most 63 bytes");
  });

  it("leaves nothing behind", async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith("ccpark-datapath-"));
    await expect(run(1, { agent: path })).rejects.toThrow();
    const after = readdirSync(tmpdir()).filter((name) => name.startsWith("ccpark-datapath-"));
    expect(after.filter((name) => !before.includes(name))).toEqual([]);
  });
});
