/** A pool of threads of one module, by piscina: whoever is free takes the next task. */
import type { Piscina } from "piscina";

/**
 * @param url of a module whose default export takes a task
 * @returns tasks that are under way when it is destroyed are rejected, and what threads still say of them is nobody's answer
 */
export async function openWorkerPool(url: URL, threads: number, workerData: unknown): Promise<Piscina> {
  const { Piscina } = await import("piscina");
  let isOver = false;
  class Pool extends Piscina {
    override destroy(): Promise<void> {
      isOver = true;
      return super.destroy();
    }
  }
  const pool = new Pool({ filename: url.href, minThreads: threads, maxThreads: threads, workerData });
  // piscina takes an answer that comes after its task was given up for a defect
  pool.on("error", (error: Error) => {
    if (!isOver) throw error;
  });
  return pool;
}
