/** Virtual time: calls in the order of their times, those of one instant in the order in which they were asked for. */
import type { Rng } from "../../core/random.ts";
import type { Micros } from "../../core/units.ts";
import type { Surroundings, Timer } from "../chunnel.ts";

interface Call extends Timer {
  readonly atUs: Micros;
  readonly number: number;
  run: (() => void) | undefined;
}

function isBefore(a: Call, b: Call): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.number < b.number);
}

export class VirtualClock {
  nowUs: Micros = 0;
  /** a binary heap */
  readonly #calls: Call[] = [];
  #count = 0;

  wakeAt(atUs: Micros, run: () => void): Timer {
    const call: Call = {
      atUs: Math.max(atUs, this.nowUs),
      number: this.#count++,
      run,
      cancel: () => {
        call.run = undefined;
      },
    };
    const calls = this.#calls;
    let i = calls.push(call) - 1;
    while (i > 0 && isBefore(call, calls[(i - 1) >> 1]!)) {
      calls[i] = calls[(i - 1) >> 1]!;
      i = (i - 1) >> 1;
    }
    calls[i] = call;
    return call;
  }

  #take(): Call {
    const calls = this.#calls;
    const first = calls[0]!;
    const last = calls.pop()!;
    if (calls.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= calls.length) break;
      if (child + 1 < calls.length && isBefore(calls[child + 1]!, calls[child]!)) child++;
      if (!isBefore(calls[child]!, last)) break;
      calls[i] = calls[child]!;
      i = child;
    }
    calls[i] = last;
    return first;
  }

  /** Runs what is due until then, or until nothing is. @param isOver asked after each call */
  run(untilUs: Micros, isOver: () => boolean = () => false): void {
    while (this.#calls.length > 0 && this.#calls[0]!.atUs <= untilUs) {
      const { atUs, run } = this.#take();
      if (run === undefined) continue;
      this.nowUs = atUs;
      run();
      if (isOver()) return;
    }
    if (untilUs < Number.POSITIVE_INFINITY) this.nowUs = Math.max(this.nowUs, untilUs);
  }

  /** Calls that wait, cancelled ones too. */
  get waiting(): number {
    return this.#calls.length;
  }
}

/** Surroundings whose chance is seeded, keys included: the same seed gives the same bytes. */
export function seededSurroundings(
  clock: { readonly nowUs: Micros; wakeAt(atUs: Micros, run: () => void): Timer },
  rng: Rng,
  trace?: Surroundings["trace"],
): Surroundings {
  const shared = new Map<string, unknown>();
  const keys = rng.fork("keys");
  return {
    nowUs: () => clock.nowUs,
    wakeAt: (atUs, call) => clock.wakeAt(atUs, call),
    rng,
    randomBytes: (count) => Uint8Array.from({ length: count }, () => keys.integer(256)),
    shared: <T>(name: string, make: () => T): T => {
      if (!shared.has(name)) shared.set(name, make());
      return shared.get(name) as T;
    },
    trace,
  };
}
