import type { Tensor } from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { makeDensity } from "../../agents/nn/actor-critic.ts";
import { GaussianPolicy } from "../../agents/nn/gaussian-policy.ts";
import { initialiseMlp, mlpLayout } from "../../agents/nn/mlp.ts";
import { lossAndGradient, mlpTensor } from "../../agents/nn/mlp-tensors.ts";
import { policySize } from "../../agents/nn/network-policy.ts";
import { chooseBackend } from "../../agents/tfjs/tfjs-backend.ts";
import { loadNativeTf } from "../../agents/tfjs/tfjs-node-files.ts";
import {
  applyChecked,
  makeGradientPatch,
  makeKernelPatch,
  matMulGradientPatch,
  selfTest,
  tanhKernelPatch,
} from "../../agents/tfjs/tfjs-patches.ts";
import { CcparkError } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import { makeToyEnv } from "./toy-env.ts";

describe("backends", () => {
  it("starts wasm with both patches, without handlers that rethrow other people's errors", async () => {
    const before = process.listenerCount("uncaughtException") + process.listenerCount("unhandledRejection");
    const backend = await chooseBackend("wasm");
    expect(backend.name).toBe("wasm");
    expect(backend.detail).toContain("matMul gradient patched, tanh kernel patched");
    const after = process.listenerCount("uncaughtException") + process.listenerCount("unhandledRejection");
    expect(after).toBe(before);
  });

  it("falls back to what works when nothing is named", async () => {
    const native = await loadNativeTf();
    const backend = await chooseBackend("auto");
    expect(backend.name).toBe(native.ok ? "node" : "wasm");
  });

  it("says in one sentence how to get the native backend", async () => {
    if ((await loadNativeTf()).ok) return;
    const error = await chooseBackend("node").catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CcparkError);
    expect((error as CcparkError).kind).toBe("unavailable");
    expect((error as CcparkError).message).toContain("npm install @tensorflow/tfjs-node");
  });

  it("computes right gradients on every backend at hand", async () => {
    for (const name of ["cpu", "wasm"] as const) {
      const { tf } = await chooseBackend(name);
      expect(tf.getBackend()).toBe(name);
      expect(selfTest(tf)).toBeUndefined();
    }
  });
});

describe("self-test of the patches", () => {
  it("takes back a tanh kernel that is a little wrong", async () => {
    const { tf } = await chooseBackend("wasm");
    const wrong = makeKernelPatch("wrong tanh", (t) => ({
      kernelName: "Tanh",
      backendName: "wasm",
      kernelFunc: ({ inputs }) => t.tidy(() => t.mul(t.sigmoid(inputs["x"] as never), 1.001)),
    }));
    expect(applyChecked(tf, [wrong])[0]).toMatch(/^wrong tanh left as it is \(self-test: tanh is off by/);
    expect(selfTest(tf)).toBeUndefined();
  });

  it("takes back a gradient that forgets a transposition or has the wrong sign", async () => {
    const { tf } = await chooseBackend("wasm");
    const wrong = makeGradientPatch("wrong gradient", (t) => ({
      kernelName: "BatchMatMul",
      inputsToSave: ["a", "b"],
      gradFunc: (dy, saved) => ({
        a: () => t.neg(t.matMul(dy as never, saved[1] as never, false, true)),
        b: () => t.matMul(saved[0] as never, dy as never, true, false),
      }),
    }));
    expect(applyChecked(tf, [wrong])[0]).toContain("left as it is (self-test: gradient of a product");
    expect(selfTest(tf)).toBeUndefined();
  });

  it("reports a kernel that throws", async () => {
    const { tf } = await chooseBackend("wasm");
    const broken = makeKernelPatch("broken", () => ({
      kernelName: "Tanh",
      backendName: "wasm",
      kernelFunc: () => {
        throw new Error("no such thing");
      },
    }));
    expect(applyChecked(tf, [broken])[0]).toContain("tanh failed: no such thing");
    expect(applyChecked(tf, [matMulGradientPatch, tanhKernelPatch])).toEqual([
      "matMul gradient patched",
      "tanh kernel patched",
    ]);
  });
});

describe("parity", () => {
  for (const name of ["wasm", "cpu"] as const) {
    it(`acts as TensorFlow.js on ${name} computes, to 1e-5`, async () => {
      const { tf } = await chooseBackend(name);
      const { observationSpace, actionSpace } = makeToyEnv({ observations: 37 });
      const spec = { observationSpace, actionSpace, hidden: [33, 64] };
      const layout = mlpLayout([37, 33, 64, 1]);
      const rng = Rng.fromSeed(5);
      const weights = new Float32Array(policySize(spec));
      initialiseMlp(layout, [2, 2, 2], rng, weights);
      for (let i = 0; i < weights.length; i++) weights[i]! += rng.uniform(-0.1, 0.1);
      const policy = new GaussianPolicy(spec, { weights });
      const rows = 100;
      const observations = Float32Array.from({ length: rows * 37 }, () => rng.uniform(-1, 1));
      const tensor = tf.tidy(() => {
        const parameters = layout.layers.flatMap(({ inputs, outputs, weightsAt, biasesAt }) => [
          tf.tensor2d(weights.slice(weightsAt, biasesAt), [inputs, outputs]),
          tf.tensor1d(weights.slice(biasesAt, biasesAt + outputs)),
        ]);
        return mlpTensor(tf, parameters, tf.tensor2d(observations, [rows, 37])).dataSync();
      });
      const means = policy.outputs(observations, rows);
      let worst = 0;
      for (let i = 0; i < rows; i++) worst = Math.max(worst, Math.abs(means[i]! - tensor[i]!));
      expect(worst).toBeLessThan(1e-5);
    });

    it(`says log probabilities and entropies as TensorFlow.js on ${name} computes, with gradients by finite differences`, async () => {
      const { tf } = await chooseBackend(name);
      const rows = 50;
      for (const choices of [false, true]) {
        const { observationSpace, actionSpace } = makeToyEnv({ observations: 6, choices });
        const spec = { observationSpace, actionSpace, hidden: [5] };
        const rng = Rng.fromSeed(9);
        const weights = Float32Array.from({ length: policySize(spec) }, () => rng.uniform(-0.7, 0.7));
        const policy = makeDensity(spec, { weights });
        const observations = Float32Array.from({ length: rows * 6 }, () => rng.uniform(-1, 1));
        const raw = new Float32Array(rows);
        const logProbs = new Float32Array(rows);
        policy.sample(observations, rows, policy.drawNoise(rng, rows), {
          actions: new Float32Array(rows),
          raw,
          logProbs,
        });
        /** mean log probability, and the entropy up to a constant */
        const lossOf = (...parameters: Tensor[]): Tensor => {
          const { logProb, entropy } = policy.evaluate(
            tf,
            parameters,
            tf.tensor2d(observations, [rows, 6]),
            policy.actionTensor(tf, raw, rows),
          );
          return tf.add(tf.mean(logProb), entropy);
        };
        const gradient = new Float32Array(weights.length);
        const value = tf.tidy(() => lossAndGradient(tf, lossOf, policy.toTensors(tf), gradient));
        const tensorLogProbs = tf.tidy(
          () =>
            policy
              .evaluate(
                tf,
                policy.toTensors(tf),
                tf.tensor2d(observations, [rows, 6]),
                policy.actionTensor(tf, raw, rows),
              )
              .logProb.dataSync() as Float32Array,
        );
        for (let r = 0; r < rows; r++) expect(tensorLogProbs[r]).toBeCloseTo(logProbs[r]!, 4);
        const meanLogProb = logProbs.reduce((sum, x) => sum + x / rows, 0);
        const constant = choices ? 0 : 0.5 * (1 + Math.log(2 * Math.PI));
        expect(value - meanLogProb).toBeCloseTo(policy.entropy(observations, rows) - constant, 4);
        const step = 1e-2;
        for (const at of [0, 7, 17, 31, weights.length - 1]) {
          const [kept, shifted] = [weights[at]!, [step, -step]];
          const [above, below] = shifted.map((shift) => {
            weights[at] = kept + shift;
            return tf.tidy(() => lossOf(...policy.toTensors(tf)).dataSync()[0]!);
          });
          weights[at] = kept;
          expect((above! - below!) / (2 * step)).toBeCloseTo(gradient[at]!, 2);
        }
      }
    });
  }
});
