/** Congestion controls that change hands while a flow lives. */
import type {
  AckEvent,
  CongestionControl,
  CongestionControlFactory,
  CongestionEvent,
  FlowStart,
  PacketEvent,
  SentEvent,
  SpuriousCongestionEvent,
} from "../../ccp-bridge/congestion-control.ts";
import type { Bytes, BytesPerSec, Micros } from "../../core/units.ts";
import { FIRST_FLOW } from "../../scenarios/scenario.ts";

/** Another controller's constants are read when the flow starts: they stay those of the first. */
abstract class Delegating implements CongestionControl {
  abstract readonly inCharge: CongestionControl;
  readonly name: string;
  readonly ignoresMarks: boolean;
  readonly isDecidedOutside: boolean;
  readonly isScalable: boolean;
  /** the next in charge may ask for packets */
  readonly readsPackets = true;

  constructor(first: CongestionControl) {
    this.name = first.name;
    this.ignoresMarks = first.ignoresMarks === true;
    this.isDecidedOutside = first.isDecidedOutside === true;
    this.isScalable = first.isScalable === true;
  }

  get cwndBytes(): Bytes {
    return this.inCharge.cwndBytes;
  }

  get pacingRateBytesPerSec(): BytesPerSec | undefined {
    return this.inCharge.pacingRateBytesPerSec;
  }

  onSent(sent: SentEvent): void {
    this.inCharge.onSent?.(sent);
  }

  onPacketAcked(packet: PacketEvent): void {
    this.inCharge.onPacketAcked?.(packet);
  }

  onPacketLost(packet: PacketEvent): void {
    this.inCharge.onPacketLost?.(packet);
  }

  onAck(ack: AckEvent): void {
    this.inCharge.onAck(ack);
  }

  onCongestion(event: CongestionEvent): void {
    this.inCharge.onCongestion(event);
  }

  onSpuriousCongestion(event: SpuriousCongestionEvent): void {
    this.inCharge.onSpuriousCongestion?.(event);
  }

  onClose(): void {
    this.inCharge.onClose?.();
  }
}

/** Worlds give flows their ids. */
function isFirst({ hosting }: FlowStart): boolean {
  return hosting?.name === FIRST_FLOW;
}

/** Hands a flow from its controller to another, which begins with the window that it finds. */
export class HandOver {
  readonly #first: CongestionControlFactory;
  readonly #second: CongestionControlFactory;
  #flow: HandedControl | undefined;

  constructor(first: CongestionControlFactory, second: CongestionControlFactory) {
    this.#first = first;
    this.#second = second;
  }

  /** Of the flows under test: the first one changes hands. */
  readonly factory: CongestionControlFactory = (start) => {
    if (!isFirst(start)) return this.#first(start);
    this.#flow = new HandedControl(this.#first(start), start);
    return this.#flow;
  };

  /** From now on the second decides, at the sender's next event. */
  fork(nowUs: Micros): void {
    this.#flow?.fork(this.#second, nowUs);
  }
}

class HandedControl extends Delegating {
  inCharge: CongestionControl;
  readonly #start: FlowStart;

  constructor(first: CongestionControl, start: FlowStart) {
    super(first);
    this.inCharge = first;
    this.#start = start;
  }

  fork(next: CongestionControlFactory, nowUs: Micros): void {
    const { cwndBytes } = this.inCharge;
    this.inCharge.onClose?.();
    const { hosting, ...start } = this.#start;
    this.inCharge = next({
      ...start,
      nowUs,
      initialCwndBytes: cwndBytes,
      hosting: { ...hosting, ...(hosting?.rng && { rng: hosting.rng.fork("fork") }) },
    });
  }
}

/** A controller whose decisions are scaled for a while, as if it had decided otherwise; what it believes is its own. */
export class Perturbed {
  readonly #inner: CongestionControlFactory;
  #factor = 1;

  constructor(inner: CongestionControlFactory) {
    this.#inner = inner;
  }

  /** Of the flows under test: the first one's decisions are scaled. */
  readonly factory: CongestionControlFactory = (start) => {
    const inner = this.#inner(start);
    if (!isFirst(start)) return inner;
    const factor = (): number => this.#factor;
    return new ScaledControl(inner, start.mssBytes, factor);
  };

  /** Window and pacing rate times `factor` until the next call. */
  scale(factor: number): void {
    this.#factor = factor;
  }
}

class ScaledControl extends Delegating {
  readonly inCharge: CongestionControl;
  readonly #mssBytes: Bytes;
  readonly #factor: () => number;

  constructor(inner: CongestionControl, mssBytes: Bytes, factor: () => number) {
    super(inner);
    this.inCharge = inner;
    this.#mssBytes = mssBytes;
    this.#factor = factor;
  }

  override get cwndBytes(): Bytes {
    const factor = this.#factor();
    return factor === 1
      ? this.inCharge.cwndBytes
      : Math.max(this.#mssBytes, this.inCharge.cwndBytes * factor);
  }

  override get pacingRateBytesPerSec(): BytesPerSec | undefined {
    const rate = this.inCharge.pacingRateBytesPerSec;
    return rate === undefined ? undefined : rate * this.#factor();
  }
}
