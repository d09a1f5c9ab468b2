import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { overCcp, resolveAlgorithm } from "../../../../algorithms/reference.ts";
import { KERNEL_FLOW } from "../../../../ccp-bridge/datapath/bpf-program.ts";
import { PRIMITIVE } from "../../../../ccp-bridge/lang/scope.ts";
import { IMPLICIT } from "../../../../ccp-bridge/program.ts";
import { loadLibc } from "../../../../testbeds/host/libc.ts";
import { kernelRefuses } from "../kernel-access.ts";
import { onScene } from "../transfer.ts";

const ACKS = 20_000;
const MAX_SEC = 20;
const MAX_TRANSFERS = 5;

/** What an ACK left: packets in flight, the program's window, and the one that Linux was given. */
interface Applied {
  readonly inFlight: number;
  readonly delivered: number;
  readonly window: number;
  readonly given: number;
}

/** Pairs what the program left on an ACK with what the next one found. */
async function appliedOf(reference: string): Promise<Applied[]> {
  const applied: Applied[] = [];
  let before: BigUint64Array | undefined;
  let after: BigUint64Array | undefined;
  const count = (words: BigUint64Array, primitive: number): number =>
    Number(words[KERNEL_FLOW.primitives + primitive]);
  const onTrace = (record: Uint8Array): void => {
    const words = new BigUint64Array(record.slice().buffer);
    if (before !== undefined && before[KERNEL_FLOW.nowUs] === words[KERNEL_FLOW.nowUs]) {
      after = words;
      before = undefined;
      return;
    }
    before = words;
    if (after === undefined) return;
    const mss = after[KERNEL_FLOW.host]! >> 32n;
    applied.push({
      inFlight: count(after, PRIMITIVE.packetsInFlight),
      delivered: count(after, PRIMITIVE.packetsAcked) + count(after, PRIMITIVE.packetsMisordered),
      window: Number(after[KERNEL_FLOW.implicit + IMPLICIT.cwnd]! / mss),
      given: Number(words[KERNEL_FLOW.host + 1]! >> 32n),
    });
    after = undefined;
  };
  const libc = await loadLibc();
  const algorithm = overCcp(resolveAlgorithm(reference));
  await onScene(libc, algorithm, { rate: "200mbit", isTracing: true }, async ({ agent, send }) => {
    send();
    for (let i = 0; i < MAX_SEC * 100 && applied.length < ACKS; i++) {
      await sleep(10);
      agent.datapath.traces!.drain(onTrace, 10_000);
    }
  });
  return applied;
}

describe.skipIf(kernelRefuses() !== undefined)("fast recovery under a program", () => {
  it("comes to the window after a cut packet by packet: neither silent before it nor at once behind a hole", async () => {
    // a hole that is filled while less is in flight than the window allows comes in most transfers, not in each
    const acks: Applied[] = [];
    const heldBack = (): Applied[] => acks.filter(({ given, window }) => given < window);
    for (let i = 0; i < MAX_TRANSFERS && heldBack().length === 0; i++)
      acks.push(...(await appliedOf("reno")));
    // more is in flight than the cut has left, and yet some of what is delivered lets packets out
    const above = acks.filter(({ inFlight, window }) => inFlight > window);
    const released = above.reduce((sum, { inFlight, given }) => sum + given - inFlight, 0);
    const delivered = above.reduce((sum, ack) => sum + ack.delivered, 0);
    // less is in flight than the window allows, and yet not all of it goes at once
    const below = heldBack();
    console.log(
      `${acks.length} ACKs: ${released} packets for ${delivered} delivered, ${below.length} held back`,
    );
    expect(above.length).toBeGreaterThan(0);
    expect(released).toBeGreaterThan(0.2 * delivered);
    expect(released).toBeLessThan(0.9 * delivered);
    expect(below.length).toBeGreaterThan(0);
    for (const { inFlight, given } of below) expect(given).toBeGreaterThanOrEqual(Math.max(2, inFlight));
  });

  it("leaves a program with a rate alone: its packets are spaced", async () => {
    const acks = await appliedOf("bbr");
    expect(acks.length).toBeGreaterThan(1000);
    expect(acks.filter(({ given, window }) => given < Math.max(2, window))).toEqual([]);
  });
});
