/**
 * Proportional integral controller enhanced, RFC 8033 section 4 and appendix A, with ECN (5.1) and the cap on one step (5.5).
 * The delay is the last departed packet's by its timestamp (4.3), so no departure rate is estimated. Updates are
 * due at whole multiples of the period and are caught up with on arrival and departure: between them nothing changes that an
 * update reads. Left out: activation by queue size (5.3 with its threshold) and de-randomisation (5.4).
 */
import type { Rng } from "../../../core/random.ts";
import type { Nanos } from "../../../core/units.ts";
import { NANOS_PER_MILLI, NANOS_PER_SEC } from "../../../core/units.ts";
import type { DisciplineOptions } from "../../../scenarios/disciplines/registry.ts";
import { DropTail } from "./drop-tail.ts";
import type { QueueParts } from "./queue-parts.ts";

/** RFC 8033 section 4.2 and 4.4: target 15 ms, an update every 15 ms, bursts of 150 ms pass. */
const TARGET_MS = 15;
const UPDATE_MS = 15;
const BURST_MS = 150;
/** RFC 8033 section 4.2: alpha 1/8 Hz and beta 1 1/4 Hz, before scaling. */
const ALPHA_PER_SEC = 0.125;
const BETA_PER_SEC = 1.25;
/** RFC 8033 section 4.2: below each probability the step is divided so that its relative size stays alike. */
const STEP_DIVISORS: readonly { readonly below: number; readonly divisor: number }[] = [
  { below: 0.000001, divisor: 2048 },
  { below: 0.00001, divisor: 512 },
  { below: 0.0001, divisor: 128 },
  { below: 0.001, divisor: 32 },
  { below: 0.01, divisor: 8 },
  { below: 0.1, divisor: 2 },
];
/** RFC 8033 section 4.2: without queue the probability fades by 2 % per update. */
const IDLE_DECAY = 0.98;
/** RFC 8033 section 4.1: no early drop below this probability while the delay is below half the target. */
const SAFE_PROBABILITY = 0.2;
/** RFC 8033 section 4.1: no early drop unless more than two packets of mean size wait. */
const SAFE_PACKETS = 2;
/** RFC 8033 section 5.5: at 10 % and above, a step adds at most 2 %. */
const CAPPED_FROM_PROBABILITY = 0.1;
const STEP_CAP = 0.02;
/** RFC 8033 section 5.1: above 10 % packets are dropped even if they could be marked. */
const MARK_UP_TO_PROBABILITY = 0.1;

export class Pie extends DropTail {
  readonly #targetNs: Nanos;
  readonly #updateNs: Nanos;
  readonly #burstNs: Nanos;
  readonly #ecn: boolean;
  readonly #rng: Rng;
  #probability = 0;
  /** of the packet that departed last; 0 once the queue is empty */
  #delayNs: Nanos = 0;
  #delayAtUpdateNs: Nanos = 0;
  #burstLeftNs: Nanos;
  /** updates done; the next is due at (this + 1) periods */
  #updates = 0;

  constructor(parts: QueueParts, options: DisciplineOptions<"pie">, rng: Rng) {
    super(parts);
    this.#targetNs = (options.targetMs ?? TARGET_MS) * NANOS_PER_MILLI;
    this.#updateNs = (options.updateMs ?? UPDATE_MS) * NANOS_PER_MILLI;
    this.#burstNs = (options.burstMs ?? BURST_MS) * NANOS_PER_MILLI;
    this.#burstLeftNs = this.#burstNs;
    this.#ecn = options.ecn ?? false;
    this.#rng = rng;
  }

  /** As of the last arrival or departure. */
  get dropProbability(): number {
    return this.#probability;
  }

  override enqueue(nowNs: Nanos, packet: number): void {
    this.#catchUp(nowNs);
    if (this.#probability === 0 && this.#isCalm() && this.#delayNs < this.#targetNs / 2) {
      this.#burstLeftNs = this.#burstNs;
    }
    if (
      !this.hasRoom(packet) ||
      (this.#burstLeftNs <= 0 && this.#isEarlyVictim() && !this.#mayMark(packet))
    ) {
      this.parts.onDrop(packet);
    } else {
      this.ring.push(packet);
    }
  }

  override dequeue(nowNs: Nanos): number {
    this.#catchUp(nowNs);
    const packet = super.dequeue(nowNs);
    if (packet >= 0) {
      this.#delayNs = this.packets === 0 ? 0 : nowNs - this.parts.store.enqueuedNs[packet]!;
    }
    return packet;
  }

  #isCalm(): boolean {
    return this.#delayAtUpdateNs < this.#targetNs / 2;
  }

  #isEarlyVictim(): boolean {
    if (this.#isCalm() && this.#probability < SAFE_PROBABILITY) return false;
    if (this.bytes <= SAFE_PACKETS * this.parts.mtuBytes) return false;
    return this.#rng.next() < this.#probability;
  }

  #mayMark(packet: number): boolean {
    return this.#ecn && this.#probability <= MARK_UP_TO_PROBABILITY && this.mark(packet);
  }

  #catchUp(nowNs: Nanos): void {
    const due = Math.floor(nowNs / this.#updateNs);
    while (this.#updates < due) {
      // nothing departs in between, so once an update changes nothing the others will not either
      this.#updates = this.#update() ? this.#updates + 1 : due;
    }
  }

  /** One update of the drop probability; false: it left everything as it was. */
  #update(): boolean {
    const before = this.#probability;
    const delayNs = this.#delayNs;
    let step =
      (ALPHA_PER_SEC * (delayNs - this.#targetNs) + BETA_PER_SEC * (delayNs - this.#delayAtUpdateNs)) /
      NANOS_PER_SEC;
    step /= STEP_DIVISORS.find(({ below }) => before < below)?.divisor ?? 1;
    if (before >= CAPPED_FROM_PROBABILITY && step > STEP_CAP) step = STEP_CAP;
    let probability = before + step;
    if (delayNs === 0 && this.#delayAtUpdateNs === 0) probability *= IDLE_DECAY;
    this.#probability = Math.min(1, Math.max(0, probability));
    const changes =
      this.#probability !== before || this.#delayAtUpdateNs !== delayNs || this.#burstLeftNs > 0;
    this.#delayAtUpdateNs = delayNs;
    this.#burstLeftNs = Math.max(0, this.#burstLeftNs - this.#updateNs);
    return changes;
  }
}
