/** What the pictures of experiments have in common: a title, panels side by side or one below another, axes by quantity. */
import { styleContenders } from "../report/palette.ts";
import type { Figure } from "./experiment.ts";

const SIZE = { width: 270, height: 220 } as const;
/** Names of contenders that differ at their ends stay apart. */
const LABEL_PX = 260;
const COLUMN_SPACING = 78;
/** Vega's guess, where no browser measures text: so much of the font's size for a character. */
const CHARACTER = 0.8;
const TITLE_SIZE = 15;

interface PageText {
  readonly title: string;
  /** each a line below it */
  readonly subtitle?: readonly string[];
  /** panels in a row; default: all */
  readonly columns?: number;
  /** title of the legend */
  readonly legend?: string;
}

/** In lines that are no wider than so many pixels. */
function wrapped(text: string, pixels: number): string[] {
  const room = Math.floor(pixels / (CHARACTER * TITLE_SIZE));
  const rows: string[] = [];
  for (const word of text.split(" ")) {
    const last = rows.at(-1);
    if (last !== undefined && last.length + word.length < room) rows[rows.length - 1] = `${last} ${word}`;
    else rows.push(word);
  }
  return rows;
}

/** Above the frame of its panel, whatever the axes are labelled with. */
export function panelTitle(text: string): object {
  return { text, offset: 10, frame: "group", anchor: "start" };
}

/**
 * Panels on one page, all of whose lines and marks are told apart by the field `name`.
 * @param names as in the legend, in their order
 */
export function page(text: PageText, names: readonly string[], panels: readonly Panel[]): Figure {
  const columns = Math.min(text.columns ?? panels.length, panels.length);
  const widest = Math.max(...panels.map(({ width }) => width));
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: {
      text: wrapped(text.title, columns * (widest + COLUMN_SPACING)),
      subtitle: text.subtitle ?? [],
      fontSize: TITLE_SIZE,
      subtitleFontSize: 12,
      subtitlePadding: 5,
      offset: 18,
    },
    padding: 22,
    // of the panels' frames, so that rows stay level whatever their axes are labelled with
    bounds: "flush",
    spacing: { row: 92, column: COLUMN_SPACING },
    columns,
    concat: panels,
    resolve: { scale: { x: "independent", y: "independent", color: "shared" } },
  };
  return { spec, names };
}

/** @param symbolType what stands for a name */
function nameLegend(
  names: readonly string[],
  title: string | null,
  symbolType: "circle" | "stroke",
): object | null {
  if (names.length < 2) return null;
  return { title, orient: "right", symbolType, symbolOpacity: 1, labelLimit: LABEL_PX };
}

/** The colour channel of a panel on such a page. */
export function nameColour(
  names: readonly string[],
  title: string | null = null,
  symbolType: "circle" | "stroke" = "circle",
): object {
  const legend = nameLegend(names, title, symbolType);
  return { field: "name", type: "nominal", scale: { domain: names }, legend };
}

interface Axis {
  readonly field: string;
  readonly title: string;
  readonly log?: true;
  /** absent: of the data, from 0 */
  readonly domain?: readonly [number, number];
  /** false: the axis need not begin at 0 */
  readonly zero?: false;
  readonly values?: readonly number[];
  readonly format?: string;
}

/** A quantitative channel. */
export function axis({ field, title, log, domain, zero, values, format }: Axis): Record<string, unknown> {
  const scale = log
    ? { type: "log", nice: false, padding: 14, ...(domain && { domain }) }
    : { zero: zero !== false && domain === undefined, nice: domain === undefined, ...(domain && { domain }) };
  return {
    field,
    type: "quantitative",
    title: log ? `${title} (log scale)` : title,
    scale,
    axis: { ...(values && { values }), ...(format && { format }) },
  };
}

/** Of Vega-Lite, with what a page asks of it. */
export interface Panel {
  readonly width: number;
  readonly [field: string]: unknown;
}

interface PanelText {
  readonly title: string;
  /** each with the field `name` */
  readonly values: readonly object[];
  readonly x: Record<string, unknown>;
  readonly y: Record<string, unknown>;
  readonly width?: number;
  readonly height?: number;
}

function panel({ title, values, width = SIZE.width, height = SIZE.height }: PanelText): Panel {
  return { title: panelTitle(title), width, height, data: { values } };
}

const isNative = (name: string): boolean => name === "native" || name.startsWith("native-");

/** Solid lines, but for what stands for another of its colour, or has a colour for the second time. */
function nameDash(names: readonly string[]): readonly (readonly number[])[] {
  const colours = styleContenders(names).map(({ light }) => light);
  const seen = new Set<string>();
  return names.map((name, i) => {
    if (isNative(name)) return [5, 3];
    const isSecond = seen.has(colours[i]!);
    seen.add(colours[i]!);
    return isSecond ? [2, 2] : [1, 0];
  });
}

/** One line per name, in the order of x; with the field `detail` one for each value of it. What is dashed lies on top. */
export function lines(names: readonly string[], at: PanelText, mark: object = {}): Panel {
  const dashes = nameDash(names);
  const isDashed = (name: string): boolean => dashes[names.indexOf(name)]?.[1] !== 0;
  const values = at.values as readonly { readonly name: string }[];
  const onTop = values.filter(({ name }) => isDashed(name));
  return {
    ...panel({ ...at, values: [...values.filter(({ name }) => !isDashed(name)), ...onTop] }),
    mark: { type: "line", strokeWidth: 1.8, ...mark },
    encoding: {
      x: at.x,
      y: at.y,
      color: nameColour(names, null, "stroke"),
      ...(values.some((value) => "detail" in value) && { detail: { field: "detail" } }),
      ...(onTop.length > 0 && {
        strokeDash: {
          field: "name",
          type: "nominal",
          scale: { domain: names, range: dashes },
          legend: nameLegend(names, null, "stroke"),
        },
      }),
    },
  };
}

/** A panel over time with spans of it in grey. */
export function withSpans(
  { title, width, height, ...drawn }: Panel,
  spans: readonly { readonly fromSec: number; readonly toSec: number }[],
): Panel {
  const shade = {
    data: { values: spans },
    mark: { type: "rect", color: "#8a939c", opacity: 0.18 },
    encoding: { x: { field: "fromSec", type: "quantitative" }, x2: { field: "toSec" } },
  };
  return { title, width, height, layer: [shade, drawn] };
}

/** One mark per row. */
export function marks(names: readonly string[], at: PanelText): Panel {
  return {
    ...panel(at),
    mark: { type: "point", filled: true, size: 55, opacity: 0.85 },
    encoding: { x: at.x, y: at.y, color: nameColour(names) },
  };
}

/** Marks, and a dashed line of what `law` says at the same places. */
export function marksAndLaw(names: readonly string[], at: PanelText, law: string): Panel {
  const color = nameColour(names);
  return {
    ...panel(at),
    layer: [
      {
        mark: { type: "line", strokeWidth: 2, strokeDash: [5, 4] },
        encoding: { x: at.x, y: { ...at.y, field: law }, color },
      },
      {
        mark: { type: "point", filled: true, size: 55, opacity: 1 },
        encoding: { x: at.x, y: at.y, color },
      },
    ],
  };
}
