/**
 * Random reports and random ACKs for every algorithm: what a datapath may tell at all, plausible or not. Nothing may throw; each
 * window and rate is a whole number that a datapath can take, neither above 2^53 nor NaN, and no flow's window falls below its
 * minimum.
 *
 *   reports   the agent's side alone, over a flow control that checks what it is told; values as a wire may carry them
 *   acks      the whole: datapath, program, agent (or the control in the datapath), on random ACKs, losses and timeouts
 */
import { makeAlgorithm, resolveAlgorithm } from "../../../algorithms/reference.ts";
import { ALGORITHMS } from "../../../algorithms/registry.ts";
import type { CcpAlgorithm, CcpFlow, FlowControl, Report } from "../../../ccp-bridge/agent/algorithm.ts";
import type { AckEvent, CongestionControl, PacketEvent } from "../../../ccp-bridge/congestion-control.ts";
import { type FlowAlgorithm, runCcpAlgorithm } from "../../../ccp-bridge/in-process-flow.ts";
import { compileProgram } from "../../../ccp-bridge/lang/compiler.ts";
import { Rng } from "../../../core/random.ts";
import { MSS_BYTES } from "../../../core/units.ts";
import { Dice } from "../dice.ts";
import { demand, Tally } from "../tally.ts";

const REPORTS_PER_CASE = 100;
const ACKS_PER_CASE = 300;
const MAX_VALUE = 2 ** 53;
/** of one algorithm only the first: the others are mostly the same */
const MAX_FINDINGS = 20;
/** what a datapath says where there is no sample */
const INFINITE = 2 ** 32 - 1;

export interface Finding {
  readonly name: string;
  readonly error: Error;
}

/** Forms of all algorithms, as references have them. */
export const FORMS: readonly string[] = [...ALGORITHMS.values()].flatMap(({ name, ccp, native }) => [
  ...(ccp === undefined ? [] : [name]),
  ...(native === undefined ? [] : [`native-${name}`]),
]);

/** Default parameters, or random ones within their ranges. */
function drawAlgorithm(form: string, dice: Dice): FlowAlgorithm {
  const resolved = resolveAlgorithm(form);
  if (dice.chance(0.5)) return makeAlgorithm(resolved);
  const params: Record<string, number> = { ...resolved.params };
  for (const { name, low, high, whole } of resolved.spec.params) {
    const drawn = dice.chance(0.3) ? dice.pick([low, high]) : low + (dice.below(1e6) / 1e6) * (high - low);
    params[name] = whole === true ? Math.round(drawn) : drawn;
  }
  return makeAlgorithm(resolved.spec.refuses?.(params) === undefined ? { ...resolved, params } : resolved);
}

function isSettable(value: number, low: number): boolean {
  return Number.isInteger(value) && value >= low && value <= MAX_VALUE;
}

/** Checks what it is told. */
class CheckedControl implements FlowControl {
  readonly flowId = 1;
  program: string | undefined;
  wakeUs: number | undefined;

  setProgram(name: string, fields: Readonly<Record<string, number>> = {}): void {
    this.program = name;
    this.updateFields(fields);
  }

  updateFields(fields: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(fields)) {
      // 0 leaves them as they are
      const isDecision = name === "Cwnd" || name === "Rate";
      const isRight = isDecision
        ? isSettable(value, 0)
        : Number.isInteger(value) && value >= 0 && value < 2 ** 64;
      demand(isRight, () => `${name} := ${value}`);
    }
  }

  setWindow(cwndBytes: number, rateBytesPerSec: number): void {
    this.updateFields({ Cwnd: Math.round(cwndBytes) });
    demand(isSettable(Math.round(rateBytesPerSec), 0), () => `setWindow: rate ${rateBytesPerSec}`);
  }

  wakeAt(atUs: number | undefined): void {
    demand(!Number.isNaN(atUs), () => "wakeAt(NaN)");
    this.wakeUs = atUs;
  }
}

/**
 * A report variable's value: counts, times and rates, none, and more than any of them, up to 2^48. An RTT is never 0, as a sample
 * of 0 reads as none, nor a window below the datapath's minimum.
 */
function drawValue(name: string, mssBytes: number, dice: Dice): number {
  const drawn = drawAny(dice);
  if (/rtt/i.test(name)) return Math.max(1, drawn);
  return /cwnd/i.test(name) ? Math.max(2 * mssBytes, drawn) : drawn;
}

function drawAny(dice: Dice): number {
  switch (dice.below(9)) {
    case 0:
      return 0;
    case 1:
      return 1;
    case 2:
      return dice.below(20);
    case 3:
      return MSS_BYTES * dice.below(2000);
    case 4:
      return dice.below(1_000_000);
    case 5:
      return INFINITE;
    case 6:
      return dice.below(2 ** 32) * 2 ** dice.below(17);
    default:
      return dice.below(100_000);
  }
}

function reportsCase(algorithm: CcpAlgorithm, dice: Dice, tally: Tally): void {
  const variables = new Map(
    Object.entries(algorithm.programs).map(([name, source]) => {
      const registers = [...compileProgram(source).scope.registers.values()];
      const reported = registers.filter(({ file }) => file === "report").sort((a, b) => a.index - b.index);
      return [name, reported.map((register) => register.name.slice("Report.".length))];
    }),
  );
  const control = new CheckedControl();
  let nowUs = dice.below(1_000_000);
  const mssBytes = dice.pick([MSS_BYTES, MSS_BYTES, 1, 536, 8948]);
  const flow: CcpFlow = algorithm.newFlow(control, {
    flowId: 1,
    initCwndBytes: MSS_BYTES * dice.pick([1, 2, 4, 10, 100, 1_000_000]),
    mssBytes,
    srcIp: 0,
    srcPort: 0,
    dstIp: 0,
    dstPort: 0,
    nowUs,
    host: "",
    name: "",
    weight: dice.pick([1, 1, 0.001, 1000]),
    aggregates: [],
    rng: Rng.fromSeed(dice.below(1000)),
  });
  for (let i = 0; i < REPORTS_PER_CASE; i++) {
    nowUs += dice.chance(0.1) ? dice.below(100_000_000) : dice.below(20_000);
    if (control.wakeUs !== undefined && control.wakeUs <= nowUs) {
      control.wakeUs = undefined;
      flow.onWake?.(nowUs);
      tally.add("wakes");
    }
    const programName = control.program;
    if (programName === undefined) continue;
    const names = variables.get(programName)!;
    const values = names.map((name) => drawValue(name, mssBytes, dice));
    const report: Report = {
      programUid: 1,
      programName,
      nowUs,
      get: (name) => values[names.indexOf(name.replace(/^Report\./, ""))]!,
      first: () => values,
    };
    flow.onReport(report);
    tally.add("reports");
  }
  flow.onClose?.();
}

/** Numbers that a host keeps: whole where they count, finite, in their places. */
function drawAck(dice: Dice, nowUs: number, told: { sequence: number }): AckEvent {
  const isTimeout = dice.chance(0.03);
  const ackedPackets = isTimeout ? 0 : dice.pick([0, 1, 1, 1, 2, 10, dice.below(1000)]);
  const misorderedPackets = isTimeout ? 0 : dice.pick([0, 0, 0, 1, dice.below(100)]);
  const lostPackets = isTimeout ? dice.below(1000) : dice.pick([0, 0, 0, 0, 0, 1, dice.below(100)]);
  const inflightPackets = dice.pick([0, 1, 10, dice.below(1000), dice.below(1_000_000)]);
  const rttUs = isTimeout
    ? 0
    : dice.pick([0, 0.4, 1, 20, dice.below(1000), dice.below(300_000), dice.below(1e8)]);
  const rate = (): number => dice.pick([0, 1, dice.below(1e6), dice.below(1e9), 1e13]);
  const ecnPackets = dice.chance(0.1) ? Math.min(dice.below(20), ackedPackets) : 0;
  told.sequence += ackedPackets;
  return {
    nowUs,
    ackedBytes: ackedPackets * MSS_BYTES,
    ackedPackets,
    misorderedBytes: misorderedPackets * MSS_BYTES,
    misorderedPackets,
    deliveredBytes: (ackedPackets + misorderedPackets) * MSS_BYTES,
    lostPackets,
    lostBytes: lostPackets * MSS_BYTES,
    ecnPackets,
    ecnBytes: ecnPackets * MSS_BYTES,
    rttUs,
    srttUs: dice.below(300_000),
    minRttUs: rttUs > 0 ? rttUs : dice.pick([Number.POSITIVE_INFINITY, 1, 20_000]),
    inflightBytes: inflightPackets * MSS_BYTES,
    inflightPackets,
    pendingBytes: dice.below(2 ** 31),
    deliveryRateBytesPerSec: rate(),
    sendRateBytesPerSec: rate(),
    appLimited: dice.chance(0.2),
    timeout: isTimeout,
    nextSequence: told.sequence + inflightPackets,
    cumulativeSequence: told.sequence,
    cwndLimited: dice.chance(0.7),
  };
}

function drawPacket(
  dice: Dice,
  { nowUs, ackedPackets, inflightBytes }: AckEvent,
  number: number,
): PacketEvent {
  return {
    nowUs,
    packetNumber: number,
    bytes: MSS_BYTES,
    sentUs: nowUs - dice.below(Math.min(nowUs, 1_000_000) + 1),
    priorDeliveredBytes: MSS_BYTES * dice.below(1 + ackedPackets),
    txInflightBytes: Math.max(MSS_BYTES, inflightBytes - dice.below(inflightBytes + 1)),
    lostSinceSentBytes: MSS_BYTES * dice.pick([0, 0, 1, dice.below(100)]),
    appLimited: dice.chance(0.2),
  };
}

function checkControl(control: CongestionControl, minCwndBytes: number, when: string): void {
  const { cwndBytes, pacingRateBytesPerSec: rate } = control;
  demand(cwndBytes >= minCwndBytes && cwndBytes <= MAX_VALUE, () => `${when}: window ${cwndBytes} B`);
  demand(rate === undefined || (rate > 0 && rate <= MAX_VALUE), () => `${when}: rate ${rate} B/s`);
}

function acksCase(algorithm: FlowAlgorithm, dice: Dice, tally: Tally): void {
  const isNative = typeof algorithm === "function";
  const wakes: { atUs: number; run: (nowUs: number) => void }[] = [];
  let nowUs = dice.below(1000);
  const start = {
    nowUs,
    mssBytes: MSS_BYTES,
    initialCwndBytes: MSS_BYTES * dice.pick([1, 4, 10, 100]),
    hosting: {
      rng: Rng.fromSeed(dice.below(1000)),
      schedule: (atUs: number, run: (nowUs: number) => void) => void wakes.push({ atUs, run }),
    },
  };
  const control = (isNative ? algorithm : runCcpAlgorithm(algorithm))(start);
  // RFC 5681: a native one leaves a segment after a timeout
  const minCwndBytes = MSS_BYTES * (isNative ? 1 : 2);
  const told = { sequence: 0 };
  for (let i = 0; i < ACKS_PER_CASE; i++) {
    nowUs += dice.chance(0.02) ? dice.below(20_000_000) : dice.below(10_000);
    for (const wake of wakes.splice(0)) {
      if (wake.atUs > nowUs) wakes.push(wake);
      else wake.run(nowUs);
    }
    const ack = drawAck(dice, nowUs, told);
    const { inflightBytes, lostPackets } = ack;
    control.onSent?.({ nowUs, packetNumber: i, sentBytes: MSS_BYTES, inflightBytes });
    if (control.readsPackets === true) {
      const packet = drawPacket(dice, ack, i);
      if (lostPackets > 0) control.onPacketLost?.(packet);
      if (ack.deliveredBytes > 0) {
        control.onPacketAcked?.(packet);
        ack.packet = packet;
      }
    }
    const kind = ack.timeout ? "timeout" : lostPackets > 0 ? "loss" : ack.ecnPackets > 0 ? "ecn" : undefined;
    if (kind !== undefined && dice.chance(0.9)) {
      control.onCongestion({ kind, nowUs, inflightBytes, lostPackets, again: dice.chance(0.2) });
    } else if (dice.chance(0.02)) {
      control.onSpuriousCongestion?.({ kind: dice.pick(["loss", "timeout"]), nowUs });
    }
    control.onAck(ack);
    checkControl(control, minCwndBytes, `after ACK ${i}`);
    tally.add("ACKs");
  }
  control.onClose?.();
}

/**
 * @param cases of each kind and form
 * @param only a case's name, such as `vivace:reports:12`
 * @param isOver asked before each case
 */
export function runAlgorithmFuzz(
  seed: number,
  cases: number,
  only?: string,
  isOver: () => boolean = () => false,
): { tally: Tally; findings: readonly Finding[] } {
  const tally = new Tally();
  const findings: Finding[] = [];
  const broken = new Set<string>();
  const runCase = (form: string, kind: string, index: number): void => {
    const name = `${form}:${kind}:${index}`;
    if (only === undefined ? broken.has(form) : only !== name) return;
    const dice = new Dice(seed, name);
    try {
      const algorithm = drawAlgorithm(form, dice);
      if (kind === "acks") acksCase(algorithm, dice, tally);
      else if (typeof algorithm !== "function") reportsCase(algorithm, dice, tally);
      tally.add("cases");
    } catch (error) {
      findings.push({ name, error: error as Error });
      broken.add(form);
    }
  };
  for (let index = 0; index < cases && findings.length < MAX_FINDINGS; index++) {
    for (const form of FORMS) {
      if (isOver()) return { tally, findings };
      runCase(form, "reports", index);
      runCase(form, "acks", index);
    }
  }
  return { tally, findings };
}
