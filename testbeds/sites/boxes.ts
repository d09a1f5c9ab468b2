/** The boxes of one site: opened by a policy on its gateway, gone with the process however that ends. */
import { randomBytes } from "node:crypto";
import { crossTrafficAlgorithm } from "../../algorithms/cross-traffic.ts";
import { CcparkError } from "../../core/errors.ts";
import { startWorkerThread } from "../../core/start-worker-thread.ts";
import type { Bytes } from "../../core/units.ts";
import { Receivebox } from "../bundles/receivebox.ts";
import { hurry } from "../emulated/hurry.ts";
import { emptyHead, readHead } from "../emulated/ip-packet.ts";
import { openRoutedTun } from "../emulated/tun.ts";
import { whyNoBoxes } from "../host/abilities.ts";
import { ipv4Number, ipv4Text, maskOf, type Prefix } from "../host/addresses.ts";
import { type Libc, loadLibc, type PollHandle, SystemCallError } from "../host/libc.ts";
import { destinationOf, packetHash, sourceOf } from "./header.ts";
import { BoxMessages } from "./messages.ts";
import type { BundlePolicy } from "./policy.ts";
import type { SendboxThreadData } from "./sendbox-thread.ts";
import { makeSharedSendbox, readFacts, type SendboxFacts, type SharedSendbox } from "./shared.ts";
import {
  findDevice,
  openCapture,
  openMessages,
  openRaw,
  type SiteDevice,
  whyReturnsAreDropped,
} from "./site-sockets.ts";

/** Of a packet, with room for options and the ports behind them. */
const HEADER_BYTES = 128;
const UDP = 17;
/** packets of one wake before others have their turn */
const READ_AT_ONCE = 256;

async function expectAble(): Promise<Libc> {
  const why = whyNoBoxes();
  if (why !== undefined) throw new CcparkError("failed-precondition", `[bundle] not here: ${why}`);
  return loadLibc();
}

/** Its two halves, which go before a route to the whole; one address has none. */
function halves({ address, bits }: Prefix): readonly Prefix[] {
  if (bits === 32) return [{ address, bits }];
  const upper = ipv4Number(address) + 2 ** (31 - bits);
  return [address, ipv4Text(upper)].map((each) => ({ address: each, bits: bits + 1 }));
}

function isIn(address: number, { address: first, bits }: Prefix): boolean {
  return (address & maskOf(bits)) >>> 0 === ipv4Number(first);
}

/** A sendbox at work. */
export class SiteSendbox {
  /** what goes to the other site is routed over it */
  readonly tunName: string;
  readonly #libc: Libc;
  readonly #shared: SharedSendbox;
  readonly #descriptors: readonly number[];
  readonly #wake: number;
  readonly #ended: Promise<void>;
  /** settles with the error that ended the thread before its time; else never */
  readonly failed: Promise<never>;

  constructor(parts: {
    readonly libc: Libc;
    readonly tunName: string;
    readonly shared: SharedSendbox;
    readonly descriptors: readonly number[];
    readonly wake: number;
    readonly ended: Promise<void>;
    readonly failed: Promise<never>;
  }) {
    this.#libc = parts.libc;
    this.tunName = parts.tunName;
    this.#shared = parts.shared;
    this.#descriptors = parts.descriptors;
    this.#wake = parts.wake;
    this.#ended = parts.ended;
    this.failed = parts.failed;
  }

  get facts(): SendboxFacts {
    return readFacts(this.#shared.words);
  }

  /** What waits in it is lost; packets take the way that they took before. */
  async close(): Promise<void> {
    Atomics.store(this.#shared.state, 0, 1);
    this.#libc.write(this.#wake, new BigUint64Array([1n]));
    await this.#ended;
    for (const fd of this.#descriptors) this.#libc.close(fd);
  }
}

/**
 * Routes to the other site lead through it from now on.
 * @throws CcparkError in one sentence where this machine, its user, or its network does not allow it
 */
export async function openSendbox(policy: BundlePolicy): Promise<SiteSendbox> {
  checkAlgorithm(policy);
  const libc = await expectAble();
  const device = findDevice(libc, policy);
  const why = whyReturnsAreDropped(device);
  if (why !== undefined) throw new CcparkError("failed-precondition", `[bundle] ${why}`);
  const descriptors: number[] = [];
  const keep = (fd: number): number => {
    descriptors.push(fd);
    return fd;
  };
  const tunName = `ccpark${process.pid}`;
  try {
    const ports = { own: policy.port + 1, peer: policy.port };
    const ends = {
      messages: keep(openMessages(libc, device, ports, policy.peer)),
      raw: keep(openRaw(libc, device)),
      tun: keep(openRoutes(libc, tunName, device, policy)),
      wake: keep(libc.eventfd()),
    };
    const shared = makeSharedSendbox();
    const { mtuBytes } = device;
    const seed = randomBytes(4).readUInt32LE();
    const data: SendboxThreadData = { policy, mtuBytes, ends, shared, seed };
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const thread = startWorkerThread(new URL(`./sendbox-thread.${extension}`, import.meta.url), data);
    const ended = new Promise<void>((resolve) => thread.once("exit", () => resolve()));
    const failed = new Promise<never>((_, reject) => thread.once("error", reject));
    const ready = new Promise<void>((resolve) => thread.once("message", () => resolve()));
    await Promise.race([ready, failed]);
    return new SiteSendbox({ libc, tunName, shared, descriptors, wake: ends.wake, ended, failed });
  } catch (error) {
    for (const fd of descriptors) libc.close(fd);
    throw error;
  }
}

/** A wrong one is told before anything is made. */
function checkAlgorithm({ algorithm }: BundlePolicy): void {
  try {
    crossTrafficAlgorithm(algorithm);
  } catch (cause) {
    if (!(cause instanceof CcparkError)) throw cause;
    const message = `[bundle] algorithm: ${cause.message.replace(/^\[\w+\] /, "")}`;
    throw new CcparkError(cause.kind, message, { cause, field: "algorithm" });
  }
}

function openRoutes(libc: Libc, name: string, { mtuBytes }: SiteDevice, { remote }: BundlePolicy): number {
  try {
    return openRoutedTun(libc, { name, mtuBytes, routes: halves(remote) });
  } catch (cause) {
    if (!(cause instanceof SystemCallError && cause.errnoName === "EEXIST")) throw cause;
    const message = `[bundle] remote: ${remote.address}/${remote.bits} has a route that the bundle's cannot go before, expected one with a metric, or to a shorter prefix`;
    throw new CcparkError("already-exists", message, { cause, field: "remote" });
  }
}

/** A receivebox at work: what it sees goes its way whatever it does. */
export class SiteReceivebox {
  readonly #libc: Libc;
  readonly #policy: BundlePolicy;
  readonly #device: SiteDevice;
  /** the socket towards the sendbox, and what is said over it */
  readonly #socket: number;
  readonly #messages: BoxMessages;
  readonly #capture: number;
  readonly #polls: readonly PollHandle[];
  readonly #box = new Receivebox();
  readonly #boxId: number = randomBytes(4).readUInt32LE();
  readonly #head = emptyHead();
  readonly #packet = new Uint8Array(HEADER_BYTES);
  #receivedPackets = 0;
  #congestionAcks = 0;
  #epochPackets = 0;
  #isKnown = false;

  constructor(libc: Libc, policy: BundlePolicy, device: SiteDevice) {
    this.#libc = libc;
    this.#policy = policy;
    this.#device = device;
    const ports = { own: policy.port, peer: policy.port + 1 };
    this.#socket = openMessages(libc, device, ports, policy.peer);
    this.#messages = new BoxMessages(libc, this.#socket);
    this.#capture = openCapture(libc, device);
    this.#polls = [
      libc.onReadable(this.#capture, () => this.#readPackets()),
      libc.onReadable(this.#socket, () => this.#readMessages()),
    ];
  }

  get facts(): {
    readonly receivedPackets: number;
    readonly receivedBytes: Bytes;
    readonly congestionAcks: number;
    /** 0: the sendbox has not said */
    readonly epochPackets: number;
  } {
    return {
      receivedPackets: this.#receivedPackets,
      receivedBytes: this.#box.receivedBytes,
      congestionAcks: this.#congestionAcks,
      epochPackets: this.#epochPackets,
    };
  }

  #readPackets(): void {
    for (let i = 0; i < READ_AT_ONCE; i++) {
      const length = this.#libc.recv(this.#capture, this.#packet);
      if (length < 0) return;
      this.#see(length);
    }
  }

  #see(length: number): void {
    const packet = this.#packet;
    const head = this.#head;
    readHead(packet, length, head);
    if (!head.isIpv4 || !this.#isBundles()) return;
    this.#receivedPackets++;
    // as its header says: only the beginning has been read
    const bytes = (packet[2]! << 8) | packet[3]!;
    const ack = this.#box.onPacket(packetHash(packet, head), bytes);
    // nobody is there who would know the hash
    if (ack === undefined || !this.#isKnown) return;
    this.#congestionAcks++;
    this.#messages.send({ kind: "ack", ack: { ...ack, boxId: this.#boxId } });
  }

  /** From site to site, and no message of the boxes, which do not go through the sendbox. */
  #isBundles(): boolean {
    const { local, remote, port } = this.#policy;
    const destination = destinationOf(this.#packet);
    if (!isIn(sourceOf(this.#packet), remote) || !isIn(destination, local)) return false;
    const { protocol, destinationPort } = this.#head;
    const isToBoxes = destinationPort === port || destinationPort === port + 1;
    return !(protocol === UDP && isToBoxes && destination === ipv4Number(this.#device.address));
  }

  #readMessages(): void {
    for (const message of this.#messages.read(READ_AT_ONCE)) {
      if (message.kind !== "epoch") continue;
      this.#isKnown = true;
      this.#epochPackets = message.packets;
      this.#box.onEpochSize(message.packets);
    }
  }

  close(): void {
    for (const poll of this.#polls) poll.close();
    this.#libc.close(this.#capture);
    this.#libc.close(this.#socket);
  }
}

/** @throws as `openSendbox` */
export async function openReceivebox(policy: BundlePolicy): Promise<SiteReceivebox> {
  const libc = await expectAble();
  const device = findDevice(libc, policy);
  // a box that answers late makes the path look longer than it is
  hurry(libc);
  return new SiteReceivebox(libc, policy, device);
}
