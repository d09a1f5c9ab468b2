/** The earliest of N times in O(1), changed in O(log N); ties go to the lowest index. */
import { allocate } from "./memory";

/** A node: the earliest time below it, and whose it is. The root is 1, leaf i is `leaves + i`. */
const NODE_SHIFT: usize = 4;
const WINNER: usize = 8;

@unmanaged
export class WinnerTree {
  nodes: usize;
  leaves: i32;

  init(count: i32): void {
    let leaves = 1;
    while (leaves < count) leaves *= 2;
    this.leaves = leaves;
    this.nodes = allocate((<usize>(2 * leaves)) << NODE_SHIFT);
    for (let node = 2 * leaves - 1; node >= 1; node--) {
      store<f64>(this.at(node), Infinity);
      const winner = node >= leaves ? node - leaves : load<i32>(this.at(2 * node), WINNER);
      store<i32>(this.at(node), winner, WINNER);
    }
  }

  @inline
  private at(node: i32): usize {
    return this.nodes + ((<usize>node) << NODE_SHIFT);
  }

  @inline
  winner(): i32 {
    return load<i32>(this.at(1), WINNER);
  }

  @inline
  time(): f64 {
    return load<f64>(this.at(1));
  }

  @inline
  update(index: i32, time: f64): void {
    let node = this.leaves + index;
    let earliest = time;
    let winner = index;
    store<f64>(this.at(node), time);
    while (node > 1) {
      const sibling = node ^ 1;
      const other = load<f64>(this.at(sibling));
      if (other < earliest || (other === earliest && sibling < node)) {
        earliest = other;
        winner = load<i32>(this.at(sibling), WINNER);
      }
      node >>>= 1;
      store<f64>(this.at(node), earliest);
      store<i32>(this.at(node), winner, WINNER);
    }
  }
}
