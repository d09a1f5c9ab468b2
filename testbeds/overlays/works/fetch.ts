/** A file of which any `need` pieces are enough (as Publius has it with the shares of a key): more holders are asked, and the first ones count. */

import type { Rng } from "../../../core/random.ts";
import { NANOS_PER_MILLI, NANOS_PER_SEC } from "../../../core/units.ts";
import type { OverlayWork } from "../../../scenarios/overlay/overlay.ts";
import type { GeneralFlow } from "../../../sim/general/general-network.ts";
import type { Overlay } from "../overlay.ts";
import type { Work } from "./work.ts";

type Spec = Extract<OverlayWork, { kind: "fetch" }>;

const QUESTION_BYTES = 100;
/** A holder that has not begun to answer by then is given up for another one. */
const GIVE_UP_SEC = 2;

export interface Fetched {
  readonly atSec: number;
  readonly asked: number;
  /** NaN: not done by the end */
  ms: number;
}

export class FetchWork implements Work {
  readonly kind = "fetch";
  readonly fetches: Fetched[] = [];
  readonly #overlay: Overlay;
  readonly #spec: Spec;

  constructor(overlay: Overlay, spec: Spec) {
    this.#overlay = overlay;
    this.#spec = spec;
  }

  begin(): void {
    const rng = this.#overlay.rng.fork("fetch");
    const next = (): void => {
      this.#fetch(rng);
      this.#overlay.after(this.#spec.everySec * NANOS_PER_SEC, next);
    };
    next();
  }

  #fetch(rng: Rng): void {
    const overlay = this.#overlay;
    const { holders, ask, need, silent = 0 } = this.#spec;
    const waiting = shuffled(holders, rng).map((name) => ({ name, isSilent: rng.next() < silent }));
    const fetched: { -readonly [K in keyof Fetched]: Fetched[K] } = {
      atSec: overlay.nowSec,
      asked: 0,
      ms: Number.NaN,
    };
    this.fetches.push(fetched);
    const begunNs = overlay.nowNs;
    const flows: GeneralFlow[] = [];
    let pieces = 0;
    const askNext = (): void => {
      const holder = waiting.shift();
      if (holder === undefined || pieces >= need) return;
      fetched.asked++;
      let hasBegun = false;
      this.#ask(holder.name, () => {
        if (holder.isSilent || pieces >= need) return;
        hasBegun = true;
        flows.push(this.#piece(holder.name, arrived));
      });
      overlay.after(GIVE_UP_SEC * NANOS_PER_SEC, () => {
        if (!hasBegun) askNext();
      });
    };
    const arrived = (atNs: number): void => {
      if (++pieces !== need) return;
      fetched.ms = (atNs - begunNs) / NANOS_PER_MILLI;
      for (const flow of flows) overlay.network.stopFlow(flow);
    };
    for (let i = 0; i < ask; i++) askNext();
  }

  #ask(holder: string, heard: () => void): void {
    const { graph, messages, spec } = this.#overlay;
    messages.send(graph.way(spec.nodes[0]!, holder), QUESTION_BYTES, 0, heard);
  }

  #piece(holder: string, arrived: (atNs: number) => void): GeneralFlow {
    const overlay = this.#overlay;
    return overlay.transfer(holder, overlay.spec.nodes[0]!, this.#spec.pieceBytes, arrived);
  }
}

function shuffled<T>(list: readonly T[], rng: Rng): T[] {
  const order = [...list];
  for (let i = order.length - 1; i > 0; i--) {
    const j = rng.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
