import { randomFillSync } from "node:crypto";
import type { Worker } from "node:worker_threads";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CcparkError } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";
import { startWorkerThread } from "../../core/start-worker-thread.ts";
import { drawCreator, FlowHandle, HandleRegistry } from "../../flows/handle.ts";

describe("a flow handle", () => {
  it("is the value of its 64, 32 and 32 bits, printed and read back the same", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        fc.nat(2 ** 32 - 1),
        fc.nat(2 ** 32 - 1),
        (creator, registry, local) => {
          const handle = new FlowHandle(creator, registry, local);
          const read = FlowHandle.parse(handle.toString());
          expect(read).toMatchObject({ creator, registry, local });
          expect(read.equals(handle)).toBe(true);
          expect(JSON.stringify({ handle })).toBe(`{"handle":"${handle}"}`);
        },
      ),
    );
    expect(`${new FlowHandle(0x123456789abcdefn, 7, 255)}`).toBe("0123456789abcdef.00000007.000000ff");
  });

  it.each(["", "1.2.3", "0123456789ABCDEF.00000007.000000ff", "0123456789abcdef.00000007.000000ff "])(
    "is refused in one sentence where it is written as %j",
    (text) => {
      expect(() => FlowHandle.parse(text)).toThrow(
        `[flows] handle: got ${JSON.stringify(text)}, expected CREATOR.REGISTRY.LOCAL`,
      );
    },
  );

  it.each([
    [-1n, 0, 0],
    [2n ** 64n, 0, 0],
    [0n, 2 ** 32, 0],
    [0n, 0, 0.5],
  ])("does not take parts that do not fit: %s %s %s", (creator, registry, local) => {
    expect(() => new FlowHandle(creator, registry, local)).toThrow(CcparkError);
  });

  it("repeats where the generator does, and goes on in a registry drawn anew when one is full", () => {
    const make = (): HandleRegistry => {
      const rng = Rng.fromSeed(3).fork("handles");
      return new HandleRegistry(() => rng.integer(2 ** 32));
    };
    const [a, b] = [make(), make()];
    expect(Array.from({ length: 5 }, () => `${a.next()}`)).toEqual(
      Array.from({ length: 5 }, () => `${b.next()}`),
    );
    expect(new Set(Array.from({ length: 1000 }, () => a.next().registry)).size).toBe(1);
  });

  it("is unique without an allocator: 2 workers make 100,000 each, and no two are equal", async () => {
    const word = new Uint32Array(1);
    const creator = drawCreator(() => randomFillSync(word)[0]!);
    const make = (): Promise<string[]> =>
      new Promise((resolve, reject) => {
        const worker: Worker = startWorkerThread(new URL("./handle-worker.ts", import.meta.url), {
          creator,
          count: 100_000,
        });
        worker.once("message", resolve);
        worker.once("error", reject);
      });
    const made = (await Promise.all([make(), make()])).flat();
    expect(made).toHaveLength(200_000);
    expect(new Set(made).size).toBe(200_000);
    expect(made.every((text) => FlowHandle.parse(text).creator === creator)).toBe(true);
  }, 60_000);
});
