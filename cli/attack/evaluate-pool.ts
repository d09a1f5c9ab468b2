/** Threads that run the environments of an attack: the results do not depend on how many there are. */
import type { Evaluate } from "../../eval/attack/attack.ts";
import type { Duel } from "../../eval/attack/utility.ts";
import { openWorkerPool } from "../bench/worker-pool.ts";
import type { AttackUnit } from "./attack-worker.ts";

/** What one thread is given at once: small enough that none waits long for the last. */
const UNIT = 4;

export interface EvaluatePool {
  of(target: string, reference: string): Evaluate;
  close(): Promise<void>;
}

export async function openEvaluatePool(workers: number, weight: number): Promise<EvaluatePool> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const url = new URL(`./attack-worker.${extension}`, import.meta.url);
  const pool = await openWorkerPool(url, workers, { weight });
  return {
    of: (target, reference) => async (scenarios) => {
      const units: AttackUnit[] = [];
      for (let at = 0; at < scenarios.length; at += UNIT)
        units.push({ target, reference, scenarios: scenarios.slice(at, at + UNIT) });
      const duels: Duel[][] = await Promise.all(units.map((unit) => pool.run(unit)));
      return duels.flat();
    },
    close: () => pool.destroy(),
  };
}
