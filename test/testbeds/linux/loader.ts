/** A process with an agent, to be killed: NAME ALGORITHM. */
import { overCcp, resolveAlgorithm } from "../../../algorithms/reference.ts";
import { compileAlgorithms } from "../../../ccp-bridge/agent/program-set.ts";
import { loadLibc } from "../../../testbeds/host/libc.ts";
import { LinuxAgent } from "../../../testbeds/linux/linux-agent.ts";

async function main(): Promise<void> {
  const [name, reference] = process.argv.slice(2);
  const set = compileAlgorithms([overCcp(resolveAlgorithm(reference!))]);
  new LinuxAgent(await loadLibc(), { name: name!, set });
  console.log("ready");
  // nobody kills it: it must not stay for ever
  setTimeout(() => process.exit(1), 60_000);
}

await main();
