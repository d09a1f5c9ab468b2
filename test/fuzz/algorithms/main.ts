/**
 * `npm run fuzz:algorithms [-- --minutes M --seed S --case NAME]`: random reports and ACKs for every algorithm, for an hour unless
 * told otherwise. Exits with 1 on a finding, with the command that replays it.
 */
import { scriptOptions } from "../../../envs/grpc/bench/options.ts";
import { FORMS, runAlgorithmFuzz } from "./run.ts";

const { values } = scriptOptions("fuzz:algorithms", {
  minutes: { type: "number", what: "in all", low: 0.001, high: 10_000, isFraction: true, default: "60" },
  seed: { type: "number", what: "of all cases", default: "1" },
  case: { type: "string", what: "this one alone" },
});
const { minutes, seed } = values;

const began = performance.now();
const cases =
  values.case === undefined ? Number.POSITIVE_INFINITY : Number(values.case.split(":").at(-1)) + 1;
const { tally, findings } = runAlgorithmFuzz(
  seed,
  cases,
  values.case,
  () => performance.now() - began > minutes * 60_000,
);
for (const { name, error } of findings) {
  console.error(`\nFINDING in ${name}: ${error.stack}`);
  console.error(`replay: npm run fuzz:algorithms -- --seed ${seed} --case ${name}`);
}
const count = (what: string): string => tally.get(what).toLocaleString("en-US");
const seconds = ((performance.now() - began) / 1000).toFixed(0);
console.log(
  `${FORMS.length} algorithms, ${count("cases")} cases: ${count("reports")} reports, ${count("wakes")} wakes, ${count("ACKs")} ACKs`,
);
console.log(`${findings.length === 0 ? "no" : findings.length} findings in ${seconds} s, seed ${seed}`);
if (findings.length > 0) process.exitCode = 1;
