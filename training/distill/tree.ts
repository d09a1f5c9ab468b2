/**
 * Regression trees of least squares (Breiman et al. 1984), grown best split first to a number of leaves. Thresholds are edges of
 * quantile bins, so a split costs one pass over the samples.
 */

/** `feature < threshold` goes to `below`. */
export type TreeNode =
  | { readonly gain: number; readonly samples: number }
  | {
      readonly feature: number;
      readonly threshold: number;
      readonly below: TreeNode;
      readonly from: TreeNode;
    };

export interface Samples {
  /** rows of features, whole numbers */
  readonly features: readonly Float64Array[];
  /** log2 of the factor on the window, one per row */
  readonly targets: readonly number[];
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
  readonly mean: number;
  readonly split: Split | undefined;
  children?: readonly [Grown, Grown];
}

/** @param leaves at most; @param one what a gain of 1 is in the leaves' whole numbers */
export function fitTree({ features, targets }: Samples, leaves: number, one: number): TreeNode {
  const width = features[0]!.length;
  const edges = Array.from({ length: width }, (_, feature) => edgesOf(features, feature));
  const bins = edges.map((own, feature) => Uint16Array.from(features, (row) => binOf(own, row[feature]!)));
  const sums = new Float64Array(BINS);
  const counts = new Float64Array(BINS);

  const grow = (rows: Int32Array): Grown => {
    let total = 0;
    for (const row of rows) total += targets[row]!;
    let split: Split | undefined;
    for (let feature = 0; feature < width; feature++) {
      const own = bins[feature]!;
      sums.fill(0);
      counts.fill(0);
      for (const row of rows) {
        sums[own[row]!]! += targets[row]!;
        counts[own[row]!]! += 1;
      }
      let [sum, count] = [0, 0];
      for (let bin = 0; bin < edges[feature]!.length; bin++) {
        sum += sums[bin]!;
        count += counts[bin]!;
        const rest = rows.length - count;
        if (count < MIN_LEAF || rest < MIN_LEAF) continue;
        const worth =
          (sum * sum) / count + ((total - sum) * (total - sum)) / rest - (total * total) / rows.length;
        if (split === undefined || worth > split.worth) split = { feature, bin, worth };
      }
    }
    return {
      rows,
      mean: total / rows.length,
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
    if (grown.children === undefined) {
      return { gain: Math.round(one * 2 ** grown.mean), samples: grown.rows.length };
    }
    const { feature, bin } = grown.split!;
    const [below, from] = grown.children.map(finish) as [TreeNode, TreeNode];
    // leaves that round to the same gain are one
    if ("gain" in below && "gain" in from && below.gain === from.gain) {
      return { gain: below.gain, samples: below.samples + from.samples };
    }
    return { feature, threshold: edges[feature]![bin]!, below, from };
  };
  return finish(root);
}

export function gainOf(tree: TreeNode, features: ArrayLike<number>): number {
  let node = tree;
  while (!("gain" in node)) node = features[node.feature]! < node.threshold ? node.below : node.from;
  return node.gain;
}

export function countLeaves(tree: TreeNode): number {
  return "gain" in tree ? 1 : countLeaves(tree.below) + countLeaves(tree.from);
}

/** Numbers of the features that some split looks at. */
export function featuresIn(tree: TreeNode, found: Set<number> = new Set()): Set<number> {
  if ("gain" in tree) return found;
  found.add(tree.feature);
  featuresIn(tree.below, found);
  return featuresIn(tree.from, found);
}
