/** Rows that go from thread to thread where their episodes end. Threads are stood for by blocks that take turns as the test says. */
import { describe, expect, it } from "vitest";
import type { RowStretch } from "../../../envs/env.ts";
import { rowBytes, viewRows } from "../../../envs/vector/arrays.ts";
import { BrokenEnv, RowBlock } from "../../../envs/vector/block.ts";
import { layoutOf } from "../../../envs/vector/open-rows.ts";
import type { SlotEnv } from "../../../envs/vector/slots/slot-env.ts";
import { Stretches } from "../../../envs/vector/stretches.ts";
import { SERVED_TOY } from "../../grpc/toy-env.ts";

const ROWS = 4;
const STEPS = 8;
/** of an episode */
const EPISODE_STEPS = 3;

/** Blocks of ROWS environments in one buffer, the first with `split` rows of its own, the second, if any, with the rest; begun. */
function threadsOf(split: number, make: (row: number) => SlotEnv = () => toy({ steps: EPISODE_STEPS })) {
  const spec = {
    numEnvs: ROWS,
    firstSeed: 0,
    maxEpisodeSteps: 0,
    autoreset: "same-step" as const,
    withState: false,
    infoKeys: [],
  };
  const layout = layoutOf(spec, make(0));
  const rows = viewRows(new SharedArrayBuffer(rowBytes(layout)), layout);
  const ranges = [
    { from: 0, to: split },
    { from: split, to: ROWS },
  ].filter(({ from, to }) => from < to);
  const threads = ranges.map((here, i) => {
    const envs = Array.from({ length: ROWS }, (_, row) => make(row));
    const block = new RowBlock({ ...spec, from: 0, to: ROWS, here }, envs, rows);
    return { block, stretches: new Stretches(block, i === 0) };
  });
  rows.mask.fill(1);
  rows.nextSeeds.set(Array.from({ length: ROWS }, (_, row) => 50 + row));
  for (const { block } of threads) void block.reset(true);
  return { rows, threads };
}

function toy(kwargs: Readonly<Record<string, unknown>>): SlotEnv {
  return SERVED_TOY.make(kwargs, 1)[0]!;
}

/** What there was to see, by row of the task: step x ROWS + row. */
type Seen = Record<number, object>;

async function goThrough(stretch: RowStretch, seen: Seen): Promise<void> {
  while (!stretch.isOver) {
    const at = stretch.taken * ROWS + stretch.row;
    const before = [...stretch.observations];
    await stretch.step(Float32Array.of(0.1 * stretch.row, 0.01 * stretch.taken));
    const { observations, rewards, truncated, endedEpisodes } = stretch;
    const episodes = endedEpisodes.map((each) => ({ ...each }));
    seen[at] = { before, after: [...observations], reward: rewards[0], truncated: truncated[0], episodes };
  }
}

async function goThroughAll(stretches: AsyncIterable<RowStretch>, seen: Seen): Promise<number[]> {
  const order: number[] = [];
  for await (const stretch of stretches) {
    order.push(stretch.row);
    await goThrough(stretch, seen);
  }
  return order;
}

async function alone(): Promise<{ seen: Seen; observations: number[] }> {
  const { rows, threads } = threadsOf(ROWS);
  const seen: Seen = {};
  await goThroughAll(threads[0]!.stretches.stretches(STEPS), seen);
  return { seen, observations: [...rows.observations] };
}

describe("rows of a task", () => {
  it("take all of their steps on one thread, and the next episode has begun where the last step ended one", async () => {
    const { seen } = await alone();
    expect(Object.keys(seen).length).toBe(STEPS * ROWS);
    const ends = Object.values(seen).filter((each) => (each as { truncated: number }).truncated === 1);
    expect(ends.length).toBe(ROWS * Math.floor(STEPS / EPISODE_STEPS));
    const { rows, threads } = threadsOf(ROWS);
    await goThroughAll(threads[0]!.stretches.stretches(EPISODE_STEPS), {});
    expect([...rows.phase]).toEqual(new Array(ROWS).fill(1));
    for (let row = 0; row < ROWS; row++) expect(rows.observations[3 * row + 2]).toBe(0); // progress of a new episode
  });

  it("go on with the thread that asks first once their episode has ended, and the bytes are those of one thread", async () => {
    const expected = await alone();
    const { rows, threads } = threadsOf(2);
    const seen: Seen = {};
    const [slow, quick] = threads.map(({ stretches }) => stretches.stretches(STEPS)[Symbol.asyncIterator]());
    const first = (await slow!.next()).value as RowStretch;
    await goThrough(first, seen);
    const second = (await slow!.next()).value as RowStretch; // the first one's next episode is anybody's now
    const order = await goThroughAll({ [Symbol.asyncIterator]: () => quick! }, seen);
    expect(order.filter((row) => row === first.row).length).toBeGreaterThan(1);
    expect(order).not.toContain(second.row);
    await goThrough(second, seen);
    await goThroughAll({ [Symbol.asyncIterator]: () => slow! }, seen);
    expect(seen).toEqual(expected.seen);
    expect([...rows.observations]).toEqual(expected.observations);
    const here = threads.map(({ block }) => [...Array(ROWS).keys()].filter((row) => block.isHere(row)));
    expect(here.flat().sort()).toEqual([0, 1, 2, 3]);
    expect(here[1]).toContain(first.row);
  });

  it("whose episodes are older come first: what may be shared out is known early", async () => {
    const { threads } = threadsOf(ROWS, (row) => toy({ steps: 100 + row }));
    const { block, stretches } = threads[0]!;
    for (let row = 0; row < ROWS; row++) for (let i = 0; i <= row; i++) void block.stepOne(row);
    expect(await goThroughAll(stretches.stretches(2), {})).toEqual([3, 2, 1, 0]);
  });

  it("all have a thread after one of them has thrown, and can be reset", async () => {
    const make = (row: number): SlotEnv => toy(row === 1 ? { scenario: "toy-explodes" } : { steps: 2 });
    const { rows, threads } = threadsOf(ROWS, make);
    const { block, stretches } = threads[0]!;
    await expect(goThroughAll(stretches.stretches(STEPS), {})).rejects.toThrow(BrokenEnv);
    for (let row = 0; row < ROWS; row++) expect(block.isHere(row), `row ${row}`).toBe(true);
    expect([...rows.awaiting]).toEqual([0, 0, 0, 0]);
    void block.reset(true);
    expect([...rows.phase]).toEqual([1, 1, 1, 1]);
  });
});
