/**
 * A policy that was trained elsewhere, as an ONNX file, acting in the simulator's loop. The runtime is onnxruntime-web:
 * WebAssembly, one thread, nothing to compile or fetch at installation (onnxruntime-node fetches CUDA files). Its calls
 * are asynchronous, so virtual time stands still while the network computes.
 */
import type { InferenceSession } from "onnxruntime-web/wasm";
import { CcparkError } from "../../core/errors.ts";
import { readRegular } from "../../core/text-files.ts";
import type { AsyncPolicy } from "../../envs/measured-run.ts";
import { type PolicyContract, readContract, type StateTensor } from "./contract.ts";
import { readMetadata, readOperators } from "./model-metadata.ts";

export interface OnnxPolicy extends AsyncPolicy {
  readonly contract: PolicyContract;
  /** the whole file */
  readonly model: Uint8Array;
}

function refused(path: string, why: string, cause?: unknown): CcparkError {
  const kind = cause instanceof CcparkError ? cause.kind : "invalid-argument";
  return new CcparkError(kind, `[onnx] \`${path}\`: ${why}`, { cause });
}

function readModel(path: string): Uint8Array {
  if (path === "") throw new CcparkError("invalid-argument", "[onnx] got no file, expected onnx:FILE");
  try {
    const model = readRegular(path);
    if (model.length === 0) throw refused(path, "not an ONNX model: the file is empty");
    return model;
  } catch (cause) {
    if (cause instanceof CcparkError) {
      throw cause.message.startsWith("[")
        ? cause
        : new CcparkError(cause.kind, `[onnx] ${cause.message}`, { cause });
    }
    const { code = "unreadable" } = cause as { code?: string };
    if (code === "ENOENT") throw new CcparkError("not-found", `[onnx] \`${path}\`: no such file`, { cause });
    throw refused(
      path,
      code === "EISDIR" ? "it is a folder, expected a file" : `cannot read: ${code}`,
      cause,
    );
  }
}

/** Operators that draw random numbers, from a generator that nobody can seed for a run. */
const RANDOM = [
  "Bernoulli",
  "Multinomial",
  "RandomNormal",
  "RandomNormalLike",
  "RandomUniform",
  "RandomUniformLike",
];

function refuseChance(path: string, operators: ReadonlySet<string>): void {
  const drawing = RANDOM.find((operator) => operators.has(operator));
  if (drawing === undefined) return;
  throw refused(
    path,
    `the graph draws random numbers (${drawing}): expected its mean or best action, so that a run can be repeated`,
  );
}

function metadataOf(path: string, model: Uint8Array): Map<string, string> {
  try {
    refuseChance(path, readOperators(model));
    return readMetadata(model);
  } catch (cause) {
    if (cause instanceof CcparkError) throw cause;
    throw refused(path, "not an ONNX model, or only a part of one", cause);
  }
}

async function contractOf(path: string, metadata: ReadonlyMap<string, string>): Promise<PolicyContract> {
  try {
    return await readContract(metadata);
  } catch (cause) {
    throw refused(path, (cause as Error).message, cause);
  }
}

type Values = readonly InferenceSession.ValueMetadata[];

/** One row must fit, and the width is the space's. */
function checkTensor(
  path: string,
  what: "input" | "output",
  name: string,
  width: number,
  values: Values,
): void {
  const tensor = values.find((each) => each.name === name);
  if (tensor === undefined) {
    const known = values.map((each) => each.name).join(", ");
    throw refused(path, `contract field \`${what}\`: got ${name}, expected one of the graph's: ${known}`);
  }
  const { type, shape } = tensor.isTensor ? tensor : { type: "no tensor", shape: [] };
  const [rows, columns] = shape;
  if (
    type === "float32" &&
    shape.length === 2 &&
    (typeof rows === "string" || rows === 1) &&
    columns === width
  ) {
    return;
  }
  const got = `${type} [${shape.join(", ")}]`;
  throw refused(path, `${what} \`${name}\` of the graph: got ${got}, expected float32 [batch, ${width}]`);
}

/** Of one row: what has no number is a batch. */
function stateShape(path: string, { input, output }: StateTensor, inputs: Values, outputs: Values): number[] {
  const known = [
    [input, inputs.find(({ name }) => name === input)],
    [output, outputs.find(({ name }) => name === output)],
  ] as const;
  for (const [name, tensor] of known) {
    if (tensor?.isTensor && tensor.type === "float32") continue;
    const got = tensor === undefined ? "no such tensor" : tensor.isTensor ? tensor.type : "no tensor";
    throw refused(path, `contract field \`state\`: \`${name}\`: got ${got}, expected float32`);
  }
  const [, tensor] = known[0];
  return (tensor as InferenceSession.TensorValueMetadata).shape.map((size) =>
    typeof size === "number" ? size : 1,
  );
}

/**
 * Reads and checks a model and makes its session.
 * @throws CcparkError: not-found; invalid-argument for a file that is no ONNX model or a contract that this version cannot
 *   keep, naming the field
 */
export async function loadOnnxPolicy(path: string): Promise<OnnxPolicy> {
  const model = readModel(path);
  const contract = await contractOf(path, metadataOf(path, model));
  const { env, InferenceSession, Tensor } = await import("onnxruntime-web/wasm");
  // one row through a small network: threads would only wait for each other
  env.wasm.numThreads = 1;
  // the error that is thrown says it too
  env.logLevel = "fatal";
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(model, { executionProviders: ["wasm"], logSeverityLevel: 4 });
  } catch (cause) {
    throw refused(path, `the runtime refuses it: ${(cause as Error).message}`, cause);
  }
  const { input, output, observationSpace, actionSpace } = contract;
  const { inputMetadata, outputMetadata } = session;
  checkTensor(path, "input", input, observationSpace.shape[0], inputMetadata);
  checkTensor(path, "output", output, actionSpace.shape[0], outputMetadata);
  const { state } = contract;
  const fed = [input, ...state.map((each) => each.input)];
  const unfed = inputMetadata.find(({ name }) => !fed.includes(name));
  if (unfed !== undefined) {
    throw refused(
      path,
      `inputs of the graph: got \`${unfed.name}\`, which nothing feeds, expected only ${fed.join(", ")}`,
    );
  }
  const shapes = state.map((each) => stateShape(path, each, inputMetadata, outputMetadata));
  /** by row; as the last step left it */
  const memories = new Map<number, readonly InstanceType<typeof Tensor>[]>();
  const fresh = (): InstanceType<typeof Tensor>[] =>
    shapes.map((shape) => new Tensor("float32", new Float32Array(shape.reduce((a, b) => a * b, 1)), shape));
  return {
    contract,
    model,
    begin: (row) => void memories.delete(row),
    async act(observation, _mode, row) {
      const memory = memories.get(row) ?? fresh();
      const results = await session.run({
        [input]: new Tensor("float32", observation, [1, observation.length]),
        ...Object.fromEntries(state.map((each, i) => [each.input, memory[i]!])),
      });
      if (state.length > 0) {
        memories.set(
          row,
          state.map((each) => results[each.output]! as InstanceType<typeof Tensor>),
        );
      }
      return results[output]!.data as Float32Array;
    },
  };
}
