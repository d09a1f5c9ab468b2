/**
 * The sendbox of a site: what the gateway routes to the other site comes out of a device, waits in the simulator's own queue at
 * the rate that the bundle's control sets, and leaves as it is over the interface towards that site.
 *
 *   hosts ─▶ routes ──TUN──▶ queue, at the control's rate ──raw socket──▶ interface ─▶ network ─▶ other site
 *                                      ▲ sendbox ◀── UDP ── congestion ACKs ──────────────────────┘
 */
import type { CongestionControlFactory } from "../../ccp-bridge/congestion-control.ts";
import type { Rng } from "../../core/random.ts";
import {
  ACK_BYTES,
  type Bytes,
  fromMbps,
  NANOS_PER_MICRO,
  NANOS_PER_MILLI,
  NANOS_PER_SEC,
  type Nanos,
} from "../../core/units.ts";
import { GeneralNetwork, type Outlet } from "../../sim/general/general-network.ts";
import type { Hop } from "../../sim/general/hop.ts";
import type { LinkSpec } from "../../sim/network.ts";
import { type BundleEstimate, Sendbox } from "../bundles/sendbox.ts";
import { FlowNumbers, MAX_FLOWS } from "../emulated/flow-numbers.ts";
import { emptyHead, flowHash, markPacket, readHead } from "../emulated/ip-packet.ts";
import { AF_INET, POLLIN, PR_SET_TIMERSLACK } from "../host/constants.ts";
import { type Libc, SystemCallError } from "../host/libc.ts";
import { giveIdentification, lacksIdentification, packetHash } from "./header.ts";
import { BoxMessages } from "./messages.ts";
import type { BundlePolicy } from "./policy.ts";
import { type SharedSendbox, writeFacts } from "./shared.ts";

const DEFAULT_PRIORITY = 1;
/** packets of one wake before messages have their turn */
const READ_AT_ONCE = 64;
const MAX_SLEEP_NS = 50 * NANOS_PER_MILLI;
/** Facts are told that often. */
const TELL_EVERY_NS = 10 * NANOS_PER_MILLI;
/** The receivebox is told its epochs' size again: it may have come later, or not have heard. */
const REMIND_EVERY_NS = NANOS_PER_SEC;
const MAX_IDENTIFICATION = 0xffff;
const DESTINATION_AT = 16;

export interface SendboxEnds {
  /** what is routed to the other site */
  readonly tun: number;
  readonly raw: number;
  readonly messages: number;
  /** readable: the state was changed */
  readonly wake: number;
}

/** A packet while it waits. */
interface Frame {
  readonly bytes: Uint8Array;
  length: number;
  hash: number;
}

export class SendboxLoop implements Outlet {
  readonly #libc: Libc;
  readonly #ends: SendboxEnds;
  readonly #shared: SharedSendbox;
  readonly #policy: BundlePolicy;
  readonly #mtuBytes: Bytes;
  readonly #network: GeneralNetwork;
  readonly #sendbox: Sendbox;
  readonly #priorities: readonly number[];
  readonly #frames: Frame[] = [];
  readonly #freeFrames: number[] = [];
  readonly #flows = new FlowNumbers();
  readonly #head = emptyHead();
  /** where the packet at hand goes: `sockaddr_in` */
  readonly #destination = new Uint8Array(16);
  readonly #messages: BoxMessages;
  readonly #zeroNs: bigint = process.hrtime.bigint();
  #identification = 0;
  #sentPackets = 0;
  #strayLosses = 0;
  #estimate: BundleEstimate | undefined;

  constructor(options: {
    readonly libc: Libc;
    readonly ends: SendboxEnds;
    readonly shared: SharedSendbox;
    readonly policy: BundlePolicy;
    readonly mtuBytes: Bytes;
    readonly control: CongestionControlFactory;
    readonly rng: Rng;
  }) {
    const { libc, ends, shared, policy, mtuBytes, control, rng } = options;
    this.#libc = libc;
    this.#ends = ends;
    this.#messages = new BoxMessages(libc, ends.messages);
    this.#shared = shared;
    this.#policy = policy;
    this.#mtuBytes = mtuBytes;
    new Uint16Array(this.#destination.buffer)[0] = AF_INET;
    this.#sendbox = new Sendbox({
      control,
      packetBytes: mtuBytes,
      maxRateBytesPerSec: policy.maxMbps === undefined ? Number.POSITIVE_INFINITY : fromMbps(policy.maxMbps),
      epochsPerRtt: policy.epochsPerRtt,
      queuedBytes: () => this.#queue.queuedBytes,
      hosting: {
        name: policy.device,
        rng: rng.fork("algorithm"),
        schedule: (atUs, run) => {
          const atNs = Math.max(Math.round(atUs * NANOS_PER_MICRO), this.#network.nowNs);
          this.#network.schedule(atNs + 1, () => run(atNs / NANOS_PER_MICRO));
        },
      },
    });
    this.#priorities = [...new Set([DEFAULT_PRIORITY, ...policy.priorities.map((rule) => rule.priority)])];
    this.#network = new GeneralNetwork(
      {
        forward: this.#queueSpec(),
        reverse: { ...this.#queueSpec(), rate: { kind: "unlimited" }, discipline: { kind: "drop-tail" } },
        flows: [],
        outside: {
          paths: this.#priorities.map((priority) => ({ propagationNs: 0, priority })),
          flows: MAX_FLOWS,
        },
      },
      rng,
      { outlet: this },
    );
  }

  #queueSpec(): LinkSpec {
    const {
      packets = Number.POSITIVE_INFINITY,
      bytes = Number.POSITIVE_INFINITY,
      discipline,
    } = this.#policy.queue;
    return {
      rate: { kind: "controlled", rateBytesPerSec: () => this.#sendbox.rateBytesPerSec },
      queue: { packets, bytes },
      discipline,
      lossRate: 0,
      mtuBytes: this.#mtuBytes,
      dataBytes: this.#mtuBytes,
      ackBytes: ACK_BYTES,
    };
  }

  get #queue(): Hop {
    return this.#network.hops[0]!;
  }

  /** Until the other thread wants it to end. */
  run(): void {
    const { tun, messages, wake } = this.#ends;
    const libc = this.#libc;
    libc.prctl(PR_SET_TIMERSLACK, 1);
    this.#tellAgain(0);
    this.#remindAgain(0);
    const polled = new Int32Array([tun, POLLIN, messages, POLLIN, wake, POLLIN]);
    const count = new Uint8Array(8);
    while (Atomics.load(this.#shared.state, 0) === 0) {
      const ready = libc.ppoll(polled, this.#sleepNs());
      this.#advance();
      if (ready === 0) continue;
      // first what tells of the path, for the packets that are behind it
      if (polled[3]! >> 16 !== 0) this.#readMessages();
      if (polled[1]! >> 16 !== 0) this.#readPackets();
      if (polled[5]! >> 16 !== 0) libc.read(wake, count);
      polled[1] = polled[3] = polled[5] = POLLIN;
    }
    this.#tell();
    this.#sendbox.close();
  }

  #clockNs(): Nanos {
    return Number(process.hrtime.bigint() - this.#zeroNs);
  }

  #sleepNs(): Nanos {
    const untilNs = this.#network.nextNs - this.#clockNs();
    return Math.min(Math.max(0, untilNs), MAX_SLEEP_NS);
  }

  /** All that is due happens. @returns now */
  #advance(): Nanos {
    const nowNs = Math.max(this.#network.nowNs, this.#clockNs());
    this.#network.runUntil(nowNs);
    return nowNs;
  }

  #tellAgain(atNs: Nanos): void {
    this.#network.schedule(atNs, () => {
      this.#tell();
      this.#tellAgain(Math.max(atNs, this.#clockNs()) + TELL_EVERY_NS);
    });
  }

  #tell(): void {
    const { queuedPackets, queuedBytes, droppedPackets } = this.#queue;
    const { rttUs = 0, sendRateBytesPerSec = 0, receiveRateBytesPerSec = 0 } = this.#estimate ?? {};
    const { rateBytesPerSec, sentBytes, epochPackets, minRttUs, acks: congestionAcks } = this.#sendbox;
    writeFacts(this.#shared.words, {
      queuedPackets,
      queuedBytes,
      droppedPackets,
      rateBytesPerSec,
      rttUs,
      minRttUs,
      sendRateBytesPerSec,
      receiveRateBytesPerSec,
      epochPackets,
      sentPackets: this.#sentPackets,
      sentBytes,
      strayLosses: this.#strayLosses,
      congestionAcks,
    });
  }

  #remindAgain(atNs: Nanos): void {
    this.#network.schedule(atNs, () => {
      this.#sendEpochSize();
      this.#remindAgain(Math.max(atNs, this.#clockNs()) + REMIND_EVERY_NS);
    });
  }

  #sendEpochSize(): void {
    this.#messages.send({ kind: "epoch", packets: this.#sendbox.epochPackets });
  }

  #readMessages(): void {
    for (const message of this.#messages.read(READ_AT_ONCE)) {
      if (message.kind !== "ack") continue;
      const told = this.#sendbox.onAck(message.ack, this.#advance() / NANOS_PER_MICRO);
      if (told === undefined) continue;
      this.#estimate = told.estimate;
      if (told.epochPackets !== undefined) this.#sendEpochSize();
    }
  }

  #readPackets(): void {
    for (let i = 0; i < READ_AT_ONCE; i++) {
      const number = this.#freeFrames.pop() ?? this.#addFrame();
      const frame = this.#frames[number]!;
      const length = this.#libc.read(this.#ends.tun, frame.bytes);
      if (length <= 0) {
        this.#freeFrames.push(number);
        return;
      }
      frame.length = length;
      this.#enter(number, frame);
    }
  }

  #addFrame(): number {
    return this.#frames.push({ bytes: new Uint8Array(this.#mtuBytes), length: 0, hash: 0 }) - 1;
  }

  #enter(number: number, frame: Frame): void {
    const { bytes, length } = frame;
    const head = this.#head;
    readHead(bytes, length, head);
    if (!head.isIpv4) {
      this.#freeFrames.push(number);
      return;
    }
    if (lacksIdentification(bytes)) {
      this.#identification = (this.#identification % MAX_IDENTIFICATION) + 1;
      giveIdentification(bytes, this.#identification);
    }
    frame.hash = packetHash(bytes, head);
    const flow = this.#flows.numberOf(flowHash(bytes, head));
    const packet = { number, bytes: length, flow, ecn: head.ecn, isAck: head.isAck };
    this.#network.enterOutside(2 * this.#classOf(bytes), packet, this.#advance());
  }

  /** Its place among the priorities. */
  #classOf(bytes: Uint8Array): number {
    const { sourcePort, destinationPort } = this.#head;
    const itsDscp = bytes[1]! >> 2;
    const rule = this.#policy.priorities.find(
      ({ port, dscp }) =>
        (port === undefined || port === sourcePort || port === destinationPort) &&
        (dscp === undefined || dscp === itsDscp),
    );
    return this.#priorities.indexOf(rule?.priority ?? DEFAULT_PRIORITY);
  }

  leave(_way: number, number: number, { isMarked }: { readonly isMarked: boolean }): void {
    const { bytes, length, hash } = this.#frames[number]!;
    if (isMarked) markPacket(bytes);
    this.#destination.set(bytes.subarray(DESTINATION_AT, DESTINATION_AT + 4), 4);
    let sent = -1;
    try {
      sent = this.#libc.sendto(this.#ends.raw, bytes, length, this.#destination);
    } catch (error) {
      // no way there, no room: as a router that drops it
      if (!(error instanceof SystemCallError)) throw error;
    }
    if (sent < 0) this.#strayLosses++;
    else {
      this.#sentPackets++;
      this.#sendbox.onSent(hash, length, Math.max(this.#network.nowNs, this.#clockNs()) / NANOS_PER_MICRO);
    }
    this.#freeFrames.push(number);
  }

  drop(number: number): void {
    this.#freeFrames.push(number);
  }

  copy(): number {
    throw new Error("nothing doubles packets in a sendbox");
  }
}
