/** A plot as a file for print: SVG and PDF with the fonts and widths of a paper, PNG at 300 dots per inch, CSV of what it draws. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import PDFDocument from "pdfkit";
import svgToPdf from "svg-to-pdfkit";
import { svgToPng } from "../render-files.ts";
import type { Plot } from "./plot.ts";
import { csvText } from "./results-csv.ts";
import { vegaSvg } from "./vega-svg.ts";

export const FORMATS = ["svg", "pdf", "png", "csv"] as const;
export type Format = (typeof FORMATS)[number];

const FONT = "DejaVu Sans";
const DOTS_PER_INCH = 300;
const POINTS_PER_INCH = 72;

/** Text of 7 and 8 points, as captions have. */
const PRINT = {
  background: "#ffffff",
  font: FONT,
  view: { stroke: null },
  axis: {
    labelFontSize: 7,
    titleFontSize: 8,
    titleFontWeight: "normal",
    labelColor: "#000000",
    titleColor: "#000000",
    gridColor: "#e2e2e2",
    domainColor: "#555555",
    tickColor: "#555555",
    tickSize: 3,
    gridWidth: 0.5,
    titlePadding: 4,
  },
  legend: {
    labelFontSize: 7,
    symbolSize: 30,
    orient: "top",
    direction: "horizontal",
    rowPadding: 1,
    columnPadding: 8,
    offset: 4,
  },
  header: { labelFontSize: 7, labelPadding: 0 },
  // beside the axis, whose place is known: the left end of all that is drawn changes while it is laid out
  title: {
    fontSize: 8,
    fontWeight: "normal",
    anchor: "start",
    frame: "group",
    offset: 4,
    color: "#000000",
  },
} as const;

/** Its width and height are points. */
async function plotSvg({ spec }: Plot): Promise<string> {
  const svg = await vegaSvg(spec, PRINT);
  return svg.replace(/(<svg[^>]*?) width="([\d.]+)" height="([\d.]+)"/, '$1 width="$2pt" height="$3pt"');
}

/** Without a time of making: the same plot is the same file. */
async function svgToPdfBytes(svg: string): Promise<Uint8Array> {
  const [, width, height] = /width="([\d.]+)pt" height="([\d.]+)pt"/.exec(svg)!.map(Number);
  const font = await readFile(createRequire(import.meta.url).resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf"));
  const pdf = new PDFDocument({
    size: [width!, height!],
    margin: 0,
    info: { Producer: "ccpark", Creator: "ccpark", CreationDate: new Date(0) },
  });
  pdf.registerFont(FONT, font);
  const parts: Uint8Array[] = [];
  pdf.on("data", (part: Uint8Array) => parts.push(part));
  const ended = new Promise((resolve) => pdf.on("end", resolve));
  const inPoints = svg.replace(/ width="([\d.]+)pt" height="([\d.]+)pt"/, ' width="$1" height="$2"');
  svgToPdf(pdf, inPoints, 0, 0, { assumePt: true, fontCallback: () => FONT });
  pdf.end();
  await ended;
  return Buffer.concat(parts);
}

export function plotCsv({ rows }: Plot): string {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((key) => key !== "marked");
  return csvText(
    keys,
    rows.map((row) => keys.map((key) => row[key])),
  );
}

export const MEDIA_TYPES: Readonly<Record<Format, string>> = {
  svg: "image/svg+xml",
  pdf: "application/pdf",
  png: "image/png",
  csv: "text/csv; charset=utf-8",
};

export async function plotFile(plot: Plot, format: Format): Promise<string | Uint8Array> {
  if (format === "csv") return plotCsv(plot);
  const svg = await plotSvg(plot);
  if (format === "svg") return `${svg}\n`;
  if (format === "pdf") return svgToPdfBytes(svg);
  return svgToPng(
    svg.replace(/ width="([\d.]+)pt" height="([\d.]+)pt"/, ' width="$1" height="$2"'),
    DOTS_PER_INCH / POINTS_PER_INCH,
  );
}
