/**
 * `npm run chaos:ccp [-- --restarts N]`: agents killed and restarted under load, in lock-step and in real time, ours and
 * the Portus one; then every other mishap once. Prints a table; exit code 1 if anything deviated.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import { PACES } from "../../envs/foreign-agent/pace.ts";
import { scriptOptions } from "../../envs/grpc/bench/options.ts";
import { type AgentCommand, ourAgent, rustAgent } from "../envs/foreign-agent/agent-child.ts";
import { mishaps } from "./mishaps.ts";
import { type RestartOutcome, restartAgents } from "./restarts.ts";

/** For all of it: a run takes about six minutes. */
const LIMIT_MIN = 20;
const MISHAP_LIMIT_MS = 60_000;

const { restarts } = scriptOptions("chaos:ccp", {
  restarts: { type: "number", what: "of each agent", low: 1, default: "100" },
}).values;

const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const note = (text: string): boolean => process.stderr.write(`${text}\n`);
const folder = mkdtempSync(join(tmpdir(), "ccpark-chaos-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
process.once("SIGINT", () => process.exit(130));
setTimeout(() => {
  note(`not done after ${LIMIT_MIN} minutes`);
  process.exit(1);
}, LIMIT_MIN * 60_000).unref();

const problems: string[] = [];
const rows: { agent: string; pace: string; outcome: RestartOutcome }[] = [];
const agents: [string, (path: string) => AgentCommand | undefined][] = [
  ["ccpark", ourAgent],
  ["Portus", rustAgent],
];
for (const [name, command] of agents) {
  const agent = command(join(folder, name));
  if (agent === undefined) {
    note("the Portus agent is left out: test/setup/build-interop.sh builds it");
    continue;
  }
  for (const pace of PACES) {
    note(`${name}, ${pace}: ${restarts} restarts`);
    try {
      const outcome = await restartAgents({
        agent,
        pace,
        restarts,
        limitSec: 30 + 5 * restarts,
        onRestart: (done) => {
          if (done % 25 === 0) note(`  ${done}`);
        },
      });
      rows.push({ agent: name, pace, outcome });
      problems.push(...outcome.problems.map((problem) => `${name}, ${pace}: ${problem}`));
    } catch (error) {
      problems.push(`${name}, ${pace}: ${(error as Error).message}`);
    }
  }
}

const messages: [string, string][] = [];
for (const mishap of mishaps()) {
  note(mishap.name);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${MISHAP_LIMIT_MS} ms`)), MISHAP_LIMIT_MS);
  });
  try {
    messages.push([mishap.name, await Promise.race([mishap.run(folder), late])]);
  } catch (error) {
    problems.push(`${mishap.name}: ${(error as Error).message}`);
    messages.push([mishap.name, "FAILED"]);
  } finally {
    clearTimeout(timer);
  }
}

const style = { head: [], border: [], compact: true };
const table = new Table({
  head: [
    "agent",
    "mode",
    "restarts",
    "return: mean, worst ms",
    "longest stall ms",
    "fallbacks",
    "reports",
    "simulated s",
    "RSS MB",
    "heap MB",
    "flows, programs in the tables",
  ],
  style,
});
const range = ([from, to]: readonly [number, number]): string => `${from.toFixed(0)} to ${to.toFixed(0)}`;
for (const { agent, pace, outcome } of rows) {
  table.push([
    agent,
    pace,
    outcome.restarts,
    `${outcome.meanReturnMs.toFixed(0)}, ${outcome.worstReturnMs.toFixed(0)}`,
    outcome.worstStallMs.toFixed(0),
    outcome.fallbacks,
    outcome.reports,
    outcome.simulatedSec.toFixed(0),
    range(outcome.rssMb),
    range(outcome.heapMb),
    `${range(outcome.flows)}, ${range(outcome.programs)}`,
  ]);
}
say(`Four flows on 48 Mbit/s; return: from the agent's return until it controls every flow.\n${table}`);
say("\nEverything else, and what was said:");
for (const [name, message] of messages) say(`- ${name}\n  ${message}`);
if (problems.length > 0) say(`\n${problems.length} problems:\n${problems.join("\n")}`);
else say("\nNo flow stopped, and every agent got its flows back.");
process.exit(problems.length > 0 ? 1 : 0);
