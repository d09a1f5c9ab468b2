import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { overCcp } from "../../../algorithms/reference.ts";
import { ALGORITHMS } from "../../../algorithms/registry.ts";
import { defaultParams } from "../../../algorithms/spec.ts";
import { compileAlgorithms } from "../../../ccp-bridge/agent/program-set.ts";
import { KERNEL_FLOW } from "../../../ccp-bridge/datapath/bpf-program.ts";
import { makeInterpreter } from "../../../ccp-bridge/datapath/interpreter.ts";
import type { RunProgram } from "../../../ccp-bridge/datapath/program-runner.ts";
import { BLOCK, OwnArena } from "../../../ccp-bridge/datapath/register-arena.ts";
import { PRIMITIVE } from "../../../ccp-bridge/lang/scope.ts";
import { CAPACITY, IMPLICIT } from "../../../ccp-bridge/program.ts";
import { type Libc, loadLibc } from "../../../testbeds/host/libc.ts";
import { kernelRefuses } from "./kernel-access.ts";
import { onScene } from "./transfer.ts";

const ACKS = 5000;
const MAX_SEC = 30;
const refusal = kernelRefuses();

/** Files in one piece in both layouts: word in the block, in the storage, size. */
const FILES = [
  [BLOCK.implicit, KERNEL_FLOW.implicit, CAPACITY.implicit],
  [BLOCK.temporary, KERNEL_FLOW.temporary, CAPACITY.temporary],
  [BLOCK.local, KERNEL_FLOW.local, CAPACITY.local],
  [BLOCK.report, KERNEL_FLOW.report, CAPACITY.report],
] as const;

/** A block of the interpreter's becomes the kernel's. */
function put(arena: OwnArena, base: number, words: BigUint64Array): void {
  const word = base / 8;
  const now = words[KERNEL_FLOW.nowUs]!;
  for (let i = 0; i < CAPACITY.primitive; i++) {
    const value = words[KERNEL_FLOW.primitives + i]!;
    arena.f64[word + i] = Number(i === PRIMITIVE.now ? now - value : value);
  }
  arena.f64[word + BLOCK.hostCwnd] = Number(words[KERNEL_FLOW.implicit + IMPLICIT.cwnd]);
  arena.f64[word + BLOCK.hostRate] = Number(words[KERNEL_FLOW.implicit + IMPLICIT.rate]);
  arena.u64[word + BLOCK.microsStart] = words[KERNEL_FLOW.microsStart]!;
  for (const [to, from, size] of FILES) arena.u64.set(words.subarray(from, from + size), word + to);
  for (let i = 0; i < CAPACITY.control; i++) {
    arena.u64[word + BLOCK.control + i] = words[KERNEL_FLOW.control - i]!;
  }
}

function differences(arena: OwnArena, base: number, words: BigUint64Array): string[] {
  const word = base / 8;
  const found: string[] = [];
  const compare = (what: string, is: bigint, should: bigint): void => {
    if (is !== should) found.push(`${what} is ${is}, not ${should}`);
  };
  compare("Micros' start", words[KERNEL_FLOW.microsStart]!, arena.u64[word + BLOCK.microsStart]!);
  for (const [block, kernel, size] of FILES) {
    for (let i = 0; i < size; i++) {
      compare(`word ${kernel + i}`, words[kernel + i]!, arena.u64[word + block + i]!);
    }
  }
  for (let i = 0; i < CAPACITY.control; i++) {
    compare(`control ${i}`, words[KERNEL_FLOW.control - i]!, arena.u64[word + BLOCK.control + i]!);
  }
  return found;
}

describe.skipIf(refusal !== undefined)("on the ACKs of real connections, with losses", () => {
  let libc: Libc;
  beforeAll(async () => {
    libc = await loadLibc();
  });

  for (const spec of ALGORITHMS.values()) {
    if (spec.ccp === undefined) continue;
    it(`the kernel runs ${spec.name} as the interpreter does`, async () => {
      // a media flow that finds its rate by and by has too few ACKs in the time: it begins with half of the link
      const params = defaultParams(spec);
      const given = "startKbps" in params ? { ...params, startKbps: 100_000 } : params;
      const algorithm = overCcp({ label: spec.name, spec, params: given });
      const set = compileAlgorithms([algorithm]);
      const arena = new OwnArena();
      const base = arena.allocate();
      const runs: RunProgram[] = set.programs.map(({ compiled }) =>
        makeInterpreter(compiled.events, compiled.instructions, arena),
      );
      let acks = 0;
      let losses = 0;
      const found: string[] = [];
      let before: BigUint64Array | undefined;
      const onTrace = (record: Uint8Array): void => {
        const words = new BigUint64Array(record.slice().buffer);
        if (before === undefined || before[KERNEL_FLOW.nowUs] !== words[KERNEL_FLOW.nowUs]) {
          before = words;
          return;
        }
        // numbers of the table are those of the programs: they were installed in their order
        const place = Number(before[KERNEL_FLOW.host + 1]! & 0xffff_ffffn);
        put(arena, base, before);
        losses += Number(before[PRIMITIVE.lostPackets]);
        const code = runs[place - 1]!(base, Number(before[KERNEL_FLOW.nowUs]), 0);
        const got = Number(BigInt.asIntN(64, words[KERNEL_FLOW.code]!));
        if (got !== code) found.push(`code ${got}, not ${code}`);
        found.push(...differences(arena, base, words));
        acks += 1;
        before = undefined;
      };
      await onScene(libc, algorithm, { rate: "200mbit", isTracing: true }, async ({ agent, send, info }) => {
        const sender = send();
        for (let i = 0; i < MAX_SEC * 100 && acks < ACKS && found.length === 0; i++) {
          await sleep(10);
          agent.datapath.traces!.drain(onTrace, 10_000);
        }
        const { totalRetransPackets } = info(sender);
        console.log(`${spec.name}: ${acks} ACKs, ${losses} losses, ${totalRetransPackets} sent again`);
      });
      expect(found.slice(0, 5)).toEqual([]);
      expect(acks).toBeGreaterThanOrEqual(ACKS);
    });
  }
});
