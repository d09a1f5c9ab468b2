/**
 * `npm run fuzz:scenarios [-- --objects N --from I --seed S --case I]`: scenario objects by schema, with extreme and wrong values, sent to
 * a server beside which another client waits. Exits with 1 on a finding, with the command that replays it.
 */
import { scriptOptions } from "../../../envs/grpc/bench/options.ts";
import { fuzzScenarios } from "./run.ts";

const { values } = scriptOptions("fuzz:scenarios", {
  objects: { type: "number", what: "in all", default: "20000" },
  from: { type: "number", what: "the first one: where a run that was broken off goes on", default: "0" },
  seed: { type: "number", what: "of all objects", default: "1" },
  case: { type: "number", what: "this object alone" },
});
const { objects, from, seed, case: only } = values;
process.once("SIGINT", () => process.exit(130));
console.log(`seed ${seed}`);
const startedMs = performance.now();
let toldMs = startedMs;
const outcome = await fuzzScenarios({
  objects,
  from,
  seed,
  ...(only === undefined ? {} : { only }),
  onProgress(done) {
    const nowMs = performance.now();
    if (nowMs - toldMs < 15_000) return;
    toldMs = nowMs;
    console.log(`${((nowMs - startedMs) / 1000).toFixed(0)} s: ${done} objects`);
  },
  onSuspects: (indices) => console.log(`tried again alone: ${indices.join(", ") || "none"}`),
});
const { refused, ran, ended, longestWaitMs, asked, findings } = outcome;
console.log(
  `${refused} refused in one sentence, ${ran} ran their first step, ${ended} ended by the server; another client asked ${asked} times and waited ${longestWaitMs.toFixed(0)} ms at most; seed ${seed}`,
);
for (const finding of findings) console.error(`FINDING ${finding}`);
for (const finding of findings) {
  const index = /^object (\d+)/.exec(finding)?.[1];
  console.error(`replay: npm run fuzz:scenarios -- --seed ${seed} --case ${index}`);
}
console.log(findings.length === 0 ? "no findings" : `${findings.length} findings`);
process.exit(findings.length === 0 ? 0 : 1);
