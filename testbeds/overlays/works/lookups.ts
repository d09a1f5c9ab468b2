/**
 * Keys on a ring of 2^32 places (Chord, Stoica et al. 2001): each member knows its successor and, for each power of two, who is that far
 * ahead. Who looks for a key asks one member after the other, each nearer to the key; a question that is not answered in
 * time is asked again.
 */
import { drawExponential } from "../../../core/distributions.ts";
import { NANOS_PER_MILLI, NANOS_PER_SEC } from "../../../core/units.ts";
import type { OverlayWork } from "../../../scenarios/overlay/overlay.ts";
import type { Overlay } from "../overlay.ts";
import type { Work } from "./work.ts";

type Spec = Extract<OverlayWork, { kind: "lookups" }>;

const BITS = 32;
const RING = 2 ** BITS;
const BYTES = 100;
const TIMEOUT_SEC = 0.5;
/** The timeout doubles with each question, so many times. */
const ATTEMPTS = 6;

interface Member {
  readonly name: string;
  readonly id: number;
  /** by power of two */
  readonly fingers: readonly number[];
}

export interface Lookup {
  readonly atSec: number;
  readonly ms: number;
  /** members on the way, which were asked before the one that has the key */
  readonly hops: number;
  readonly retries: number;
}

export class LookupWork implements Work {
  readonly kind = "lookups";
  /** in the order of their ends */
  readonly lookups: Lookup[] = [];
  started = 0;
  /** given up */
  failed = 0;
  readonly #overlay: Overlay;
  readonly #spec: Spec;
  readonly #members: readonly Member[];

  constructor(overlay: Overlay, spec: Spec) {
    this.#overlay = overlay;
    this.#spec = spec;
    const ids = overlay.rng.fork("ring");
    const places = (spec.members ?? overlay.spec.nodes)
      .map((name) => ({ name, id: ids.integer(RING) }))
      .sort((a, b) => a.id - b.id);
    this.#members = places.map(({ name, id }) => ({
      name,
      id,
      fingers: Array.from({ length: BITS }, (_, bit) => {
        const at = (id + 2 ** bit) % RING;
        const found = places.findIndex((each) => each.id >= at);
        return Math.max(0, found);
      }),
    }));
  }

  begin(): void {
    const overlay = this.#overlay;
    const rng = overlay.rng.fork("lookups");
    const next = (): void => {
      overlay.after((drawExponential(rng) * NANOS_PER_SEC) / this.#spec.perSec, () => {
        this.#lookUp(rng.integer(this.#members.length), rng.integer(RING));
        next();
      });
    };
    next();
  }

  /** The member that is asked after `at`, and whether it has the key. */
  #nextOf(at: number, key: number): { readonly next: number; readonly isOwner: boolean } {
    const { id, fingers } = this.#members[at]!;
    const successor = fingers[0]!;
    const far = (to: number): number => (to - id + RING) % RING;
    const distance = far(key);
    const nearest = far(this.#members[successor]!.id);
    if (distance <= nearest) return { next: successor, isOwner: true };
    for (let bit = BITS - 1; bit > 0; bit--) {
      const finger = fingers[bit]!;
      const reach = far(this.#members[finger]!.id);
      if (reach > 0 && reach < distance) return { next: finger, isOwner: false };
    }
    return { next: successor, isOwner: false };
  }

  #lookUp(origin: number, key: number): void {
    const overlay = this.#overlay;
    const begunNs = overlay.nowNs;
    const atSec = overlay.nowSec;
    this.started++;
    let hops = 0;
    let retries = 0;
    const goOn = (at: number): void => {
      const { next, isOwner } = this.#nextOf(at, key);
      if (!isOwner) hops++;
      this.#ask(origin, next, {
        retried: () => retries++,
        failed: () => this.failed++,
        answered: () => {
          if (!isOwner) goOn(next);
          else this.lookups.push({ atSec, ms: (overlay.nowNs - begunNs) / NANOS_PER_MILLI, hops, retries });
        },
      });
    };
    goOn(origin);
  }

  #ask(
    from: number,
    to: number,
    then: { readonly answered: () => void; readonly retried: () => void; readonly failed: () => void },
  ): void {
    const overlay = this.#overlay;
    const { graph, messages } = overlay;
    const { bytes = BYTES, timeoutSec = TIMEOUT_SEC } = this.#spec;
    const [a, b] = [this.#members[from]!.name, this.#members[to]!.name];
    let isOver = false;
    const answer = (): void => {
      if (isOver) return;
      isOver = true;
      then.answered();
    };
    const ask = (attempt: number): void => {
      if (a === b) {
        overlay.after(0, answer);
        return;
      }
      messages.send(graph.way(a, b), bytes, overlay.numberOf(a), () =>
        messages.send(graph.way(b, a), bytes, overlay.numberOf(b), answer),
      );
      overlay.after(timeoutSec * 2 ** attempt * NANOS_PER_SEC, () => {
        if (isOver) return;
        if (attempt + 1 === ATTEMPTS) {
          isOver = true;
          then.failed();
          return;
        }
        then.retried();
        ask(attempt + 1);
      });
    };
    ask(0);
  }
}
