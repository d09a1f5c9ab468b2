/** Reruns figures of a published work: ours, what is published, and why they differ. Figures of one experiment share its rows. */
import { unknownName } from "../../core/errors.ts";
import { type Claim, claimsTable, type Experiment, type Report } from "../experiments/experiment.ts";
import { EXPERIMENT_NAMES, loadExperiment } from "../experiments/registry.ts";
import type { ThesisFigure } from "./thesis.ts";

/** How a figure ended. */
export interface Reproduced {
  readonly figure: ThesisFigure;
  /** absent: it ran */
  readonly skipped?: string;
  /** tables as printed */
  readonly text: string;
  readonly claims: readonly Claim[];
  /** of an experiment: what its folder is written from */
  readonly ran?: {
    readonly experiment: Experiment;
    readonly settings: object;
    readonly rows: readonly object[];
    readonly report: Report;
  };
}

/** @throws CcparkError not-found */
export function chooseFigures(
  figures: readonly ThesisFigure[],
  ids: readonly string[],
): readonly ThesisFigure[] {
  const known = figures.map(({ id }) => id);
  const missing = ids.find((id) => !known.includes(id));
  if (missing !== undefined) throw unknownName("reproduce", "figure", missing, known);
  return ids.length === 0 ? figures : figures.filter(({ id }) => ids.includes(id));
}

/** The command that runs this figure alone. */
export function commandOf({ id }: ThesisFigure): string {
  return `ccpark reproduce thesis ${id}`;
}

type Ran = NonNullable<Reproduced["ran"]>;

async function runExperiment(
  name: string,
  given: object,
  onRow: (text: string) => Promise<void>,
): Promise<Ran> {
  const experiment = await loadExperiment(name);
  const initial = Object.entries(experiment.options).map(([key, option]) => [key, option.initial]);
  const settings = { ...Object.fromEntries(initial), ...given } as Record<string, unknown>;
  const rows: object[] = [];
  for await (const row of experiment.run(settings)) {
    rows.push(row);
    await onRow(experiment.describe?.(row) ?? `${rows.length} rows`);
  }
  return { experiment, settings, rows, report: experiment.report(rows, settings) };
}

export interface ReproduceOptions {
  /** false: figures that measure Linux are skipped */
  readonly linux: boolean;
  /** between two rows: what has just been done */
  readonly onProgress: (figure: ThesisFigure, text: string) => Promise<void>;
}

/** @yields one figure after the other; one that cannot run here says why, and hides no other */
export async function* reproduce(
  figures: readonly ThesisFigure[],
  { linux, onProgress }: ReproduceOptions,
): AsyncGenerator<Reproduced> {
  const done = new Map<string, Ran>();
  for (const figure of figures) {
    const skip = (skipped: string): Reproduced => ({ figure, skipped, text: "", claims: [] });
    const { experiment: name, settings = {}, measuresLinux = false } = figure.by;
    if (measuresLinux && !linux) {
      yield skip("figures that measure Linux were not asked for");
      continue;
    }
    if (!EXPERIMENT_NAMES.includes(name)) {
      yield skip(`this version has no experiment \`${name}\``);
      continue;
    }
    const key = JSON.stringify([name, settings]);
    let ran = done.get(key);
    if (ran === undefined) {
      const reason = (await loadExperiment(name)).refuses?.();
      if (reason !== undefined) {
        yield skip(reason);
        continue;
      }
      ran = await runExperiment(name, settings, (text) => onProgress(figure, text));
      done.set(key, ran);
    }
    yield { figure, text: ran.report.text, claims: ran.report.claims, ran };
  }
}

/** Ours beside the thesis's, then why they differ. */
export function figureText({ figure, skipped, text, claims }: Reproduced): string {
  const title = figure.id.startsWith("table") ? figure.id.replace("table-", "Table ") : `Figure ${figure.id}`;
  const head = `${title}: ${figure.title}\n${"-".repeat(title.length + figure.title.length + 2)}\n`;
  const thesis = figure.thesis.map((line) => `thesis: ${line}\n`).join("");
  if (skipped !== undefined) return `${head}${thesis}not run: ${skipped}\n`;
  const table = claimsTable(claims);
  return `${head}${thesis}\n${text}${table === "" ? "" : `\n${table}`}\nwhere and why ours differs: ${figure.differs}\n`;
}
