/**
 * The folders that `ccpark ui` shows: results of benchmarks, trainings and experiments below the given ones. What is read of one
 * is kept until its files change; a folder that cannot be read is listed with the reason, and hides no other.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { hasResults, readSummary, type SavedSummary } from "../plots/saved-results.ts";
import { verdictSentences } from "../verdicts/verdicts.ts";
import { evaluationOf } from "./evaluation.ts";
import type { LeagueRun } from "./league.ts";
import { runLinks } from "./run-links.ts";
import { EVALUATIONS_FILE, trainingSentences } from "./training-facts.ts";

export type RunKind = "results" | "training" | "experiment" | "league";

/** One line of the first page. */
export interface RunEntry {
  /** stands for the folder in addresses */
  readonly id: string;
  /** relative to the folder that was given */
  readonly name: string;
  readonly kind: RunKind;
  readonly title: string;
  readonly modifiedMs: number;
  readonly contenders: readonly string[];
  readonly links: readonly string[];
  /** what it says, in sentences */
  readonly sentences: readonly string[];
  /** still growing: it has runs, but no summary yet; or training holds its lock */
  readonly live: boolean;
  /** why it could not be read */
  readonly error?: string;
}

/** Files that tell what a folder is. */
const MARKERS = ["summary.json", "results.jsonl", "progress.jsonl", "league.json"] as const;
/** Files that tell when a folder has changed. */
const CHANGING = [...MARKERS, EVALUATIONS_FILE] as const;
/** Folders are looked for this deep. */
const MAX_DEPTH = 4;
/** Of the folders' own, in which no runs are. */
const PASSED = new Set(["node_modules", "exports", "plots", ".git"]);

interface Found {
  readonly id: string;
  readonly path: string;
  readonly name: string;
  /** somebody writes to it; when that ends, no other file need change */
  readonly isLocked: boolean;
}

type Dated = Found & { readonly modifiedMs: number };

function modifiedMs(path: string): number {
  return Math.max(
    ...CHANGING.map((file) => statSync(join(path, file), { throwIfNoEntry: false })?.mtimeMs ?? 0),
  );
}

function find(root: string): Found[] {
  const found: Found[] = [];
  const visit = (path: string, depth: number): void => {
    const entries = readdirSync(path, { withFileTypes: true });
    if (entries.some((entry) => entry.isFile() && (MARKERS as readonly string[]).includes(entry.name))) {
      const id = createHash("sha256").update(resolve(path)).digest("hex").slice(0, 16);
      found.push({
        id,
        path,
        name: relative(root, path) === "" ? basename(resolve(root)) : relative(root, path),
        isLocked: entries.some((entry) => entry.name.startsWith(".lock-")),
      });
    }
    if (depth === MAX_DEPTH) return;
    for (const entry of entries) {
      if (!entry.isDirectory() || PASSED.has(entry.name) || entry.name.startsWith(".")) continue;
      try {
        visit(join(path, entry.name), depth + 1);
      } catch {
        // a folder that may not be read has nothing to show
      }
    }
  };
  visit(root, 0);
  return found;
}

function json(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

interface Described {
  readonly entry: Omit<RunEntry, "id" | "name" | "modifiedMs">;
  /** absent: it has none */
  readonly results?: SavedSummary;
}

function describe({ path, name, isLocked }: Found): Described {
  const nothing = { contenders: [], links: [], sentences: [], live: false };
  const summary = existsSync(join(path, "summary.json")) ? json(join(path, "summary.json")) : undefined;
  const isBenchmark = summary === undefined || Array.isArray(summary["summary"]);
  // of a training that was then compared with others, as `ccpark quickstart` does, the comparison is what answers
  const isCompared = hasResults(path) && summary !== undefined && isBenchmark && !isLocked;
  if (existsSync(join(path, "progress.jsonl")) && !isCompared) {
    const config = existsSync(join(path, "config.json")) ? json(join(path, "config.json")) : {};
    const learner = typeof config["algorithm"] === "string" ? `: ${config["algorithm"]}` : "";
    const sentences = trainingSentences(path);
    const title = `Training ${name}${learner}`;
    return { entry: { ...nothing, kind: "training", title, sentences, live: isLocked } };
  }
  if (!hasResults(path) || !isBenchmark) {
    const claims = listOf(summary?.["claims"]) as { claim?: string; verdict?: string }[];
    const failed = claims.filter(({ verdict }) => verdict === "fail").length;
    const judged = claims.filter(({ verdict }) => verdict !== undefined).length;
    const sentences = judged === 0 ? [] : [`${judged - failed} of ${judged} claims hold.`];
    const title = String(summary?.["command"] ?? summary?.["experiment"] ?? name);
    const kind = existsSync(join(path, "league.json")) ? "league" : "experiment";
    const evaluation = evaluationOf(path);
    if (evaluation !== undefined) {
      return { entry: { ...nothing, kind, title: evaluation.title, sentences: evaluation.sentences } };
    }
    return { entry: { ...nothing, kind, title, sentences } };
  }
  const results = readSummary(path);
  const named = (key: "algorithm" | "scenario"): string[] => [
    ...new Set(results.summary.map((row) => row[key])),
  ];
  const entry = {
    kind: "results",
    title: results.title,
    contenders: named("algorithm"),
    links: named("scenario"),
    sentences: verdictSentences(results.summary, results.headline),
    live: summary === undefined,
  } as const;
  return { entry, results };
}

/** When it was modified, and whether somebody writes there. */
function versionOf({ modifiedMs: at, isLocked }: Dated): string {
  return `${at}${isLocked ? "+" : ""}`;
}

function stateOf(found: readonly Dated[]): string {
  return found.map((each) => `${each.id}@${versionOf(each)}`).join(" ");
}

/** Of a folder; kept until it changes, since there may be hundreds. */
interface Known {
  readonly version: string;
  readonly entry: RunEntry;
  /** absent: it has no results, or none that could be read */
  readonly leagueRun?: LeagueRun;
}

export class RunFolders {
  readonly #roots: readonly string[];
  readonly #known = new Map<string, Known>();
  #listed = "";
  #paths = new Map<string, string>();

  constructor(roots: readonly string[]) {
    this.#roots = roots;
  }

  /** The latest first. */
  list(): RunEntry[] {
    const found = this.#roots.flatMap(find).map((each) => ({ ...each, modifiedMs: modifiedMs(each.path) }));
    this.#paths = new Map(found.map(({ id, path }) => [id, path]));
    this.#listed = stateOf(found);
    return found.map((each) => this.#read(each).entry).sort((a, b) => b.modifiedMs - a.modifiedMs);
  }

  /** Of the runs that were listed last. */
  leagueRuns(): LeagueRun[] {
    return [...this.#paths.keys()].flatMap((id) => this.#known.get(id)?.leagueRun ?? []);
  }

  /** Undefined: no such run. */
  pathOf(id: string): string | undefined {
    if (!this.#paths.has(id)) this.list();
    return this.#paths.get(id);
  }

  entryOf(id: string): RunEntry | undefined {
    return this.pathOf(id) === undefined ? undefined : this.list().find((entry) => entry.id === id);
  }

  /** As they were when they were last listed. */
  get listed(): string {
    return this.#listed;
  }

  /** Changes when any run has, or comes or goes. */
  state(): string {
    const found = this.#roots.flatMap(find);
    return stateOf(found.map((each) => ({ ...each, modifiedMs: modifiedMs(each.path) })));
  }

  #read(found: Dated): Known {
    const version = versionOf(found);
    const before = this.#known.get(found.id);
    if (before?.version === version) return before;
    const { id, name, modifiedMs: at } = found;
    const common = { id, name, modifiedMs: at };
    let known: Known;
    try {
      const { entry, results } = describe(found);
      const leagueRun = results && {
        id,
        modifiedMs: at,
        headline: results.headline,
        links: runLinks(results),
      };
      known = { version, entry: { ...common, ...entry }, ...(leagueRun && { leagueRun }) };
    } catch (error) {
      const nothing = { contenders: [], links: [], sentences: [], live: false };
      const { message } = error as Error;
      known = { version, entry: { ...common, kind: "results", title: name, ...nothing, error: message } };
    }
    this.#known.set(id, known);
    return known;
  }
}
