/**
 * `npm run soak:grpc [-- --minutes N --seed S]`: a server under 50 clients that connect, step and die at random, ten of them
 * hostile; `--minutes 60` is the long form. Exit code
 * 1 if sessions are left, memory grows, or anybody got an error that was not asked for.
 */
import { scriptOptions } from "../../envs/grpc/bench/options.ts";
import { soak } from "./soak.ts";

const { minutes, seed } = scriptOptions("soak:grpc", {
  minutes: { type: "number", what: "in all", low: 0.01, high: 10_000, isFraction: true, default: "20" },
  seed: { type: "number", what: "of lives and attacks", default: "1" },
}).values;
const say = (text: string): boolean => process.stdout.write(`${text}\n`);
process.once("SIGINT", () => process.exit(130));
const { problems, ...rest } = await soak({ minutes, seed, onMinute: say });
say(
  `${rest.lives} lives, ${rest.attacks} attacks, ${rest.longestWaitMs.toFixed(0)} ms the longest wait, ${rest.steps} environment steps, ${rest.kills} processes killed, up to ${rest.peakSessions} sessions; memory ${rest.rssMb[0].toFixed(0)} to ${rest.rssMb[1].toFixed(0)} MB, ${rest.peakMb.toFixed(0)} MB at most; seed ${seed}`,
);
const shown = [...new Set(problems)].slice(0, 20);
say(
  problems.length === 0
    ? "Nothing was left, and nobody got an error that was not asked for."
    : shown.join("\n"),
);
process.exit(problems.length > 0 ? 1 : 0);
