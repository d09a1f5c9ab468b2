/**
 * `npm run fuzz:algorithms [-- --minutes M --seed S --case NAME]`: random reports and ACKs for every algorithm, for an hour unless
 * told otherwise. Exits with 1 on a finding, with the command that replays it.
 */
import { parseArgs } from "node:util";
import { FORMS, runAlgorithmFuzz } from "./run.ts";

const { values } = parseArgs({
  args: process.argv.slice(2).filter((word) => word !== "--"),
  options: {
    minutes: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    case: { type: "string" },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isSafeInteger(seed) || seed < 0) {
  console.error("--minutes expects a number above 0, --seed a whole number");
  process.exit(2);
}

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
