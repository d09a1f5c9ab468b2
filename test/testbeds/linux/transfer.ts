/** Real transfers between the two hosts of a rig, by an algorithm of ours in Linux TCP. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { CcpAlgorithm } from "../../../ccp-bridge/agent/algorithm.ts";
import { compileAlgorithms } from "../../../ccp-bridge/agent/program-set.ts";
import type { Libc } from "../../../testbeds/host/libc.ts";
import { Hosts, type Sender } from "../../../testbeds/linux/hosts.ts";
import { LinuxAgent, type LinuxAgentOptions } from "../../../testbeds/linux/linux-agent.ts";
import { type TcpInfo, tcpInfo } from "../../../testbeds/linux/tcp-info.ts";
import { makeRig, type Rig } from "./rig.ts";

let named = 0;

/** A name that no other test of this process has. */
export const freshName = (): string => `cct${process.pid}_${named++}`;

export interface Scene {
  readonly rig: Rig;
  readonly hosts: Hosts;
  readonly agent: LinuxAgent;
  send(bytes?: number, algorithm?: string): Sender;
  info(sender: Sender): TcpInfo;
  /** Mbit/s that a sender gets acknowledged in the next while */
  goodputMbps(sender: Sender, sec: number): Promise<number>;
}

/** Sets the scene, plays, and clears everything away. */
export async function onScene<T>(
  libc: Libc,
  algorithm: CcpAlgorithm,
  options: Partial<LinuxAgentOptions> & { readonly rate?: string; readonly senders?: number },
  play: (scene: Scene) => Promise<T>,
): Promise<T> {
  const { rate, senders = 64, ...agentOptions } = options;
  const set = compileAlgorithms([algorithm]);
  const rig = makeRig(libc, rate);
  const hosts = new Hosts(libc, rig.client, rig.server, senders);
  const agent = new LinuxAgent(libc, {
    name: freshName(),
    set,
    ...agentOptions,
  });
  try {
    await hosts.ready;
    return await play({
      rig,
      hosts,
      agent,
      send: (bytes = Number.POSITIVE_INFINITY, name = agent.datapath.name) => {
        const sender = hosts.connect(name, bytes);
        hosts.start(sender);
        return sender;
      },
      info: (sender) => tcpInfo(libc, sender.fd),
      goodputMbps: async (sender, sec) => {
        const before = tcpInfo(libc, sender.fd).ackedBytes;
        const from = process.hrtime.bigint();
        await sleep(1000 * sec);
        const took = Number(process.hrtime.bigint() - from) / 1e9;
        return ((tcpInfo(libc, sender.fd).ackedBytes - before) * 8) / took / 1e6;
      },
    });
  } finally {
    await hosts.close();
    agent.close();
    rig.close();
  }
}

/** What it does is said by a test: a window, a rate, and reports on every ACK. */
export function scripted(script: {
  readonly program: string;
  readonly fields?: Readonly<Record<string, number>>;
  readonly onReport?: (get: (name: string) => number) => void;
}): CcpAlgorithm {
  return {
    name: "scripted",
    programs: { only: script.program },
    newFlow: (control) => {
      control.setProgram("only", script.fields);
      return { onReport: (report) => script.onReport?.((name) => report.get(name)) };
    },
  };
}

/** This thread does nothing, and lets the processor to others. */
export function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** @returns how many milliseconds it took */
export async function until(isTrue: () => boolean, ms: number): Promise<number> {
  const from = performance.now();
  while (!isTrue() && performance.now() - from < ms) await sleep(5);
  expect(isTrue()).toBe(true);
  return performance.now() - from;
}
