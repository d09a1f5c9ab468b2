/**
 * A flow of flows: members with weights, which may be flows of flows again, to any depth. What one has is split among those of its
 * members that are there, in proportion to their weights; who leaves gives its part to its siblings.
 */
import { assert, CcparkError } from "../core/errors.ts";

/** A step from the root towards a flow: a flow of flows by its name, with its weight among its siblings. */
export interface AggregateLevel {
  readonly name: string;
  readonly weight: number;
}

class Node {
  readonly parent: Node | undefined;
  readonly name: string;
  readonly weight: number;
  readonly children: Map<string, Node> = new Map();
  /** of the members that are there */
  weights = 0;
  flows = 0;

  constructor(parent: Node | undefined, { name, weight }: AggregateLevel) {
    this.parent = parent;
    this.name = name;
    this.weight = weight;
  }
}

/** A flow's place in the tree. */
export interface Member {
  /** of all that the root has, above 0 to 1 */
  readonly share: number;
  /** Its part of what the root has. */
  of(total: number): number;
  leave(): void;
}

export class WeightTree {
  readonly #root: Node = new Node(undefined, { name: "", weight: 1 });

  /**
   * A flow joins.
   * @param levels from the root's members down; empty: the flow is one itself
   * @throws CcparkError (invalid-argument) for a weight that is not above 0, or another than that level had
   */
  join(levels: readonly AggregateLevel[], weight: number): Member {
    for (const level of [...levels, { name: "", weight }]) {
      if (!(level.weight > 0 && level.weight < Number.POSITIVE_INFINITY)) {
        throw new CcparkError(
          "invalid-argument",
          `[flows] weight${level.name === "" ? "" : ` of ${level.name}`}: got ${level.weight}, expected a number above 0`,
        );
      }
    }
    let node = this.#root;
    for (const level of levels) {
      const known = node.children.get(level.name);
      if (known !== undefined && known.weight !== level.weight) {
        throw new CcparkError(
          "invalid-argument",
          `[flows] weight of ${level.name}: got ${level.weight}, expected ${known.weight} as of its other members`,
        );
      }
      const child = known ?? new Node(node, level);
      node.children.set(level.name, child);
      node = child;
    }
    const parent = node;
    parent.weights += weight;
    for (let at: Node | undefined = parent; at !== undefined; at = at.parent) {
      at.flows += 1;
      if (at.flows === 1 && at.parent !== undefined) at.parent.weights += at.weight;
    }
    let isThere = true;
    const of = (total: number): number => {
      assert(isThere, "a member that has left has no share");
      let part = (total * weight) / parent.weights;
      for (let at = parent; at.parent !== undefined; at = at.parent) {
        part = (part * at.weight) / at.parent.weights;
      }
      return part;
    };
    return {
      get share(): number {
        return of(1);
      },
      of,
      leave: () => {
        if (!isThere) return;
        isThere = false;
        parent.weights -= weight;
        for (let at: Node | undefined = parent; at !== undefined; at = at.parent) {
          at.flows -= 1;
          if (at.flows > 0 || at.parent === undefined) continue;
          at.parent.weights -= at.weight;
          at.parent.children.delete(at.name);
        }
      },
    };
  }
}
