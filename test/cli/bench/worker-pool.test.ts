import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { openWorkerPool } from "../../../cli/bench/worker-pool.ts";
import { makeFolders } from "../run-cli.ts";

const makeFolder = makeFolders();

describe("a pool of threads", () => {
  it("ends quietly while answers of its threads are on their way, and rejects what was under way", async () => {
    const module = join(makeFolder(), "echo.mjs");
    writeFileSync(module, "export default (ms) => new Promise((done) => setTimeout(done, ms, ms));\n");
    const uncaught: unknown[] = [];
    const note = (error: unknown): void => void uncaught.push(error);
    process.prependListener("uncaughtException", note);
    for (let round = 0; round < 5; round++) {
      const pool = await openWorkerPool(pathToFileURL(module), 2, undefined);
      expect(await pool.run(round)).toBe(round);
      const tasks = [5, 30, 30, 30].map((ms) => pool.run(ms));
      const outcomes = Promise.allSettled(tasks);
      await tasks[0];
      // the other thread answers before the pool goes, and nobody here has read it then
      const until = performance.now() + 60;
      while (performance.now() < until);
      await pool.destroy();
      expect((await outcomes).some(({ status }) => status === "rejected")).toBe(true);
    }
    process.removeListener("uncaughtException", note);
    expect(uncaught).toEqual([]);
  });
});
