/** Environments as rows: arrays, and the blocks that fill them, on the calling thread or split over worker threads. */
import { type RowArrays, type RowLayout, rowBytes, viewRows } from "./arrays.ts";
import { type BlockConfig, RowBlock } from "./block.ts";
import { type BlockPlace, placeHere } from "./place.ts";
import type { EnvKind, SlotEnv, SlotEnvShape } from "./slots/slot-env.ts";

export interface RowsSpec extends Omit<BlockConfig, "from" | "to"> {
  readonly numEnvs: number;
}

export interface OpenRows {
  readonly rows: RowArrays;
  /** all environments, in order */
  readonly blocks: readonly BlockPlace[];
}

/** What makes a block elsewhere. */
export interface BlockRequest {
  readonly envId: string;
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly config: BlockConfig;
  readonly layout: RowLayout;
  readonly buffer: SharedArrayBuffer;
}

/** Threads that open the blocks of one vector form. */
export interface BlockThreads {
  readonly count: number;
  open(requests: readonly BlockRequest[]): Promise<BlockPlace[]>;
}

export function layoutOf({ numEnvs, withState, infoKeys }: RowsSpec, sample: SlotEnvShape): RowLayout {
  return {
    numEnvs,
    slots: sample.flowIds.length,
    observationWidth: sample.observationSpace.shape[0],
    actionWidth: sample.actionSpace.shape[0],
    stateWidth: withState ? sample.stateSpace!.shape[0] : 0,
    infoKeys: infoKeys.length,
  };
}

/**
 * @param envs numEnvs of them, at least 1
 * @param buffer absent: one that no other thread sees
 */
export function blockHere(
  spec: RowsSpec,
  envs: readonly SlotEnv[],
  buffer?: SharedArrayBuffer,
): { rows: RowArrays; block: RowBlock } {
  const layout = layoutOf(spec, envs[0]!);
  const rows = viewRows(buffer ?? new ArrayBuffer(rowBytes(layout)), layout);
  return { rows, block: new RowBlock({ ...spec, from: 0, to: spec.numEnvs }, envs, rows) };
}

/** @param buffer as of `blockHere` */
export function openRowsHere(spec: RowsSpec, envs: readonly SlotEnv[], buffer?: SharedArrayBuffer): OpenRows {
  const { rows, block } = blockHere(spec, envs, buffer);
  return { rows, blocks: [placeHere(block, 0, spec.numEnvs, rows.seeds)] };
}

/** Room for the rows, which several threads see. */
export function sharedBuffer(spec: RowsSpec, shape: SlotEnvShape): SharedArrayBuffer {
  return new SharedArrayBuffer(rowBytes(layoutOf(spec, shape)));
}

/** Ends of contiguous ranges, as equal as they can be. */
function split(count: number, parts: number): { from: number; to: number }[] {
  return Array.from({ length: parts }, (_, i) => ({
    from: Math.floor((count * i) / parts),
    to: Math.floor((count * (i + 1)) / parts),
  }));
}

/**
 * @param of sample: an environment like all others, for its shape; withCaller: the calling thread has a block too, the last
 *   one, so that the others have been told when it begins with its own, and each block may adopt what the others had first
 * @throws whatever the making of the environments throws
 */
export async function openRowsInThreads(
  spec: RowsSpec,
  of: {
    readonly kind: EnvKind;
    readonly kwargs: Readonly<Record<string, unknown>>;
    readonly sample: SlotEnvShape;
    readonly withCaller: boolean;
  },
  threads: BlockThreads,
  buffer: SharedArrayBuffer = sharedBuffer(spec, of.sample),
): Promise<OpenRows> {
  const layout = layoutOf(spec, of.sample);
  const rows = viewRows(buffer, layout);
  const { kind, kwargs, withCaller } = of;
  const { numEnvs, ...config } = spec;
  const parts = Math.min(threads.count + (withCaller ? 1 : 0), numEnvs);
  const all = { from: 0, to: numEnvs };
  const configs = split(numEnvs, parts).map(
    (range): BlockConfig => ({ ...config, ...(withCaller ? { ...all, here: range } : range) }),
  );
  const own = withCaller ? configs.splice(-1) : [];
  const blocks = await threads.open(
    configs.map((each) => ({ envId: kind.envId, kwargs, config: each, layout, buffer })),
  );
  for (const each of own) {
    const block = new RowBlock(each, kind.make(kwargs, each.to - each.from), rows);
    blocks.push(placeHere(block, each.from, each.to, rows.seeds));
  }
  return { rows, blocks };
}
