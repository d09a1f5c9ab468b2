/**
 * Distributions to train on, by name: scenario files with shares, below a folder of this one's. Each episode draws a file by its
 * share, and what the file leaves to a seed.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { namedEntry } from "../../core/errors.ts";

export interface Curriculum {
  readonly name: string;
  /** one sentence */
  readonly summary: string;
  readonly source: string;
  /** where its files lie, below this one's; absent: its name */
  readonly folder?: string;
  /** what is drawn more often the further the policy is from the best baseline on it (`training/focus/gap.ts`); default false */
  readonly byGap?: boolean;
  /** file of that folder, without its ending -> how many of all shares are its */
  readonly shares: Readonly<Record<string, number>>;
}

const GENERAL_SHARES = {
  constant: 3,
  fast: 1,
  loss: 1,
  policer: 2,
  acks: 2,
  steps: 2,
  cellular: 4,
  poisson: 2,
  others: 2,
};

const TABLE: readonly Curriculum[] = [
  {
    name: "general",
    summary:
      "0.5 to 500 Mbit/s, 5 to 300 ms, 0.1 to 10 BDP: constant, stepping and cellular rates, random and bursty loss, policers, ACKs that come together, jitter, cross traffic",
    source: "ccpark; domain randomisation as in Aurora and Genet, with the paths of Pantheon's kinds",
    shares: GENERAL_SHARES,
  },
  {
    name: "gap",
    summary:
      "the links of `general`, most episodes on those where the policy is furthest from the best of cubic, vegas, bbr and copa, found out anew every `--focus-every` updates",
    source: "ccpark; curriculum by the gap to a baseline as in Genet (Xia et al., SIGCOMM 2022)",
    folder: "general",
    byGap: true,
    shares: GENERAL_SHARES,
  },
];

export const CURRICULA: ReadonlyMap<string, Curriculum> = new Map(TABLE.map((each) => [each.name, each]));

/** @throws CcparkError (not-found) with the nearest name */
export function findCurriculum(name: string): Curriculum {
  return namedEntry("train", "curriculum", CURRICULA, name);
}

/** Where a curriculum's files lie: `<package>/training/curricula/`, from the sources as from `dist/`. */
function folderOf(name: string): string {
  const fromSource = fileURLToPath(new URL(`./${name}/`, import.meta.url));
  return existsSync(fromSource)
    ? fromSource
    : fileURLToPath(new URL(`../../../training/curricula/${name}/`, import.meta.url));
}

/** Paths of its scenario files, each as often as it has shares. */
export function curriculumFiles({ name, folder = name, shares }: Curriculum): string[] {
  const path = folderOf(folder);
  return Object.entries(shares).flatMap(([file, share]) =>
    Array.from({ length: share }, () => `${path}${file}.yaml`),
  );
}
