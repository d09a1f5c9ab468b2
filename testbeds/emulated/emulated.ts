/**
 * The engine's senders and receivers at the two ends of an emulated link: real packets in real time, which cross the
 * kernel's IP stack and two devices, over the simulator's links.
 *
 *   sender ──UDP──▶ namespace, TUN ──▶ link's thread ──▶ TUN, namespace ──UDP──▶ receiver      and ACKs back
 */

import { randomBytes } from "node:crypto";
import { ACK_BYTES, type Bytes, NANOS_PER_MILLI, NANOS_PER_SEC, type Nanos } from "../../core/units.ts";
import { mtuOf } from "../../scenarios/scenario.ts";
import { GeneralNetwork } from "../../sim/general/general-network.ts";
import { ACK } from "../../sim/general/hop.ts";
import { RECORDED_FORMATS } from "../exports/recorder.ts";
import { whyNoLinks } from "../host/abilities.ts";
import { type Libc, loadLibc } from "../host/libc.ts";
import { RunPlan } from "../network-run.ts";
import {
  RealTimeNetworkRun,
  rateRefusal,
  stackRefusal,
  withoutSendJitter,
} from "../real-time/real-time-run.ts";
import { expectAccepts, type RealTimeTestbed, type RunTiming } from "../testbed.ts";
import { type EmulatedLink, openLink } from "./open-link.ts";
import { recordLink } from "./recorded-link.ts";
import { FATE, REPORTED_ROWS } from "./shared.ts";
import { UdpPair } from "./udp-pair.ts";

/** IPv4 and UDP headers. */
const UDP_HEADER_BYTES = 28;
/** A datagram: nonce u32, row u32, number f64. */
const NUMBER_AT = 8;
const HEADER_BYTES = 16;
/** of the first flow slot; the others follow */
const FIRST_PORT = 20_000;
/** Packets that the link has lost are looked for that often. */
const SWEEP_EVERY_NS = 20 * NANOS_PER_MILLI;
/** A packet that has been under way so long was lost by the system, not by a link. */
const STRAY_AFTER_NS = 60 * NANOS_PER_SEC;

class EmulatedRun extends RealTimeNetworkRun {
  readonly #libc: Libc;
  readonly #link: EmulatedLink;
  readonly #nonce: number;
  /** by flow slot */
  readonly #pairs: (UdpPair | undefined)[] = [];
  readonly #directions: readonly boolean[];
  readonly #packetBytes: Bytes;
  readonly #packet: Buffer;
  readonly #received: Buffer;

  constructor(plan: RunPlan, mtuBytes: Bytes, link: EmulatedLink, nonce: number, libc: Libc) {
    super("emulated", plan, {
      // datagrams without feedback are the link's
      networkOf: (carrier) =>
        new GeneralNetwork({ ...plan.spec, datagrams: [] }, plan.rng, { carrier, meters: link.truth }),
      truth: link.truth,
      sweepEveryNs: SWEEP_EVERY_NS,
    });
    this.#libc = libc;
    this.#link = link;
    this.#nonce = nonce;
    this.#directions = plan.paths.map(({ isBackward }) => isBackward);
    this.#packetBytes = mtuBytes;
    this.#packet = Buffer.alloc(mtuBytes - UDP_HEADER_BYTES);
    this.#received = Buffer.alloc(mtuBytes);
    this.#packet.writeUInt32LE(nonce, 0);
    link.onFailure((error) => this.fail(error));
  }

  get timing(): RunTiming {
    const { packetLatenessUs, strayLosses } = this.#link.timing;
    return { packetLatenessUs, strayLosses: strayLosses + this.strayLosses };
  }

  protected override onStart(): void {
    this.#link.start(this.clock.absolute(0));
  }

  protected override isLost(packet: number, sinceNs: Nanos, nowNs: Nanos): boolean {
    if (this.#link.reports!.fates[packet] === FATE.lost) return true;
    if (nowNs - sinceNs < STRAY_AFTER_NS) return false;
    this.strayLosses++;
    return true;
  }

  override carry(packet: number): void {
    const { kind, number } = this.network.contentsOf(packet);
    const { flow, ecn } = this.network.senderOf(packet);
    const isBackward = this.#directions[flow.spec.path!]!;
    const pair = (this.#pairs[flow.index] ??= this.#openPair(flow.index));
    pair.use(flow.spec.path!, ecn);
    this.carried.set(packet, this.network.nowNs);
    this.#link.reports!.fates[packet % REPORTED_ROWS] = FATE.unknown;
    const bytes = this.#packet;
    bytes.writeUInt32LE(packet, 4);
    bytes.writeDoubleLE(number, NUMBER_AT);
    const length = (kind === ACK ? ACK_BYTES : this.#packetBytes) - UDP_HEADER_BYTES;
    pair.send((kind === ACK) === isBackward ? "client" : "server", bytes, length);
  }

  #openPair(slot: number): UdpPair {
    return new UdpPair(this.#libc, this.#link, FIRST_PORT + slot, {
      onReadable: (fd) => this.#readAll(fd),
      onPath: (port, path) => this.#link.usePath(port, path),
    });
  }

  #readAll(fd: number): void {
    const bytes = this.#received;
    for (;;) {
      const length = this.#libc.recv(fd, bytes);
      if (length < 0) return;
      if (length >= HEADER_BYTES && bytes.readUInt32LE(0) === this.#nonce) {
        this.#receive(bytes.readUInt32LE(4), bytes.readDoubleLE(NUMBER_AT));
      }
    }
  }

  #receive(packet: number, number: number): void {
    // a second one of a packet that the link has doubled, or one that was given up
    if (!this.carried.has(packet) || this.network.contentsOf(packet).number !== number) return;
    this.carried.delete(packet);
    const { fates, queuedNs } = this.#link.reports!;
    this.arriving((nowNs) =>
      this.network.deliver(packet, nowNs, {
        isMarked: fates[packet] === FATE.marked,
        queuedNs: queuedNs[packet]!,
      }),
    );
  }

  protected override async giveBack(): Promise<void> {
    this.#link.holdTruth();
    for (const pair of this.#pairs) pair?.close();
    await this.#link.close();
  }
}

export const EMULATED: RealTimeTestbed = {
  name: "emulated",
  clock: "real",
  summary:
    "real packets in real time through the kernel's IP stack, between two network namespaces that the simulator's links join; Linux, root or a user namespace, to 200 Mbit/s",
  records: RECORDED_FORMATS,
  refuses: (scenario) => whyNoLinks() ?? stackRefusal(scenario) ?? rateRefusal(scenario),
  async open(scenario, seed, options) {
    expectAccepts(EMULATED, scenario);
    const real = withoutSendJitter(scenario);
    const plan = new RunPlan(real, seed, options);
    const nonce = randomBytes(4).readUInt32LE();
    const link = await openLink(real, seed, {
      crossTraffic: "outside",
      startsLater: true,
      nonce,
      ...recordLink(options.recorder),
    });
    return new EmulatedRun(plan, mtuOf(real), link, nonce, await loadLibc());
  },
};
