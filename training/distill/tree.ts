/**
 * Regression trees of least squares (Breiman et al. 1984), grown best split first to a number of leaves. Thresholds are edges of
 * quantile bins, so a split costs one pass over the samples.
 */

/** `feature < threshold` goes to `below`. */
export type TreeNode =
  | { readonly value: number; readonly samples: number }
  | {
      readonly feature: number;
      readonly threshold: number;
      readonly below: TreeNode;
      readonly from: TreeNode;
    };

export interface Samples {
  /** rows of features, whole numbers */
  readonly features: readonly Float64Array[];
  /** log2 of what a leaf is to say, one per row, each as wide as a leaf */
  readonly targets: readonly ArrayLike<number>[];
  /** how much each number of a target counts; absent: all alike */
  readonly weights?: readonly ArrayLike<number>[];
}

const BINS = 256;
/** A leaf of fewer samples is chance. */
const MIN_LEAF = 30;
/** The datapath language has immediates up to 2^31 - 1. */
const MAX_THRESHOLD = 2 ** 31 - 1;

/** Ascending thresholds of one feature: values below which a share of the samples lies. */
function edgesOf(rows: readonly Float64Array[], feature: number): number[] {
  const values = Float64Array.from(rows, (row) => row[feature]!).sort();
  const edges = new Set<number>();
  for (let i = 1; i < BINS; i++) edges.add(values[Math.floor((i * values.length) / BINS)]!);
  edges.delete(values[0]!);
  return [...edges].filter((edge) => edge <= MAX_THRESHOLD).sort((a, b) => a - b);
}

/** Number of edges at or below a value. */
function binOf(edges: readonly number[], value: number): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Split {
  readonly feature: number;
  /** rows of this bin and below go below */
  readonly bin: number;
  /** by how much the sum of squares falls */
  readonly worth: number;
}

/** A leaf that may still be split. */
interface Grown {
  readonly rows: Int32Array;
  /** weighted means of the targets */
  readonly means: readonly number[];
  readonly split: Split | undefined;
  children?: readonly [Grown, Grown];
}

/**
 * @param leaves at most
 * @param encode a leaf's whole number
 */
export function fitTree(
  { features, targets, weights }: Samples,
  leaves: number,
  encode: (means: readonly number[]) => number,
): TreeNode {
  const width = features[0]!.length;
  const numbers = Array.from({ length: targets[0]!.length }, (_, i) => i);
  const edges = Array.from({ length: width }, (_, feature) => edgesOf(features, feature));
  const bins = edges.map((own, feature) => Uint16Array.from(features, (row) => binOf(own, row[feature]!)));
  const wanted = numbers.map((i) => Float64Array.from(targets, (target) => target[i]!));
  const counted = numbers.map((i) => Float64Array.from(targets, (_, row) => weights?.[row]?.[i] ?? 1));
  const counts = new Float64Array(BINS);
  const sums = numbers.map(() => new Float64Array(BINS));
  const masses = numbers.map(() => new Float64Array(BINS));

  const grow = (rows: Int32Array): Grown => {
    const totals = numbers.map(() => ({ sum: 0, mass: 0 }));
    for (const i of numbers) {
      const [of, mass] = [wanted[i]!, counted[i]!];
      const total = totals[i]!;
      for (const row of rows) {
        total.sum += mass[row]! * of[row]!;
        total.mass += mass[row]!;
      }
    }
    const square = (sum: number, mass: number): number => (mass > 0 ? (sum * sum) / mass : 0);
    const whole = totals.reduce((all, { sum, mass }) => all + square(sum, mass), 0);
    let split: Split | undefined;
    for (let feature = 0; feature < width; feature++) {
      const own = bins[feature]!;
      counts.fill(0);
      for (const row of rows) counts[own[row]!]! += 1;
      for (const i of numbers) {
        const [of, mass, sum, weighed] = [wanted[i]!, counted[i]!, sums[i]!, masses[i]!];
        sum.fill(0);
        weighed.fill(0);
        for (const row of rows) {
          const bin = own[row]!;
          sum[bin]! += mass[row]! * of[row]!;
          weighed[bin]! += mass[row]!;
        }
      }
      let count = 0;
      const below = numbers.map(() => ({ sum: 0, mass: 0 }));
      for (let bin = 0; bin < edges[feature]!.length; bin++) {
        count += counts[bin]!;
        let worth = -whole;
        for (const i of numbers) {
          const side = below[i]!;
          side.sum += sums[i]![bin]!;
          side.mass += masses[i]![bin]!;
          const { sum, mass } = totals[i]!;
          worth += square(side.sum, side.mass) + square(sum - side.sum, mass - side.mass);
        }
        if (count < MIN_LEAF || rows.length - count < MIN_LEAF) continue;
        if (split === undefined || worth > split.worth) split = { feature, bin, worth };
      }
    }
    return {
      rows,
      means: totals.map(({ sum, mass }) => (mass > 0 ? sum / mass : 0)),
      split: split !== undefined && split.worth > 1e-9 ? split : undefined,
    };
  };

  const root = grow(Int32Array.from(features, (_, i) => i));
  const open = [root];
  for (let count = 1; count < leaves; count++) {
    let best: Grown | undefined;
    for (const leaf of open) {
      if (leaf.split !== undefined && (best === undefined || leaf.split.worth > best.split!.worth))
        best = leaf;
    }
    if (best === undefined) break;
    const { feature, bin } = best.split!;
    const own = bins[feature]!;
    best.children = [
      grow(best.rows.filter((row) => own[row]! <= bin)),
      grow(best.rows.filter((row) => own[row]! > bin)),
    ];
    open.splice(open.indexOf(best), 1, ...best.children);
  }

  const finish = (grown: Grown): TreeNode => {
    if (grown.children === undefined) return { value: encode(grown.means), samples: grown.rows.length };
    const { feature, bin } = grown.split!;
    const [below, from] = grown.children.map(finish) as [TreeNode, TreeNode];
    // leaves that round to the same are one
    if ("value" in below && "value" in from && below.value === from.value) {
      return { value: below.value, samples: below.samples + from.samples };
    }
    return { feature, threshold: edges[feature]![bin]!, below, from };
  };
  return finish(root);
}

export function leafFor(tree: TreeNode, features: ArrayLike<number>): number {
  let node = tree;
  while (!("value" in node)) node = features[node.feature]! < node.threshold ? node.below : node.from;
  return node.value;
}

export function countLeaves(tree: TreeNode): number {
  return "value" in tree ? 1 : countLeaves(tree.below) + countLeaves(tree.from);
}

/** Numbers of the features that some split looks at. */
export function featuresIn(tree: TreeNode, found: Set<number> = new Set()): Set<number> {
  if ("value" in tree) return found;
  found.add(tree.feature);
  featuresIn(tree.below, found);
  return featuresIn(tree.from, found);
}
