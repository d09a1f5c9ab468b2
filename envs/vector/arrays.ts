/**
 * The numbers of all rows of a vector form, side by side in one buffer that threads may share: requests are written into it and
 * answers read from it, so between threads only a word goes to and fro.
 */

export interface RowLayout {
  readonly numEnvs: number;
  readonly slots: number;
  readonly observationWidth: number;
  readonly actionWidth: number;
  /** 0: no state */
  readonly stateWidth: number;
  readonly infoKeys: number;
}

/** Where an environment is. */
export const NEW = 0;
export const RUNNING = 1;
export const ENDED = 2;

/** Hands out pieces of a buffer, the widest items first so that each is aligned. */
class Carver {
  readonly #buffer: ArrayBufferLike | undefined;
  bytes = 0;

  constructor(buffer?: ArrayBufferLike) {
    this.#buffer = buffer;
  }

  #take(bytes: number): [ArrayBufferLike, number] {
    const at = this.bytes;
    this.bytes += bytes;
    return [this.#buffer ?? new ArrayBuffer(0), this.#buffer === undefined ? 0 : at];
  }

  float64(length: number): Float64Array {
    const [buffer, at] = this.#take(length * 8);
    return new Float64Array(buffer, at, this.#buffer === undefined ? 0 : length);
  }

  int32(length: number): Int32Array {
    const [buffer, at] = this.#take(length * 4);
    return new Int32Array(buffer, at, this.#buffer === undefined ? 0 : length);
  }

  float32(length: number): Float32Array {
    const [buffer, at] = this.#take(length * 4);
    return new Float32Array(buffer, at, this.#buffer === undefined ? 0 : length);
  }

  uint8(length: number): Uint8Array {
    const [buffer, at] = this.#take(length);
    return new Uint8Array(buffer, at, this.#buffer === undefined ? 0 : length);
  }
}

/** [rows] unless it says otherwise; a row is environment x slots + slot. */
export interface RowArrays {
  /** of the step at hand */
  readonly rewards: Float64Array;
  /** [infoKeys x rows], of rows that are present */
  readonly infos: Float64Array;
  /** the same of the last step of the episodes that ended under SAME_STEP */
  readonly finalInfos: Float64Array;
  /** by environment: of the episode that runs */
  readonly seeds: Float64Array;
  /** by environment: those of the next reset */
  readonly nextSeeds: Float64Array;
  /** [environments x 3]: what those that await a thread take along, as `Handover` has it: first seed, advances, episode */
  readonly handovers: Float64Array;
  /** by environment: 1 while its next episode may begin on any thread; by `Atomics` */
  readonly awaiting: Int32Array;
  /** by environment: steps of the task at hand that lie behind it */
  readonly taken: Int32Array;
  /** [rows x action] */
  readonly actions: Float32Array;
  /** [rows x observation] */
  readonly observations: Float32Array;
  readonly finalObservations: Float32Array;
  /** [environments x state] */
  readonly states: Float32Array;
  readonly finalStates: Float32Array;
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
  readonly present: Uint8Array;
  readonly live: Uint8Array;
  /** reset instead of stepped in this step */
  readonly resetRows: Uint8Array;
  /** has a last observation in `finalObservations` */
  readonly hasFinal: Uint8Array;
  /** by environment: its episode ended in this step */
  readonly ended: Uint8Array;
  /** by environment: NEW, RUNNING or ENDED */
  readonly phase: Uint8Array;
  /** by environment: to be reset by the reset at hand */
  readonly mask: Uint8Array;
  /** by environment: its episode is to be truncated by the next step, whatever its length; the next one clears it */
  readonly cut: Uint8Array;
}

function carve(carver: Carver, layout: RowLayout): RowArrays {
  const { numEnvs, slots, observationWidth, actionWidth, stateWidth, infoKeys } = layout;
  const rows = numEnvs * slots;
  return {
    rewards: carver.float64(rows),
    infos: carver.float64(infoKeys * rows),
    finalInfos: carver.float64(infoKeys * rows),
    seeds: carver.float64(numEnvs),
    nextSeeds: carver.float64(numEnvs),
    handovers: carver.float64(numEnvs * 3),
    awaiting: carver.int32(numEnvs),
    taken: carver.int32(numEnvs),
    actions: carver.float32(rows * actionWidth),
    observations: carver.float32(rows * observationWidth),
    finalObservations: carver.float32(rows * observationWidth),
    states: carver.float32(numEnvs * stateWidth),
    finalStates: carver.float32(numEnvs * stateWidth),
    terminated: carver.uint8(rows),
    truncated: carver.uint8(rows),
    present: carver.uint8(rows),
    live: carver.uint8(rows),
    resetRows: carver.uint8(rows),
    hasFinal: carver.uint8(rows),
    ended: carver.uint8(numEnvs),
    phase: carver.uint8(numEnvs),
    mask: carver.uint8(numEnvs),
    cut: carver.uint8(numEnvs),
  };
}

export function rowBytes(layout: RowLayout): number {
  const carver = new Carver();
  carve(carver, layout);
  return carver.bytes;
}

/** Views of a buffer of `rowBytes`. */
export function viewRows(buffer: ArrayBufferLike, layout: RowLayout): RowArrays {
  return carve(new Carver(buffer), layout);
}
