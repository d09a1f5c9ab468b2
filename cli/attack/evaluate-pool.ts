/** Threads that run the environments of an attack: the results do not depend on how many there are. */
import type { Evaluate } from "../../eval/attack/attack.ts";
import type { Duel } from "../../eval/attack/utility.ts";
import { openWorkerPool } from "../bench/worker-pool.ts";
import type { AttackUnit } from "./attack-worker.ts";

export interface EvaluatePool {
  of(target: string, reference: string): Evaluate;
  close(): Promise<void>;
}

export async function openEvaluatePool(workers: number, weight: number): Promise<EvaluatePool> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const url = new URL(`./attack-worker.${extension}`, import.meta.url);
  const pool = await openWorkerPool(url, workers, { weight });
  return {
    // one by one: a search goes on when its batch is done, and a thread would wait for the last of another's
    of: (target, reference) => (scenarios) =>
      Promise.all(
        scenarios.map((scenario): Promise<Duel> => {
          const unit: AttackUnit = { target, reference, scenario };
          return pool.run(unit);
        }),
      ),
    close: () => pool.destroy(),
  };
}
