/**
 * `npm run bench:kernel [-- --json] [--part NAME,NAME,...] [--rounds 5]`, as root: what CCP programs cost in Linux's kernel. Parts:
 * programs (the default): each algorithm's, for each ACK and to load, by BPF_PROG_TEST_RUN less an empty one; the least of several
 * batches, since what else the machine does only adds. With traffic, medians of rounds: hook, throughput, share, flows, switch, latency.
 */
import { ccpAlgorithm } from "../../../algorithms/reference.ts";
import { bpfTestProgram, KERNEL_FLOW, kernelWord } from "../../../ccp-bridge/datapath/bpf-program.ts";
import { compileProgram } from "../../../ccp-bridge/lang/compiler.ts";
import { PRIMITIVE } from "../../../ccp-bridge/lang/scope.ts";
import { IMPLICIT, type Instruction, OPCODES } from "../../../ccp-bridge/program.ts";
import { scriptOptions } from "../../../envs/grpc/bench/options.ts";
import { loadLibc } from "../../../testbeds/host/libc.ts";
import { Bpf, PROGRAM_TYPE } from "../../../testbeds/linux/bpf/bpf.ts";
import { printRow } from "../console.ts";
import { makeRig } from "./rig.ts";
import { TRAFFIC_PARTS } from "./traffic.ts";

const ALGORITHMS = ["vegas", "reno", "dctcp", "cubic", "bbr"];
const BATCHES = 21;
const RUNS = 50_000;
const INSTRUCTION_BYTES = 8;
/** of each run of traffic */
const SEC = 2;

/** One ACK of a flow at 117 Mbit/s. */
const ACK: readonly (readonly [number, bigint])[] = [
  [KERNEL_FLOW.primitives + PRIMITIVE.bytesAcked, 1448n],
  [KERNEL_FLOW.primitives + PRIMITIVE.packetsAcked, 1n],
  [KERNEL_FLOW.primitives + PRIMITIVE.bytesInFlight, 289_600n],
  [KERNEL_FLOW.primitives + PRIMITIVE.packetsInFlight, 200n],
  [KERNEL_FLOW.primitives + PRIMITIVE.rateIncoming, 14_480_000n],
  [KERNEL_FLOW.primitives + PRIMITIVE.rateOutgoing, 14_480_000n],
  [KERNEL_FLOW.primitives + PRIMITIVE.rttSampleUs, 20_000n],
  [KERNEL_FLOW.primitives + PRIMITIVE.now, 5_000_000n],
  [KERNEL_FLOW.implicit + IMPLICIT.cwnd, 289_600n],
  [KERNEL_FLOW.nowUs, 5_000_000n],
];

const { values } = scriptOptions("bench:kernel", {
  json: { type: "boolean", what: "a row of JSON each" },
  part: {
    type: "string",
    what: "which",
    among: ["programs", ...Object.keys(TRAFFIC_PARTS)],
    default: "programs",
  },
  rounds: { type: "number", what: "of what has traffic", low: 1, high: 1_000, default: "5" },
});
const parts: readonly string[] = values.part.split(",");
const { rounds } = values;
const libc = await loadLibc();
const bpf = new Bpf(libc);
const registers = bpf.createMappedArray("ccp_registers", 8 * KERNEL_FLOW.words, 1);
const words = new BigUint64Array(registers.bytes, 0, KERNEL_FLOW.words);

/** Nanoseconds of one run. */
function cost(
  instructions: Uint8Array,
  initials: readonly Instruction[] = [],
): { readonly ns: number; readonly loadMs: number } {
  const from = process.hrtime.bigint();
  const fd = bpf.loadProgram({ type: PROGRAM_TYPE.schedCls, instructions, name: "ccp_bench" });
  const loadMs = Number(process.hrtime.bigint() - from) / 1e6;
  let ns = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < BATCHES; batch++) {
    words.fill(0n);
    for (const [word, value] of ACK) words[word] = value;
    for (const { resultType, resultIndex, rightIndex } of initials) {
      words[kernelWord(resultType, resultIndex)!] = BigInt(rightIndex);
    }
    ns = Math.min(ns, bpf.testRun(fd, RUNS).durationNs);
    // a program that fails does less
    const code = BigInt.asIntN(64, words[KERNEL_FLOW.code]!);
    if (code < 0n) throw new Error(`the program failed: ${code}`);
  }
  bpf.close(fd);
  return { ns, loadMs };
}

function programs(): void {
  const empty = cost(bpfTestProgram([], [], registers.fd)).ns;
  for (const name of ALGORITHMS) {
    const [source] = Object.values(ccpAlgorithm(name).programs);
    const { events, instructions } = compileProgram(source!);
    const bytes = bpfTestProgram(events, instructions, registers.fd);
    const initials = instructions.filter(({ opcode }) => opcode === OPCODES.def);
    const { ns, loadMs } = cost(bytes, initials);
    printRow({
      bench: "kernel",
      algorithm: name,
      instructions: instructions.length,
      bpfInstructions: bytes.length / INSTRUCTION_BYTES,
      nsPerAck: ns - empty,
      loadMs,
    });
  }
}

if (parts.includes("programs")) programs();
registers.close();
const rig = makeRig(libc);
try {
  for (const [name, part] of Object.entries(TRAFFIC_PARTS)) {
    if (!parts.includes(name)) continue;
    for await (const row of part({ libc, rig, rounds, sec: SEC })) printRow({ bench: name, ...row });
  }
} finally {
  rig.close();
}
