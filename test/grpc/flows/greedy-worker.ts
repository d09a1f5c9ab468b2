/** A client of another thread that asks for flows until it has a million, and goes on asking when it is refused. */
import { constants, setPriority } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { status } from "@grpc/grpc-js";
import { RawClient } from "../server/raw-client.ts";

// of this thread alone: what is measured is the server's time, not how many processors there are for clients
setPriority(constants.priority.PRIORITY_LOW);
const { port, active } = workerData as { readonly port: number; readonly active: Int32Array };
const MILLION = 1_000_000;
const client = new RawClient(port);
const tally = { flows: 0, refused: 0, other: 0 };
for (let asked = 0; asked < MILLION && active[1] === 0; ) {
  if (active[0] === 0) {
    await sleep(5);
    continue;
  }
  try {
    const { numEnvs } = await client.create({ numEnvs: 100, kwargs: { scenario: "park-paper" } });
    asked += numEnvs;
    tally.flows += numEnvs;
  } catch (error) {
    if ((error as { readonly code?: number }).code === status.RESOURCE_EXHAUSTED) tally.refused += 1;
    else tally.other += 1;
  }
}
client.close();
parentPort!.postMessage(tally);
