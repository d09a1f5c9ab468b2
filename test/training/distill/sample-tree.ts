/** A tree by hand: fill the product of rate and round trip, back off before a queue. */
import { ONE, WINDOW_FORM } from "../../../training/distill/features.ts";
import type { TreeNode } from "../../../training/distill/tree.ts";

const featureOf = (name: string): number =>
  WINDOW_FORM.features.findIndex((feature) => feature.name === name);
const leaf = (gain: number): TreeNode => ({ value: Math.round(ONE * gain), samples: 1 });

export const SAMPLE_TREE: TreeNode = {
  feature: featureOf("queueRatio"),
  threshold: 40,
  below: {
    feature: featureOf("fill"),
    threshold: Math.round(1.05 * ONE),
    below: leaf(1.5),
    from: { feature: featureOf("delivery"), threshold: 1000, below: leaf(1), from: leaf(1.03) },
  },
  from: {
    feature: featureOf("loss"),
    threshold: 100,
    below: { feature: featureOf("queueUs"), threshold: 20_000, below: leaf(0.97), from: leaf(0.85) },
    from: leaf(0.6),
  },
};
