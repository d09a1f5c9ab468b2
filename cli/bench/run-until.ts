/** Wiring of `bench --until`: runs more seeds until the intervals are narrow. */
import { CcparkError } from "../../core/errors.ts";
import { moreSeeds, parseUntil, widestInterval } from "../../eval/aggregate/until.ts";
import type { BenchmarkPlan, BenchmarkRun } from "../../eval/benchmark.ts";
import { MAX_SEEDS, seedsUpTo } from "../../eval/seeds.ts";
import { printErr } from "../console.ts";

/** Below it an interval says nothing about itself. */
const FIRST_SEEDS = 3;

/**
 * @param plan its seeds are the first ones; at least three are run
 * @param runSeeds runs the plan with these seeds alone
 * @returns the runs in the order of a plan with all of the seeds
 * @throws CcparkError invalid-argument: no such condition, or a contender that chooses for all seeds at once
 */
export async function runUntil(
  text: string,
  { scenarios, contenders, seeds: given }: BenchmarkPlan,
  runSeeds: (seeds: readonly number[]) => Promise<BenchmarkRun[]>,
  { quiet }: { readonly quiet: boolean },
): Promise<{ runs: BenchmarkRun[]; seeds: readonly number[] }> {
  const until = parseUntil(text);
  const hindsight = contenders.find(({ prepare }) => prepare !== undefined);
  if (hindsight !== undefined) {
    const message = `[bench] --until: \`${hindsight.name}\` chooses for all seeds at once, expected contenders whose runs stand alone`;
    throw new CcparkError("invalid-argument", message);
  }
  let seeds = given.length < FIRST_SEEDS ? seedsUpTo(FIRST_SEEDS) : given;
  const runs = await runSeeds(seeds);
  for (;;) {
    const widest = widestInterval(
      runs.map(({ record }) => record),
      until,
    );
    if (!quiet)
      printErr(
        `${seeds.length} seeds: widest interval of ${until.quantity} ${(100 * widest).toFixed(1)} % of its mean\n`,
      );
    if (widest <= until.relativeWidth) break;
    if (seeds.length >= MAX_SEEDS) {
      const wanted = `${(100 * until.relativeWidth).toFixed(1)} % of its mean`;
      printErr(
        `--until ${text}: not reached, some row is wider than ${wanted} with ${MAX_SEEDS} seeds, the most there are\n`,
      );
      break;
    }
    const all = seedsUpTo(seeds.length + moreSeeds(seeds.length, widest, until, MAX_SEEDS));
    runs.push(...(await runSeeds(all.slice(seeds.length))));
    seeds = all;
  }
  const place = new Map(
    scenarios.flatMap(({ name }, i) =>
      contenders.map((contender, j) => [`${name}\n${contender.name}`, i * contenders.length + j] as const),
    ),
  );
  const rank = ({ record }: BenchmarkRun): number =>
    place.get(`${record.scenario}\n${record.algorithm}`)! * (MAX_SEEDS + 1) + record.seed;
  return { runs: runs.sort((a, b) => rank(a) - rank(b)), seeds };
}
