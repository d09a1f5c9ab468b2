/**
 * The engine's senders and receivers at the two ends of Mahimahi's shells: real UDP packets in real time, through the
 * programs that the field has used for years.
 *
 * mm-link's log says what its queues did, while it runs; it does not say which packet. Every queue of the shells serves in order,
 * so a packet that another one has overtaken is lost; and a packet's queueing delay is the time between the two sockets less the
 * propagation delay and, at a constant rate, its transmission: the lateness of the shells is in it.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  ACK_BYTES,
  NANOS_PER_MICRO,
  NANOS_PER_MILLI,
  NANOS_PER_SEC,
  type Nanos,
  PACKET_BYTES,
  TUN_HEADER_BYTES,
} from "../../core/units.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { DelayHistogram } from "../../sim/delay-histogram.ts";
import { GeneralNetwork } from "../../sim/general/general-network.ts";
import { ACK, DATA } from "../../sim/general/hop.ts";
import type { LinkSpec } from "../../sim/network.ts";
import { OPPORTUNITY_BYTES } from "../../sim/servers/opportunities.ts";
import { ENGINE_FORMATS, type RunRecorder } from "../exports/recorder.ts";
import { whyNoHost, whyNoNamespaces } from "../host/abilities.ts";
import { RunPlan } from "../network-run.ts";
import { monotonicNs } from "../real-time/alarm.ts";
import {
  RealTimeNetworkRun,
  rateRefusal,
  stackRefusal,
  withoutSendJitter,
} from "../real-time/real-time-run.ts";
import { expectAccepts, type LinkTruth, type RealTimeTestbed, type RunTiming } from "../testbed.ts";
import { findOpportunities, opportunityBytes, shellsOf, shellsRefuse } from "./command-line.ts";
import { LogMeter } from "./log-meter.ts";
import { openShells, type Shells } from "./open-shells.ts";
import { isRoot, whyNoForwarding, whyNoMahimahi } from "./tools.ts";

/** A datagram: nonce u32, row u32, number f64. */
const NUMBER_AT = 8;
const HEADER_BYTES = 16;
/** IPv4 and UDP headers. */
const UDP_HEADER_BYTES = 28;
/** what all packets carry behind the header */
const PAYLOAD: Buffer = Buffer.alloc(PACKET_BYTES);
/** A packet that nothing has overtaken, and that is not there by then, was lost. */
const LOST_AFTER_NS = 60 * NANOS_PER_SEC;
/** Opportunities after the end of a run, which may be noticed a little late. */
const SPARE_MS = 2000;

/** Packets of one way that are on it, in their order. */
interface Way {
  readonly underWay: { readonly packet: number; readonly sinceNs: Nanos }[];
  /** what a data packet needs that does not wait */
  readonly unloadedNs: Nanos;
  lostPackets: number;
}

function newWay({ rate, dataBytes }: LinkSpec, propagationNs: Nanos): Way {
  const serviceNs = rate.kind === "constant" ? (dataBytes / rate.rateBytesPerSec) * NANOS_PER_SEC : 0;
  return { underWay: [], unloadedNs: propagationNs + serviceNs, lostPackets: 0 };
}

class MahimahiRun extends RealTimeNetworkRun {
  readonly #scenario: Scenario;
  readonly #meters: { readonly forward: LogMeter; readonly reverse: LogMeter };
  readonly #opportunities: ReturnType<typeof findOpportunities>;
  readonly #recorder: RunRecorder | undefined;
  readonly #nonce: number = randomBytes(4).readUInt32LE();
  readonly #directions: readonly boolean[];
  readonly #propagationNs: Nanos;
  readonly #ways: { readonly forward: Way; readonly reverse: Way };
  readonly #lateness = new DelayHistogram();
  #maxLatenessUs = 0;
  /** when data packets of forward flows arrived whose departure has not been looked up */
  readonly #arrivedNs: Nanos[] = [];
  #lookedUp = 0;
  #opening: ReturnType<typeof openShells> | undefined;
  #shells: Shells | undefined;

  constructor(plan: RunPlan, scenario: Scenario, recorder: RunRecorder | undefined) {
    const spanMs = Math.ceil(plan.endNs / NANOS_PER_MILLI) + SPARE_MS;
    const opportunities = findOpportunities(plan, 0, spanMs);
    const meterOf = (way: "forward" | "reverse"): LogMeter =>
      new LogMeter(opportunities[way], opportunityBytes(plan.spec[way]), {
        opportunityBytes: OPPORTUNITY_BYTES,
        dataBytes: PACKET_BYTES + TUN_HEADER_BYTES,
      });
    const meters = { forward: meterOf("forward"), reverse: meterOf("reverse") };
    const truth: LinkTruth = {
      ...meters,
      links: [meters.forward, meters.reverse],
      payloadRatio: plan.payloadRatio,
    };
    super("mahimahi", plan, {
      networkOf: (carrier) => new GeneralNetwork(plan.spec, plan.rng, { carrier, meters }),
      truth,
    });
    this.#scenario = scenario;
    this.#meters = meters;
    this.#opportunities = opportunities;
    this.#recorder = recorder;
    this.#directions = plan.paths.map(({ isBackward }) => isBackward);
    this.#propagationNs = scenario.propagationDelayMs * NANOS_PER_MILLI;
    const { forward, reverse } = plan.spec;
    this.#ways = {
      forward: newWay(forward, this.#propagationNs),
      reverse: newWay(reverse, this.#propagationNs),
    };
  }

  get commandLine(): readonly string[] | undefined {
    return this.#shells?.commandLine;
  }

  /** Each data packet that arrived, against the opportunity by which the log has it leave; they are as many, and in order. */
  get timing(): RunTiming {
    const { forward } = this.#meters;
    forward.refresh();
    const departed = forward.dataDepartedMs;
    for (; this.#lookedUp < Math.min(this.#arrivedNs.length, departed.length); this.#lookedUp++) {
      const dueNs = departed[this.#lookedUp]! * NANOS_PER_MILLI + this.#propagationNs;
      const lateUs = Math.max(0, this.#arrivedNs[this.#lookedUp]! - dueNs) / NANOS_PER_MICRO;
      this.#lateness.record(lateUs);
      this.#maxLatenessUs = Math.max(this.#maxLatenessUs, lateUs);
    }
    return {
      packetLatenessUs: {
        medianUs: this.#lateness.quantileUs(0.5),
        p99Us: this.#lateness.quantileUs(0.99),
        maxUs: this.#maxLatenessUs,
      },
      strayLosses: this.#strayOf("forward") + this.#strayOf("reverse"),
    };
  }

  /** Lost, but not by the link's queue; where the scenario loses packets they cannot be told from those. */
  #strayOf(way: "forward" | "reverse"): number {
    if (this.#scenario[way].lossRate > 0) return 0;
    return Math.max(0, this.#ways[way].lostPackets - this.#meters[way].droppedPackets);
  }

  protected override async getReady(): Promise<bigint> {
    this.#opening = openShells(this.#scenario, this.#opportunities);
    const { shells } = await this.#opening;
    this.#shells = shells;
    shells.onFailure((error) => this.fail(error));
    this.#meters.forward.follow(shells.uplink.file, shells.uplink.zeroMs);
    this.#meters.reverse.follow(shells.downlink.file, shells.downlink.zeroMs);
    shells.inside.on("message", (datagram) => this.#receive(datagram, "reverse"));
    shells.outside.on("message", (datagram) => this.#receive(datagram, "forward"));
    for (const socket of [shells.inside, shells.outside]) socket.on("error", (error) => this.fail(error));
    const leftMs = Number(shells.zeroNs - monotonicNs()) / NANOS_PER_MILLI;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, Math.ceil(leftMs))));
    return shells.zeroNs;
  }

  protected override isLost(_packet: number, sinceNs: Nanos, nowNs: Nanos): boolean {
    return nowNs - sinceNs >= LOST_AFTER_NS;
  }

  override carry(packet: number): void {
    const { kind, number } = this.network.contentsOf(packet);
    const { flow } = this.network.senderOf(packet);
    const isForward = (kind === ACK) === this.#directions[flow.spec.path!]!;
    const sinceNs = this.network.nowNs;
    this.carried.set(packet, sinceNs);
    this.#ways[isForward ? "forward" : "reverse"].underWay.push({ packet, sinceNs });
    const header = Buffer.allocUnsafe(HEADER_BYTES);
    header.writeUInt32LE(this.#nonce, 0);
    header.writeUInt32LE(packet, 4);
    header.writeDoubleLE(number, NUMBER_AT);
    const bytes = (kind === ACK ? ACK_BYTES : PACKET_BYTES) - UDP_HEADER_BYTES;
    const { inside, outside } = this.#shells!;
    (isForward ? inside : outside).send([header, PAYLOAD.subarray(0, bytes - HEADER_BYTES)]);
  }

  #receive(datagram: Buffer, way: "forward" | "reverse"): void {
    if (datagram.length < HEADER_BYTES || datagram.readUInt32LE(0) !== this.#nonce) return;
    const packet = datagram.readUInt32LE(4);
    const isExpected =
      this.carried.has(packet) && this.network.contentsOf(packet).number === datagram.readDoubleLE(NUMBER_AT);
    // one that was given up
    if (!isExpected) return;
    this.arriving((nowNs) => {
      const sinceNs = this.#overtake(packet, way);
      if (way === "forward" && this.network.contentsOf(packet).kind === DATA) this.#arrivedNs.push(nowNs);
      const queuedNs = Math.max(0, nowNs - sinceNs - this.#ways[way].unloadedNs);
      this.network.deliver(packet, nowNs, { isMarked: false, queuedNs });
    });
  }

  /** Those before it will not come any more. @returns since when it was on its way */
  #overtake(packet: number, name: "forward" | "reverse"): Nanos {
    const way = this.#ways[name];
    for (;;) {
      const first = way.underWay.shift()!;
      const isThere = this.carried.get(first.packet) === first.sinceNs;
      if (isThere) this.carried.delete(first.packet);
      if (first.packet === packet && isThere) return first.sinceNs;
      way.lostPackets++;
      if (isThere) this.network.lose(first.packet);
    }
  }

  protected override async giveBack(): Promise<void> {
    // one that does not open has been told to who waits for it
    const open = await this.#opening?.catch(() => undefined);
    for (const meter of [this.#meters.forward, this.#meters.reverse]) meter.hold();
    if (this.#shells !== undefined && this.#recorder?.wants("mahimahi") === true) {
      const { file, zeroMs } = this.#shells.uplink;
      const text = readFileSync(file, "latin1");
      this.#recorder.watchLink(() => ({ mahimahi: `# the run begins at ${zeroMs}\n${text}` }));
    }
    await open?.close();
  }
}

/** Why what the scenario has beside its links cannot be sent through shells of one delay. */
function senderRefusal({ flows = [], traffic = [], variation = {} }: Scenario): string | undefined {
  const own = ["propagationDelayMs", "propagationSpread", "delay", "route", "priority"] as const;
  for (const [i, flow] of flows.entries()) {
    const field = own.find((name) => flow[name] !== undefined);
    if (field !== undefined)
      return `flows.${i} has a ${field} of its own, and all packets take the same shells`;
  }
  if (traffic.length > 0) return `it has generated traffic (${traffic[0]!.kind}), expected flows at most`;
  const varied = (["startQueue", "ackJitterRtt"] as const).find((name) => (variation[name] ?? 0) > 0);
  return varied && `they have nothing like variation.${varied}`;
}

/** One sentence what of this machine is missing, so that so many shells run. */
function machineRefusal(shells: number): string | undefined {
  const why = whyNoMahimahi();
  if (why !== undefined) return why;
  // for root they start from a namespace of their own, as somebody else
  const whyNotAsRoot = isRoot() ? (whyNoHost() ?? whyNoNamespaces()) : undefined;
  return whyNotAsRoot ?? whyNoForwarding(shells, isRoot());
}

export const MAHIMAHI: RealTimeTestbed = {
  name: "mahimahi",
  clock: "real",
  summary:
    "real UDP packets in real time through mm-delay, mm-loss and mm-link, where they are installed; to 200 Mbit/s",
  records: ENGINE_FORMATS,
  refuses: (scenario) =>
    machineRefusal(shellsOf(scenario)) ??
    rateRefusal(scenario) ??
    stackRefusal(scenario) ??
    shellsRefuse(scenario) ??
    senderRefusal(scenario),
  async open(scenario, seed, options) {
    expectAccepts(MAHIMAHI, scenario);
    const real = withoutSendJitter(scenario);
    return new MahimahiRun(new RunPlan(real, seed, options), real, options.recorder);
  },
};
