/** A flow under its handle, and who observes it: observers only read, and a report that none of them wants is not made. */
import { CcparkError } from "../core/errors.ts";
import type { Micros } from "../core/units.ts";
import { BANDS, type Band, type BandBodies, type BandReport, type Bodies, checkMask } from "./bands.ts";
import type { FlowHandle } from "./handle.ts";
import { ObservationQueue, type OverflowNotice } from "./observation-queue.ts";

const DEFAULT_CAPACITY = 64;
/** Room that an observer may ask for. */
export const MAX_CAPACITY = 65_536;

export interface ObserverOptions {
  /** of the bands that it wants */
  readonly mask: number;
  /** reports that may wait unread, 1 to 65,536; default 64 */
  readonly capacity?: number;
  /** called when something can be read that could not before */
  readonly onReadable?: () => void;
  /** called when the flow has ended: what is unread can still be read, and nothing more comes */
  readonly onEnd?: () => void;
}

/** Reads reports of one flow; nothing that it does reaches the flow. */
export class FlowObserver<Said extends Bodies = BandBodies> {
  readonly mask: number;
  readonly #queue: ObservationQueue<BandReport<Said>>;
  readonly #onReadable: (() => void) | undefined;
  readonly #onEnd: (() => void) | undefined;
  readonly #leave: (observer: FlowObserver<Said>) => void;

  constructor(
    { mask, capacity = DEFAULT_CAPACITY, onReadable, onEnd }: ObserverOptions,
    leave: (observer: FlowObserver<Said>) => void,
  ) {
    checkMask(mask);
    if (!(Number.isInteger(capacity) && capacity >= 1 && capacity <= MAX_CAPACITY)) {
      throw new CcparkError(
        "invalid-argument",
        `[flows] queue: got ${capacity} reports, expected a whole number, 1 to ${MAX_CAPACITY}`,
        { field: "queue" },
      );
    }
    this.mask = mask;
    this.#queue = new ObservationQueue(capacity);
    this.#onReadable = onReadable;
    this.#onEnd = onEnd;
    this.#leave = leave;
  }

  /** so far */
  get overwritten(): number {
    return this.#queue.overwritten;
  }

  take(report: BandReport<Said>): void {
    const wasEmpty = this.#queue.length === 0;
    this.#queue.push(report);
    if (wasEmpty) this.#onReadable?.();
  }

  read(): BandReport<Said> | undefined {
    return this.#queue.read();
  }

  takeNotices(): readonly OverflowNotice[] {
    return this.#queue.takeNotices();
  }

  /** To be called by the flow. */
  end(): void {
    this.#onEnd?.();
  }

  close(): void {
    this.#leave(this);
  }
}

export class NamedFlow<Said extends Bodies = BandBodies> {
  readonly handle: FlowHandle;
  readonly name: string;
  readonly #observers = new Set<FlowObserver<Said>>();
  readonly #onWanted: (() => void) | undefined;
  #wanted = 0;
  #reports = 0;

  /** @param onWanted `wanted` may have changed: an observer has come or gone */
  constructor(handle: FlowHandle, name: string, onWanted?: () => void) {
    this.handle = handle;
    this.name = name;
    this.#onWanted = onWanted;
  }

  /** of the bands that somebody observes; 0: nobody does */
  get wanted(): number {
    return this.#wanted;
  }

  get observerCount(): number {
    return this.#observers.size;
  }

  /** reports made so far, however many observers read them */
  get reportCount(): number {
    return this.#reports;
  }

  /** Joins at any time. @throws CcparkError (invalid-argument) for a mask without bands or a queue of a wrong size */
  observe(options: ObserverOptions): FlowObserver<Said> {
    const observer = new FlowObserver<Said>(options, (leaving) => {
      this.#observers.delete(leaving);
      this.#wanted = [...this.#observers].reduce((mask, each) => mask | each.mask, 0);
      this.#onWanted?.();
    });
    this.#observers.add(observer);
    this.#wanted |= observer.mask;
    this.#onWanted?.();
    return observer;
  }

  /** The flow is over: its observers are told, and gone. */
  end(): void {
    const observers = [...this.#observers];
    this.#observers.clear();
    this.#wanted = 0;
    this.#onWanted?.();
    for (const observer of observers) observer.end();
  }

  wants(band: Band): boolean {
    return (this.#wanted & BANDS[band].bit) !== 0;
  }

  /** @param make called once if somebody wants the band, otherwise not at all; undefined: there is nothing to tell */
  publish<B extends Band>(band: B, timeUs: Micros, make: () => Said[B] | undefined): void {
    if (!this.wants(band)) return;
    const body = make();
    if (body === undefined) return;
    this.#reports += 1;
    const report = { band, flow: this.handle, number: this.#reports, timeUs, body } as BandReport<Said>;
    for (const observer of this.#observers) {
      if ((observer.mask & BANDS[band].bit) !== 0) observer.take(report);
    }
  }
}
