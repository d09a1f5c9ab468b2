/**
 * `counting-process.ts KIND ADDRESS KEY COUNT`: adds one to a key's value, COUNT times, by compare-and-swap. Prints a line for each
 * time that its swap was the one: the value and, from before, the revision.
 */
import { once } from "node:events";
import { add } from "./asked.ts";
import { openStore, type StoreKind } from "./open-store.ts";

const [kind, address, key, count] = process.argv.slice(2) as [StoreKind, string, string, string];
const { store, close } = await openStore(kind, address);
process.send?.("ready");
// who is asked to count begins when all are there
await once(process, "message");
for (let i = 0; i < Number(count); i++) {
  const { value, before } = await add(store, key);
  process.stdout.write(`${value} ${before}\n`);
}
close();
process.disconnect?.();
