/**
 * A random sequence in time order, drawn in blocks when it is asked for. Each block has its own fork of the generator and
 * begins where the one before ended, so only its beginning is kept: any block can be drawn anew, whatever is asked in
 * which order, and an hour costs little memory.
 */
import type { Rng } from "../../core/random.ts";
import type { Nanos } from "../../core/units.ts";
import { upperBound } from "./piecewise.ts";

/** Blocks that are kept: where a server is, where it looks ahead, and two for questions about the past. */
const KEPT_BLOCKS = 4;

export interface BlockStart {
  readonly atNs: Nanos;
}

export class DrawnBlocks<Start extends BlockStart, Block extends { readonly end: Start }> {
  readonly #rng: Rng;
  readonly #draw: (rng: Rng, start: Start) => Block;
  readonly #starts: Start[];
  readonly #kept: ({ readonly index: number; readonly block: Block } | undefined)[] = [];

  /** @param draw a block that ends after it starts */
  constructor(rng: Rng, start: Start, draw: (rng: Rng, start: Start) => Block) {
    this.#rng = rng;
    this.#starts = [start];
    this.#draw = draw;
  }

  block(index: number): Block {
    const slot = index % KEPT_BLOCKS;
    const kept = this.#kept[slot];
    if (kept?.index === index) return kept.block;
    while (this.#starts.length <= index) this.block(this.#starts.length - 1);
    const block = this.#draw(this.#rng.fork(`block.${index}`), this.#starts[index]!);
    if (this.#starts.length === index + 1) this.#starts.push(block.end);
    this.#kept[slot] = { index, block };
    return block;
  }

  /** The last block that starts at or before `ns`. */
  indexAt(ns: Nanos): number {
    const starts = this.#starts;
    while (starts[starts.length - 1]!.atNs <= ns) this.block(starts.length - 1);
    return upperBound(starts.length, (i) => starts[i]!.atNs, ns) - 1;
  }
}
