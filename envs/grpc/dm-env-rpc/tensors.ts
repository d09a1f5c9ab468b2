/**
 * Tensors of dm_env_rpc.v1: settings as plain data, actions from tensors, observations into tensors, and their specs. An
 * agent sees vectors, or each number under its own name.
 */
import { status } from "@grpc/grpc-js";
import { type Box, boundsOf, isChoice, noChoice, numberNames, type Space } from "../../spaces.ts";
import {
  type ActionObservationSpecs,
  DataType,
  type Tensor,
  type TensorSpec,
} from "../generated/dm_env_rpc/v1/dm_env_rpc.ts";
import { RpcError } from "../status-codes.ts";

export const LAYOUTS = ["vector", "named"] as const;
/** `vector`: `observation` and `action`; `named`: a scalar per number. Both: `reward` and `discount`. */
export type Layout = (typeof LAYOUTS)[number];

export function refuse(field: string, message: string): RpcError {
  const text = `[dm_env_rpc] ${field}: ${message}`;
  return new RpcError(status.INVALID_ARGUMENT, text, { fatal: false, field });
}

/** A tensor's elements. @throws RpcError for protos and for an integer that JavaScript cannot hold */
function elementsOf(tensor: Tensor, field: string): (number | string | boolean)[] {
  const { payload } = tensor;
  if (payload === undefined) throw refuse(field, "the tensor has no payload");
  switch (payload.$case) {
    case "protos":
      throw refuse(field, "protos are not accepted");
    case "int8s":
      return [...new Int8Array(Uint8Array.from(payload.value.array).buffer)];
    case "uint8s":
      return [...payload.value.array];
    case "int64s":
    case "uint64s":
      return payload.value.array.map((value) => {
        if (Number.isSafeInteger(Number(value))) return Number(value);
        throw refuse(field, `got ${value}, expected a whole number up to 2^53 - 1`);
      });
    default:
      return [...payload.value.array];
  }
}

/** A scalar or a list. @throws RpcError (INVALID_ARGUMENT) */
function settingOf(tensor: Tensor, field: string): unknown {
  const elements = elementsOf(tensor, field);
  if (tensor.shape.length === 0) {
    if (elements.length === 1) return elements[0];
    throw refuse(field, `a scalar has one element, got ${elements.length}`);
  }
  if (tensor.shape.length > 1)
    throw refuse(field, `got ${tensor.shape.length} dimensions, expected at most 1`);
  const [length] = tensor.shape;
  if (elements.length === 1 && length! > 1) return new Array<unknown>(length!).fill(elements[0]);
  if (length! >= 0 && length !== elements.length) {
    throw refuse(field, `shape [${length}] does not fit ${elements.length} elements`);
  }
  return elements;
}

/** Settings as plain data; a `.` in a name nests. @throws RpcError (INVALID_ARGUMENT) */
export function settingsOf(settings: ReadonlyMap<string, Tensor>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [name, tensor] of settings) {
    const field = `settings.${name}`;
    const path = name.split(".");
    if (path.includes("__proto__")) throw refuse(field, "is no name of a setting");
    const last = path.pop()!;
    let place = root;
    for (const part of path) {
      if (!Object.hasOwn(place, part)) place[part] = {};
      const next = place[part];
      if (typeof next !== "object" || next === null || Array.isArray(next)) {
        throw refuse(field, `\`${part}\` is a value already`);
      }
      place = next as Record<string, unknown>;
    }
    if (Object.hasOwn(place, last)) throw refuse(field, "is set twice");
    place[last] = settingOf(tensor, field);
  }
  return root;
}

/** Numbers that one uid stands for: those of the space from `from` on. */
interface Slice {
  readonly name: string;
  readonly from: number;
  /** [] is a scalar */
  readonly shape: readonly number[];
}

/** A choice is a scalar in both layouts. */
function slicesOf(space: Space, name: string, layout: Layout): Slice[] {
  if (space.kind === "discrete") return [{ name, from: 0, shape: [] }];
  if (layout === "vector") return [{ name, from: 0, shape: space.shape }];
  return space.dimensions.map((dimension, from) => ({ name: dimension.name, from, shape: [] }));
}

const sizeOf = ({ shape }: Slice): number => shape[0] ?? 1;

/** Float32 numbers of a box, whole numbers of choices. */
function payloadOf({ kind }: Space, values: Float32Array): NonNullable<TensorSpec["min"]>["payload"] {
  return kind === "box"
    ? { $case: "floats", value: { array: [...values] } }
    : { $case: "int64s", value: { array: Array.from(values, BigInt) } };
}

function specOf({ name, from, shape }: Slice, space: Space): TensorSpec {
  const { low, high } = boundsOf(space);
  const bound = (values: Float32Array): TensorSpec["min"] => ({
    payload: payloadOf(space, values.subarray(from, from + (shape[0] ?? 1))),
  });
  const dtype = space.kind === "box" ? DataType.FLOAT : DataType.INT64;
  return { name, shape: [...shape], dtype, min: bound(low), max: bound(high) };
}

const scalar = ($case: "floats" | "doubles", value: number): Tensor => ({
  payload: { $case, value: { array: [value] } },
  shape: [],
});

/** What an agent observes and does, with the uids it has for that: 1, 2, 3 and so on. */
export class AgentTensors {
  readonly specs: ActionObservationSpecs;
  readonly #actionSpace: Space;
  readonly #actions: readonly Slice[];
  readonly #observations: readonly Slice[];

  constructor(observationSpace: Box, actionSpace: Space, layout: Layout) {
    this.#actionSpace = actionSpace;
    this.#actions = slicesOf(actionSpace, "action", layout);
    this.#observations = slicesOf(observationSpace, "observation", layout);
    const numbered = (specs: readonly TensorSpec[]): Map<bigint, TensorSpec> =>
      new Map(specs.map((spec, i) => [BigInt(i + 1), spec]));
    this.specs = {
      actions: numbered(this.#actions.map((slice) => specOf(slice, actionSpace))),
      observations: numbered([
        ...this.#observations.map((slice) => specOf(slice, observationSpace)),
        { name: "reward", shape: [], dtype: DataType.DOUBLE, min: undefined, max: undefined },
        {
          name: "discount",
          shape: [],
          dtype: DataType.FLOAT,
          min: { payload: { $case: "floats", value: { array: [0] } } },
          max: { payload: { $case: "floats", value: { array: [1] } } },
        },
      ]),
    };
  }

  /** @throws RpcError (INVALID_ARGUMENT) with the uid that does not exist */
  checkRequested(uids: readonly bigint[]): void {
    for (const uid of uids) {
      if (!this.specs.observations.has(uid)) {
        throw refuse("requested_observations", `there is no observation with the uid ${uid}`);
      }
    }
  }

  /** One tensor per uid, however often it was requested. @param uids checked */
  observe(
    uids: readonly bigint[],
    observation: Float32Array,
    reward: number,
    discount: number,
  ): Map<bigint, Tensor> {
    const count = this.#observations.length;
    const tensorOf = (index: number): Tensor => {
      if (index === count) return scalar("doubles", reward);
      if (index === count + 1) return scalar("floats", discount);
      const slice = this.#observations[index]!;
      const array = [...observation.subarray(slice.from, slice.from + sizeOf(slice))];
      return { payload: { $case: "floats", value: { array } }, shape: [...slice.shape] };
    };
    return new Map(uids.map((uid) => [uid, tensorOf(Number(uid) - 1)]));
  }

  /**
   * The whole action. What is not given is 0, or the bound next to it; of choices the first one.
   * @throws RpcError (INVALID_ARGUMENT): unknown uid, wrong type or shape, out of range
   */
  action(given: ReadonlyMap<bigint, Tensor>): Float32Array {
    const { low, high } = boundsOf(this.#actionSpace);
    const action = low.map((bound, i) => Math.min(Math.max(0, bound), high[i]!));
    for (const [uid, tensor] of given) {
      const slice = this.#actions[Number(uid) - 1];
      if (slice === undefined) throw refuse("actions", `there is no action with the uid ${uid}`);
      action.set(this.#valuesFor(slice, tensor, `actions[${uid}]`), slice.from);
    }
    return action;
  }

  #valuesFor(slice: Slice, tensor: Tensor, field: string): Float32Array {
    const size = sizeOf(slice);
    const given = this.#numbersOf(slice, tensor, field);
    const { shape } = tensor;
    // one element fills any shape; one negative dimension is what the number of elements says
    const wanted = slice.shape.length === 0 ? "[]" : `[${size}]`;
    const fits =
      shape.length <= slice.shape.length &&
      shape.every((length) => length < 0 || length === size) &&
      (given.length === 1 || (given.length === size && shape.length === slice.shape.length));
    if (!fits) {
      throw refuse(
        field,
        `\`${slice.name}\` has the shape ${wanted}, got [${shape}] with ${given.length} elements`,
      );
    }
    const values = given.length === 1 ? new Float32Array(size).fill(given[0]!) : Float32Array.from(given);
    values.forEach((value, i) => {
      this.#checkRange(value, slice.from + i, field);
    });
    return values;
  }

  #numbersOf({ name }: Slice, { payload }: Tensor, field: string): readonly number[] {
    const isBox = this.#actionSpace.kind === "box";
    if (isBox && payload?.$case === "floats") return payload.value.array;
    if (!isBox && payload?.$case === "int64s") return payload.value.array.map(Number);
    const type = isBox ? "FLOAT" : "INT64";
    throw refuse(field, `\`${name}\` is of type ${type}, got ${payload?.$case ?? "no payload"}`);
  }

  /** @param at of the action's numbers */
  #checkRange(value: number, at: number, field: string): void {
    const space = this.#actionSpace;
    if (space.kind === "discrete") {
      if (!isChoice(space, value)) throw refuse(field, noChoice(space, value, "the action").message);
      return;
    }
    const [low, high] = [space.low[at]!, space.high[at]!];
    if (value >= low && value <= high) return;
    const name = numberNames(space)[at];
    throw refuse(field, `${name} is out of range: got ${value}, expected ${low} to ${high}`);
  }
}
