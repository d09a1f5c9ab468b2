/** Reruns figures of a published work: ours, what is published, and why they differ. Figures of one experiment share its rows. */
import { spawn } from "node:child_process";
import { getuid, platform } from "node:process";
import { fileURLToPath } from "node:url";
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

/** Undefined: programs in the kernel can be measured here. */
function whyNoKernel(): string | undefined {
  if (platform !== "linux") return `it measures Linux, this is ${platform}`;
  return getuid?.() === 0 ? undefined : "programs in the kernel need root: run it with sudo";
}

/** In a process of its own, as `npm run bench:kernel` has it: it pins itself to cores. */
function runKernelParts(
  parts: readonly string[],
): Promise<{ readonly text: string; readonly failed: boolean }> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const main = fileURLToPath(new URL(`../bench/kernel/main.${extension}`, import.meta.url));
  return new Promise((done) => {
    const child = spawn(process.execPath, [...process.execArgv, main, "--part", parts.join(",")]);
    let text = "";
    child.stdout.on("data", (part: Buffer) => (text += part));
    child.stderr.on("data", (part: Buffer) => (text += part));
    child.on("close", (code) => done({ text, failed: code !== 0 }));
  });
}

export interface ReproduceOptions {
  /** false: figures that measure Linux are skipped */
  readonly kernel: boolean;
  /** between two rows: what has just been done */
  readonly onProgress: (figure: ThesisFigure, text: string) => Promise<void>;
}

/** @yields one figure after the other; one that cannot run here says why, and hides no other */
export async function* reproduce(
  figures: readonly ThesisFigure[],
  { kernel, onProgress }: ReproduceOptions,
): AsyncGenerator<Reproduced> {
  const done = new Map<string, Ran>();
  for (const figure of figures) {
    const skip = (skipped: string): Reproduced => ({ figure, skipped, text: "", claims: [] });
    if ("kernelParts" in figure.by) {
      const reason = kernel ? whyNoKernel() : "figures that measure Linux were not asked for";
      if (reason !== undefined) {
        yield skip(reason);
        continue;
      }
      await onProgress(figure, figure.by.kernelParts.join(", "));
      const { text, failed } = await runKernelParts(figure.by.kernelParts);
      yield failed ? skip(text.trim().split("\n").at(-1) ?? "it failed") : { figure, text, claims: [] };
      continue;
    }
    const { experiment: name, settings = {} } = figure.by;
    if (!EXPERIMENT_NAMES.includes(name)) {
      yield skip(`this version has no experiment \`${name}\``);
      continue;
    }
    const key = JSON.stringify([name, settings]);
    let ran = done.get(key);
    if (ran === undefined) {
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
