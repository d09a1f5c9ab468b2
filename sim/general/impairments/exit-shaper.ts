/** What happens to a packet that has left a link's server: it waits for its slot, is delayed, doubled or damaged. */
import type { Nanos } from "../../../core/units.ts";
import { Bernoulli } from "./bernoulli.ts";
import type { ForkEffect, Impairments } from "./impairments.ts";
import { Jitter } from "./jitter.ts";
import { Slots } from "./slots.ts";

export class ExitShaper {
  readonly #slots: Slots | undefined;
  readonly #jitter: Jitter | undefined;
  readonly #duplication: Bernoulli | undefined;
  readonly #corruption: Bernoulli | undefined;

  /** @param fork gives generators for `jitter`, `duplication` and `corruption`, where they are on */
  constructor(impairments: Impairments, fork: ForkEffect) {
    const { slots, jitter, duplicationRate, corruptionRate } = impairments;
    if (slots !== undefined) {
      this.#slots = new Slots(slots.everyNs, slots.maxPackets ?? Number.POSITIVE_INFINITY);
    }
    if (jitter !== undefined) this.#jitter = new Jitter(jitter, fork("jitter"));
    this.#duplication = Bernoulli.of(duplicationRate, () => fork("duplication"));
    this.#corruption = Bernoulli.of(corruptionRate, () => fork("corruption"));
  }

  /** Undefined where packets go on as they are. */
  static of(impairments: Impairments, fork: ForkEffect): ExitShaper | undefined {
    const { slots, jitter, duplicationRate, corruptionRate } = impairments;
    const changesNothing =
      slots === undefined &&
      jitter === undefined &&
      (duplicationRate ?? 0) === 0 &&
      (corruptionRate ?? 0) === 0;
    return changesNothing ? undefined : new ExitShaper(impairments, fork);
  }

  /** When a packet goes on that leaves the server at `departNs`, which must not go back between calls: then or later. */
  releaseNs(departNs: Nanos): Nanos {
    const readyNs = this.#slots?.releaseNs(departNs) ?? departNs;
    return this.#jitter?.releaseNs(readyNs) ?? readyNs;
  }

  /** Whether the packet at hand arrives twice; to be asked once per packet. */
  duplicates(): boolean {
    return this.#duplication?.happens() ?? false;
  }

  /** Whether the packet at hand arrives damaged; to be asked once per packet. */
  corrupts(): boolean {
    return this.#corruption?.happens() ?? false;
  }
}
