/** Agents of other versions, agents that die or talk nonsense, and agents that live by the wall clock. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ccpAlgorithm } from "../../../algorithms/reference.ts";
import { CcpAgent } from "../../../ccp-bridge/agent/agent.ts";
import {
  openUnixDatagram,
  SOCKET_FOLDER,
  type UnixDatagramSocket,
} from "../../../ccp-bridge/ipc/unix-datagram.ts";
import {
  type ExternalAgentOptions,
  runExternalAgent,
  unheededText,
} from "../../../envs/foreign-agent/external-agent.ts";
import { agentPath, makeSocketLayout } from "../../../envs/foreign-agent/socket-layout.ts";
import { resolveScenario } from "../../../scenarios/scenario-files.ts";

const run = (options: ExternalAgentOptions) =>
  runExternalAgent({
    scenario: resolveScenario("park-paper", { durationSec: 3 }),
    seed: 1,
    rewardName: "score",
    ...options,
  });

let folder: string;
let socket: UnixDatagramSocket | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ccpark-layout-"));
});
afterEach(() => {
  socket?.close();
  socket = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** Our Reno behind a socket that answers where a version of Portus does. */
async function listen(path: string, answersTo: (from: string) => string): Promise<void> {
  const agent = new CcpAgent({
    algorithms: [ccpAlgorithm("reno")],
    send: (message, to) => void socket!.send(message, answersTo(to)),
  });
  socket = await openUnixDatagram({
    path,
    onMessage: (bytes, from) => from !== undefined && agent.receive(bytes, from, 0),
  });
}

/** A socket that answers each message with these bytes. */
async function answer(path: string, reply: (bytes: Uint8Array) => Uint8Array | undefined): Promise<void> {
  socket = await openUnixDatagram({
    path,
    onMessage(bytes, from) {
      const message = reply(bytes);
      if (from !== undefined && message !== undefined) socket!.send(message, from);
    },
  });
}

describe("agents of other versions of Portus", () => {
  it("0.6 and 0.7, which answer below /tmp/ccp whatever the path, are heard", async () => {
    const name = `ccpark-test-${process.pid}`;
    await listen(join(SOCKET_FOLDER, name), (from) => `${SOCKET_FOLDER}/${from}`);
    const { counters } = await run({ agent: name });
    expect(counters).toMatchObject({ refusedMessages: 0, failedSends: 0, fallbackEvents: 0 });
    expect(counters.cwndChanges).toBeGreaterThan(0);
    const own = makeSocketLayout(name);
    own.remove();
    expect(existsSync(join(SOCKET_FOLDER, own.own))).toBe(false);
  });

  it("0.5, which listens at 0/in and answers to 0/out, is found by its folder and heard", async () => {
    const old = join(folder, "0");
    mkdirSync(old);
    await listen(join(old, "in"), () => join(old, "out"));
    expect(agentPath("portus", folder)).toBe(join(old, "in"));
    const { counters } = await run({ agent: "portus", socketDir: folder });
    expect(counters).toMatchObject({ refusedMessages: 0, failedSends: 0, fallbackEvents: 0 });
    expect(counters.cwndChanges).toBeGreaterThan(0);
  });

  it("a name is the newer socket where there are both", () => {
    mkdirSync(join(folder, "0"));
    mkdirSync(join(folder, "portus"));
    mkdirSync(join(folder, "0", "in"));
    expect(agentPath("portus", folder)).toBe(join(folder, "portus"));
  });
});

describe("what was seen of an agent that gives no program is said", () => {
  it("one that talks nonsense", async () => {
    const path = join(folder, "agent");
    await answer(path, () => Uint8Array.of(77, 0, 12, 0, 1, 0, 0, 0, 9, 9, 9, 9));
    await expect(run({ agent: path })).rejects.toThrow(
      /answered our ready with one message, none of them a program; the datapath refused the first of them, 12 bytes of type 77 \(4d 00 0c 00 .*\): unknown type \(-32\)/,
    );
  });

  it("one that dies of the ready", async () => {
    const path = join(folder, "agent");
    socket = await openUnixDatagram({ path, onMessage: () => socket!.close() });
    const began = performance.now();
    await expect(run({ agent: path })).rejects.toThrow(/went away after our ready, without an answer/);
    expect(performance.now() - began).toBeLessThan(2500);
  });

  it("one that hangs", async () => {
    const path = join(folder, "agent");
    await answer(path, () => undefined);
    await expect(run({ agent: path })).rejects.toThrow(/is there and sent nothing within 5 s of our ready/);
  }, 10_000);
});

describe("in lock-step", () => {
  it("an agent that leaves most reports unanswered is named, with the mode that it needs", () => {
    expect(unheededText("unix:portus", { stops: 100, unansweredStops: 20, cwndChanges: 80 })).toBeUndefined();
    expect(unheededText("unix:portus", { stops: 5, unansweredStops: 5, cwndChanges: 0 })).toBeUndefined();
    expect(unheededText("unix:portus", { stops: 100, unansweredStops: 97, cwndChanges: 3 })).toMatch(
      /unix:portus left 97 of 100 reports unanswered .* --mode real-time/,
    );
  });

  it("an agent by the wall clock is found out, one whose program moves the window is not", async () => {
    const path = join(folder, "agent");
    const byItsClock = ccpAlgorithm("portus-reno");
    let answers = 0;
    const agent = new CcpAgent({
      algorithms: [byItsClock],
      // it takes a report to heart once in 10 s of its own clock: once in this run
      send: (message, to) => (message[0] === 2 || answers++ < 2) && void socket!.send(message, to),
    });
    socket = await openUnixDatagram({
      path,
      onMessage: (bytes, from) => from !== undefined && agent.receive(bytes, from, 0),
    });
    const ignored = await run({ agent: path, quietMs: 2 });
    expect(ignored.counters.stops).toBeGreaterThan(20);
    expect(unheededText("it", ignored.counters)).toMatch(/unanswered/);
    socket.close();
    await listen(path, (from) => from);
    expect(unheededText("it", (await run({ agent: path })).counters)).toBeUndefined();
  });
});
