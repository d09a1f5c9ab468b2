/**
 * The programs that one datapath has, as its agent knows: installed on first use, evicted when the table is full. libccp
 * fills the first free slot and cannot uninstall, but empties the whole table for an install of uid 1. So eviction makes
 * the table anew: uid 1 again, then every program up to the last one that a flow runs, each into the slot it had (a live
 * flow holds the slot's number, not the uid), with the newcomer in place of the least recently used that no flow runs.
 */
import { CcparkError } from "../../core/errors.ts";
import { markRefill } from "../wire/install.ts";

/** libccp's table has 10 slots and never uses the last; a tenth program would silently not be there. */
export const MAX_PROGRAMS = 9;

interface Installable {
  readonly uid: number;
  readonly name: string;
  readonly install: Uint8Array;
}

export class ProgramTable<P extends Installable> {
  readonly #size: number;
  /** by slot; the first is always uid 1 */
  #slots: P[];
  /** uses so far, and the number of each program's last one */
  #uses = 0;
  readonly #lastUse: Map<P, number> = new Map();

  /** @param first the program of uid 1, which the datapath has been sent */
  constructor(first: P, size: number) {
    this.#slots = [first];
    this.#size = size;
  }

  /**
   * A flow is about to run `program`.
   * @param running programs that live flows run
   * @returns the installs to send before, in order; `isRemade`: the datapath's table was emptied for them
   * @throws CcparkError (resource-exhausted) if live flows run as many programs as the table holds
   */
  admit(program: P, running: () => ReadonlySet<P>): { installs: readonly Uint8Array[]; isRemade: boolean } {
    const isThere = this.#slots.includes(program);
    const hasRoom = this.#slots.length < this.#size;
    const isRemade = !isThere && !hasRoom;
    let installs: readonly Uint8Array[] = [];
    if (isRemade) {
      this.#slots = this.#without(running(), program);
      const [first, ...others] = this.#slots;
      installs = [markRefill(first!.install), ...others.map(({ install }) => install)];
    } else if (!isThere) {
      this.#slots.push(program);
      installs = [program.install];
    }
    this.#lastUse.set(program, ++this.#uses);
    return { installs, isRemade };
  }

  /** The slots after eviction: those up to the last that must stay, the newcomer among or behind them. */
  #without(running: ReadonlySet<P>, newcomer: P): P[] {
    const last = Math.max(
      0,
      this.#slots.findLastIndex((one) => running.has(one)),
    );
    const slots = this.#slots.slice(0, last + 1);
    let evicted = slots.length;
    let oldest = Number.POSITIVE_INFINITY;
    slots.forEach((one, slot) => {
      const use = this.#lastUse.get(one) ?? 0;
      if (slot === 0 || running.has(one) || use >= oldest) return;
      evicted = slot;
      oldest = use;
    });
    if (evicted >= this.#size) {
      const what = `program \`${newcomer.name}\`: flows of the datapath run ${this.#size - 1} others or more`;
      const expected = `its table holds ${this.#size}, one of them always uid 1`;
      throw new CcparkError("resource-exhausted", `[ccp-agent] ${what}; ${expected}`);
    }
    slots[evicted] = newcomer;
    return slots;
  }
}
