/**
 * A reliable stream of bytes over a stack, as a Duplex of Node: back-pressure, `end`, `destroy` and errors as of its sockets.
 * Bytes are cut into messages when the network can take them, so that few and large or many and small writes cost the same;
 * at low rates packets are small (DTL: 300 to 1,500 bytes by rate), which keeps a slow link's queue short.
 *
 *   message: 0 │ bytes     1: the stream has ended     2: I am still here (keeps the mapping of a NAT)
 */
import { Duplex } from "node:stream";
import type { CcparkError } from "../../core/errors.ts";
import { type Bytes, type Mbps, MICROS_PER_SEC, type Micros } from "../../core/units.ts";
import type { Message, Surroundings } from "../chunnel.ts";
import { checkParamsOf } from "../chunnels/control/algorithm.ts";
import type { Cc } from "../chunnels/control/cc.ts";
import { nobodyListens } from "../failures.ts";
import { LiveStack } from "../live/live-stack.ts";
import { type Agreed, ClientNegotiation, type Tickets } from "../negotiate/handshake.ts";
import type { App, DatagramPort } from "../stack/open.ts";
import type { ChunnelSpec } from "../stack/spec.ts";
import { roomyBytes } from "../wire.ts";
import { refuseUnknown, UPGRADE_OPTIONS } from "./known-options.ts";
import { algorithmOf, type StreamOptions, type StreamUpgrade, streamSlots } from "./stream-slots.ts";
import { monotonicUs } from "./surroundings.ts";
import { openUnixWay } from "./unix-way.ts";

const DATA = 0;
const END = 1;
const ALIVE = 2;
/** Headers of the standard stack (live, order, flow, sack, frame or seal, UDP and IP) that a packet's size counts. */
const HEADER_BYTES = 72;
const MIN_PACKET_BYTES = 300;
const MAX_PACKET_BYTES = 1_472;
/** A packet takes at most so long on the link's present rate: 1,500 bytes from 600 kbit/s on. */
const PACKET_TIME_US: Micros = 20_000;
/** So long a closed end goes on to acknowledge, so that the peer learns that all has come. */
const LINGER_MS = 1_000;
/** RFC 9000 section 8: of what it received an end sends at most so much before the peer's address is known to be its own. */
const MAX_AMPLIFICATION = 3;
/** Bytes that the stream holds before `write` returns false. */
const HIGH_WATER_BYTES = 1 << 18;

export interface ConnectionParts {
  readonly surroundings: Surroundings;
  readonly port: DatagramPort;
  readonly options: StreamOptions;
  /** a client's: what it has agreed on with servers before; or a server's: what it has agreed on with this client */
  readonly agreement: Tickets | Agreed;
  readonly peer: string;
  readonly keepAliveMs: number;
  readonly giveUpMs: number;
  /** the first message has come */
  onOpen?(): void;
  onClosed(): void;
}

export class Connection extends Duplex implements App {
  readonly consumesAtOnce = false;
  readonly remoteAddress: string;
  readonly #parts: ConnectionParts;
  readonly #stack: LiveStack;
  #options: StreamOptions & StreamUpgrade;
  readonly #negotiation: ClientNegotiation | undefined;
  readonly #chunks: Uint8Array[] = [];
  #chunkAt = 0;
  #written: ((error?: Error | null) => void) | undefined;
  #ending: ((error?: Error | null) => void) | undefined;
  #endSent = false;
  #unread = 0;
  #sentBytes = 0;
  /** goodput of the latest second, for the size of packets */
  #rateBytesPerSec = 0;
  #rateAtUs: Micros = monotonicUs();
  #ackedBytes = 0;
  #lastUs: Micros = monotonicUs();
  #aliveDue = false;
  readonly #alive: NodeJS.Timeout;
  #window: Cc["window"] | undefined;
  /** set before there was a stack */
  #firstPriority: number | undefined;
  #underway = 0;
  #isOpen = false;
  #hasEnded = false;
  #isHeard = false;
  #isValidated: boolean;
  #arrivedBytes = 0;
  #answeredBytes = 0;

  constructor(parts: ConnectionParts) {
    super({
      allowHalfOpen: true,
      writableHighWaterMark: HIGH_WATER_BYTES,
      readableHighWaterMark: HIGH_WATER_BYTES,
    });
    this.#parts = parts;
    this.remoteAddress = parts.peer;
    const { surroundings, options, agreement, peer } = parts;
    const slots = streamSlots(options);
    this.#options = options;
    const side = "session" in agreement ? "server" : "client";
    this.#isValidated = side === "client";
    const port: DatagramPort = {
      ...parts.port,
      send: (datagram, to) => {
        this.#answeredBytes += datagram.length;
        const isTooMuch = !this.#isValidated && this.#answeredBytes > MAX_AMPLIFICATION * this.#arrivedBytes;
        if (isTooMuch) this.#answeredBytes -= datagram.length;
        else parts.port.send(this.#negotiation?.wrap(datagram) ?? datagram, to);
      },
    };
    this.#stack = new LiveStack({
      side,
      surroundings,
      app: this,
      slots,
      way: { port, peer },
      openWay: openUnixWay,
      adapt: (stack) => stack.map((spec) => (spec.name === "cc" ? this.#noticing(spec) : spec)),
      confirmed: () => this.#negotiation?.confirm(),
    });
    if ("session" in agreement) this.#stack.open(agreement);
    else {
      this.#negotiation = new ClientNegotiation({
        slots,
        surroundings,
        tickets: agreement,
        server: peer,
        giveUpUs: parts.giveUpMs * 1_000,
        send: (datagram) => parts.port.send(datagram, peer),
        opened: (agreed) => {
          this.#stack.open(agreed);
          const priority = this.#firstPriority;
          if (priority !== undefined) this.setPriority(priority);
          process.nextTick(() => this.emit("connect"));
        },
        failed: (error) => this.fail(error),
      });
      // who connects can listen for what comes of it
      process.nextTick(() => {
        if (!this.destroyed) this.#negotiation!.begin();
      });
    }
    this.#alive = setInterval(() => this.#keepAlive(), parts.keepAliveMs);
    this.#alive.unref();
  }

  #noticing(spec: ChunnelSpec): ChunnelSpec {
    const make: ChunnelSpec["make"] = (surroundings, place) => {
      const chunnel = spec.make(surroundings, place) as Cc;
      this.#window = chunnel.window;
      return chunnel;
    };
    return { ...spec, make };
  }

  /** Of DTL, from 0 (yields to everybody) on; what is under way stays as it is. @throws CcparkError (invalid-argument) */
  setPriority(priority: number): void {
    if (this.#window !== undefined) this.#window.setParams({ priority });
    else {
      checkParamsOf(algorithmOf(this.#options), { priority });
      this.#firstPriority = priority;
    }
  }

  /** The choice of an earlier connection to this server was taken up without a round trip. */
  get isResumed(): boolean {
    return this.#negotiation?.isResumed ?? false;
  }

  /** Stacks that it has exchanged. */
  get epoch(): number {
    return this.#stack.epoch;
  }

  /**
   * Exchanges the stack of the live connection: nothing is lost, and nothing comes twice.
   * @throws CcparkError (failed-precondition) if the peer does not consent, (invalid-argument, not-found) if the options are
   * wrong: the connection goes on as it was
   */
  async upgrade(changes: StreamUpgrade): Promise<void> {
    refuseUnknown("upgrade", changes, UPGRADE_OPTIONS);
    const isByPriority = changes.priority !== undefined && changes.algorithm === undefined;
    const { algorithm, ...others } = this.#options;
    const options = { ...(isByPriority ? others : this.#options), ...changes };
    const slots = streamSlots(options);
    await new Promise<void>((resolve, reject) => {
      this.#stack.upgrade(slots, (error) => (error === undefined ? resolve() : reject(error)));
    });
    this.#options = options;
  }

  /** What the congestion control allows now. */
  get cwndBytes(): Bytes {
    return this.#window?.control.cwndBytes ?? Number.POSITIVE_INFINITY;
  }

  get bytesSent(): Bytes {
    return this.#sentBytes;
  }

  arrive(datagram: Uint8Array, from: string): void {
    this.#isHeard = true;
    this.#arrivedBytes += datagram.length;
    if (this.#negotiation?.arrive(datagram) !== true) this.#stack.arrive(datagram, from);
  }

  drained(): void {
    this.#stack.drained();
  }

  /** Packets' size by rate: a small one where it would block the link for long. */
  get packetBytes(): Bytes {
    const byRate = (this.#rateBytesPerSec * PACKET_TIME_US) / MICROS_PER_SEC;
    return Math.max(MIN_PACKET_BYTES, Math.min(MAX_PACKET_BYTES, Math.round(byRate)));
  }

  pull(most: number): readonly Message[] {
    const messages: Message[] = [];
    if (this.#aliveDue) {
      this.#aliveDue = false;
      messages.push({ data: Uint8Array.of(ALIVE) });
    }
    // a window's worth in large packets: small ones are for slow links alone
    const most1 = this.packetBytes - HEADER_BYTES;
    while (messages.length < most && this.#chunks.length > 0) messages.push({ data: this.#cut(most1) });
    if (this.#chunks.length === 0) {
      const written = this.#written;
      this.#written = undefined;
      if (written !== undefined) process.nextTick(written);
      if (this.#ending !== undefined && !this.#endSent && messages.length < most) {
        this.#endSent = true;
        messages.push({ data: Uint8Array.of(END) });
      }
    }
    if (messages.length > 0) this.#lastUs = monotonicUs();
    this.#underway += messages.length;
    return messages;
  }

  #cut(most: Bytes): Uint8Array {
    const data = roomyBytes(1 + Math.min(most, this.#waitingBytes(most)));
    data[0] = DATA;
    let at = 1;
    while (at < data.length) {
      const chunk = this.#chunks[0]!;
      const part = chunk.subarray(this.#chunkAt, this.#chunkAt + data.length - at);
      data.set(part, at);
      at += part.length;
      this.#chunkAt += part.length;
      if (this.#chunkAt < chunk.length) continue;
      this.#chunks.shift();
      this.#chunkAt = 0;
    }
    this.#sentBytes += data.length - 1;
    return data;
  }

  #waitingBytes(upTo: Bytes): Bytes {
    let bytes = -this.#chunkAt;
    for (const chunk of this.#chunks) {
      bytes += chunk.length;
      if (bytes >= upTo) break;
    }
    return bytes;
  }

  receive(messages: readonly Message[]): void {
    this.#lastUs = monotonicUs();
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#parts.onOpen?.();
    }
    for (const { data } of messages) {
      const bytes = data as Uint8Array;
      if (this.destroyed) {
        this.#stack.consumed(1);
        continue;
      }
      if (bytes[0] === DATA && bytes.length > 1) {
        if (this.push(bytes.subarray(1))) this.#stack.consumed(1);
        else this.#unread++;
        continue;
      }
      this.#stack.consumed(1);
      if (bytes[0] !== END) continue;
      this.#hasEnded = true;
      this.push(null);
    }
  }

  feedback({ acked }: { readonly acked: readonly Message[] }): void {
    this.#underway -= acked.length;
    this.#isValidated ||= acked.length > 0;
    for (const { data } of acked) this.#ackedBytes += (data as Uint8Array).length;
    const nowUs = monotonicUs();
    const spanUs = nowUs - this.#rateAtUs;
    if (spanUs > 100_000) {
      this.#rateBytesPerSec = (this.#ackedBytes * MICROS_PER_SEC) / spanUs;
      this.#rateAtUs = nowUs;
      this.#ackedBytes = 0;
    }
    if (!this.#endSent || this.#underway > 0) return;
    const ending = this.#ending;
    this.#ending = undefined;
    ending?.();
  }

  /** The peer's system says that nobody has the port; once the peer has been heard of, whoever could forge that would end it. */
  refused(): void {
    if (!this.#isHeard) this.fail(nobodyListens(this.remoteAddress));
  }

  fail(error: CcparkError): void {
    if (!this.destroyed) this.destroy(error);
  }

  override _read(): void {
    const unread = this.#unread;
    this.#unread = 0;
    if (unread > 0) this.#stack.consumed(unread);
  }

  override _writev(chunks: readonly { chunk: Uint8Array }[], callback: (error?: Error | null) => void): void {
    for (const { chunk } of chunks) if (chunk.length > 0) this.#chunks.push(chunk);
    this.#written = callback;
    this.#stack.offer();
    if (this.#chunks.length > 0 || this.#written === undefined) return;
    this.#written = undefined;
    callback();
  }

  /** Done when the peer has all. */
  override _final(callback: (error?: Error | null) => void): void {
    this.#ending = callback;
    this.#stack.offer();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearInterval(this.#alive);
    const close = (): void => {
      this.#negotiation?.close();
      this.#stack.close();
      this.#parts.onClosed();
    };
    if (error === null && this.#hasEnded) setTimeout(close, LINGER_MS);
    else close();
    callback(error);
  }

  #keepAlive(): void {
    if (monotonicUs() - this.#lastUs < this.#parts.keepAliveMs * 1_000 || this.#endSent) return;
    this.#aliveDue = true;
    this.#stack.offer();
  }

  /** Mbit/s that the peer has acknowledged lately. */
  get rateMbps(): Mbps {
    return (this.#rateBytesPerSec * 8) / 1e6;
  }

  /** The same as a pair of Web Streams. */
  toWeb(): ReturnType<typeof Duplex.toWeb> {
    return Duplex.toWeb(this);
  }
}
