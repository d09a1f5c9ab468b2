/**
 * What an experiment leaves in a folder: `results.jsonl` (one line per row), `summary.json` (settings, claims and what
 * reproduces them), `report.txt` and the picture as SVG and PNG. Two runs of one command give the same bytes.
 */
import { join } from "node:path";
import { writeFilesWhole } from "../../core/whole-files.ts";
import { svgToPng } from "../render-files.ts";
import { drawSvg } from "../report/picture.ts";
import { jsonLines, prettyJson } from "../result-files.ts";
import { claimsTable, type Experiment, type Figure, type Report } from "./experiment.ts";

export interface Provenance {
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
}

export async function writeExperiment(
  folder: string,
  experiment: Pick<Experiment, "name" | "source">,
  settings: object,
  rows: readonly object[],
  report: Report,
  provenance: Provenance,
): Promise<void> {
  const { name, source } = experiment;
  const { claims, summary, figure, text } = report;
  const svg = await drawSvg(figure.spec, figure.names);
  writeFilesWhole({
    [join(folder, "results.jsonl")]: jsonLines(rows),
    [join(folder, "summary.json")]: prettyJson({
      ...provenance,
      experiment: name,
      source,
      settings,
      claims,
      summary,
    }),
    [join(folder, "report.txt")]: `${text}\n${claimsTable(claims)}`,
    [join(folder, `${name}.svg`)]: svg,
    [join(folder, `${name}.png`)]: await svgToPng(svg),
  });
}

/** @param file its ending says which form: .svg or .png */
export async function writePicture(file: string, { spec, names }: Figure): Promise<void> {
  const svg = await drawSvg(spec, names);
  writeFilesWhole({ [file]: /\.png$/i.test(file) ? await svgToPng(svg) : svg });
}
