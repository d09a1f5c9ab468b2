import { describe, expect, it } from "vitest";
import { CategoricalPolicy } from "../../agents/nn/categorical-policy.ts";
import { GaussianPolicy } from "../../agents/nn/gaussian-policy.ts";
import { initialiseMlp, mlpLayout } from "../../agents/nn/mlp.ts";
import { policySize } from "../../agents/nn/network-policy.ts";
import { drawNormal } from "../../core/distributions.ts";
import { CcparkError } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import { type Box, makeBox, makeDiscrete } from "../../envs/spaces.ts";

function box(bounds: readonly (readonly [number, number])[]): Box {
  return makeBox(bounds.map(([low, high], i) => ({ name: `d${i}`, unit: "1", low, high, definition: "" })));
}

/** A network without hidden layers: mean = W obs + b. */
function linear(actions: Box, weights: number[], logStd: number[]): GaussianPolicy {
  const spec = { observationSpace: box([[-1, 1]]), actionSpace: actions, hidden: [] };
  return new GaussianPolicy(spec, { weights: Float32Array.from([...weights, ...logStd]), seed: 3 });
}

describe("GaussianPolicy", () => {
  it("acts in the unit of the action space: 0 is the middle, 1 the upper bound", () => {
    const policy = linear(box([[10, 30]]), [1, 0], [-1]);
    expect(policy.act(Float32Array.of(0), "greedy")[0]).toBe(20);
    expect(policy.act(Float32Array.of(0.5), "greedy")[0]).toBe(25);
  });

  it("clips greedy actions to the box, samples it leaves to the environment", () => {
    const policy = linear(box([[10, 30]]), [100, 0], [-1]);
    expect(policy.act(Float32Array.of(1), "greedy")[0]).toBe(30);
    expect(policy.act(Float32Array.of(-1), "greedy")[0]).toBe(10);
    expect(policy.act(Float32Array.of(1), "explore")[0]).toBeGreaterThan(100);
  });

  it("keeps the unit of an unbounded action", () => {
    const policy = linear(box([[-Infinity, Infinity]]), [7, 0], [0]);
    expect(policy.act(Float32Array.of(1), "greedy")[0]).toBe(7);
  });

  it("samples with the stated spread and says the log probability of what it drew", () => {
    const policy = linear(box([[-1, 1]]), [0, 0.5], [Math.log(0.2)]);
    const rows = 20_000;
    const actions = new Float32Array(rows);
    const logProbs = new Float32Array(rows);
    policy.sample(new Float32Array(rows), rows, policy.drawNoise(Rng.fromSeed(1), rows), {
      actions,
      logProbs,
    });
    const mean = actions.reduce((sum, x) => sum + x / rows, 0);
    const std = Math.sqrt(actions.reduce((sum, x) => sum + (x - mean) ** 2 / rows, 0));
    expect(mean).toBeCloseTo(0.5, 2);
    expect(std).toBeCloseTo(0.2, 2);
    const z = (actions[17]! - 0.5) / 0.2;
    expect(logProbs[17]).toBeCloseTo(-0.5 * z * z - Math.log(0.2 * Math.sqrt(2 * Math.PI)), 5);
  });

  it("explores from its own seed: two policies of one seed draw the same", () => {
    const draw = (): number[] => {
      const policy = linear(box([[-1, 1]]), [0, 0], [0]);
      return Array.from({ length: 5 }, () => policy.act(Float32Array.of(0), "explore")[0]!);
    };
    expect(draw()).toEqual(draw());
    expect(new Set(draw()).size).toBe(5);
  });

  it("refuses an observation of another shape with both shapes", () => {
    const policy = linear(box([[-1, 1]]), [0, 0], [0]);
    expect(() => policy.act(new Float32Array(2), "greedy")).toThrow(
      new CcparkError("invalid-argument", "[policy] observation has the wrong shape: got [2], expected [1]"),
    );
  });

  it("normalises and clips observations where it has statistics", () => {
    const policy = linear(box([[-100, 100]]), [0.01, 0], [0]);
    policy.statistics = { mean: Float64Array.of(2), std: Float64Array.of(0.5) };
    expect(policy.act(Float32Array.of(3), "greedy")[0]).toBeCloseTo(2, 5);
    expect(policy.act(Float32Array.of(1000), "greedy")[0]).toBeCloseTo(10, 5);
  });

  it("counts its parameters", () => {
    const spec = { observationSpace: box([[-1, 1]]), actionSpace: box([[-1, 1]]), hidden: [3] };
    expect(policySize(spec)).toBe(1 * 3 + 3 + 3 * 1 + 1 + 1);
  });
});

describe("initialiseMlp", () => {
  it("draws orthogonal columns or rows of the given gain", () => {
    for (const [inputs, outputs] of [
      [8, 3],
      [3, 8],
      [5, 5],
    ] as const) {
      const layout = mlpLayout([inputs, outputs]);
      const weights = new Float32Array(layout.size);
      initialiseMlp(layout, [2], Rng.fromSeed(1), weights);
      const vectors = Array.from({ length: Math.min(inputs, outputs) }, (_, v) =>
        Array.from({ length: Math.max(inputs, outputs) }, (_, k) =>
          inputs >= outputs ? weights[k * outputs + v]! : weights[v * outputs + k]!,
        ),
      );
      vectors.forEach((a, i) => {
        vectors.forEach((b, j) => {
          const dot = a.reduce((sum, x, k) => sum + x * b[k]!, 0);
          expect(dot).toBeCloseTo(i === j ? 4 : 0, 5);
        });
      });
    }
  });
});

describe("drawNormal", () => {
  it("has mean 0, variance 1 and light tails", () => {
    const rng = Rng.fromSeed(9);
    const draws = Array.from({ length: 50_000 }, () => drawNormal(rng));
    const moment = (k: number): number => draws.reduce((sum, x) => sum + x ** k / draws.length, 0);
    expect(moment(1)).toBeCloseTo(0, 1);
    expect(moment(2)).toBeCloseTo(1, 1);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.2);
  });
});

/** A network without hidden layers: logits = b. */
function choosing(logits: readonly number[]): CategoricalPolicy {
  const choices = logits.map((_, i) => ({ name: `c${i}`, definition: "" }));
  const spec = { observationSpace: box([[-1, 1]]), actionSpace: makeDiscrete(choices), hidden: [] };
  const weights = Float32Array.from([...logits.map(() => 0), ...logits]);
  return new CategoricalPolicy(spec, { weights, seed: 3 });
}

describe("CategoricalPolicy", () => {
  it("acts by the likeliest choice, of equals by the first", () => {
    expect(choosing([0, 2, 1]).act(Float32Array.of(0), "greedy")[0]).toBe(1);
    expect(choosing([1, 0, 1]).act(Float32Array.of(0), "greedy")[0]).toBe(0);
  });

  it("samples each choice as often as its softmax says, and says its log probability", () => {
    const probabilities = [0.1, 0.2, 0.7];
    const policy = choosing(probabilities.map(Math.log));
    const rows = 20_000;
    const actions = new Float32Array(rows);
    const raw = new Float32Array(rows);
    const logProbs = new Float32Array(rows);
    policy.sample(new Float32Array(rows), rows, policy.drawNoise(Rng.fromSeed(1), rows), {
      actions,
      raw,
      logProbs,
    });
    probabilities.forEach((p, choice) => {
      expect(actions.filter((a) => a === choice).length / rows).toBeCloseTo(p, 2);
    });
    expect(raw).toEqual(actions);
    expect(logProbs[5]).toBeCloseTo(Math.log(probabilities[actions[5]!]!), 5);
    const entropy = -probabilities.reduce((sum, p) => sum + p * Math.log(p), 0);
    expect(policy.entropy(new Float32Array(4), 4)).toBeCloseTo(entropy, 5);
  });

  it("is safe from logits that overflow, and never leaves the choices", () => {
    const policy = choosing([-800, 900, 899]);
    const actions = new Float32Array(500);
    const logProbs = new Float32Array(500);
    policy.sample(new Float32Array(500), 500, policy.drawNoise(Rng.fromSeed(2), 500), { actions, logProbs });
    expect(new Set(actions)).toEqual(new Set([1, 2]));
    expect(logProbs.every(Number.isFinite)).toBe(true);
    expect(Number.isFinite(policy.entropy(new Float32Array(1), 1))).toBe(true);
  });
});
