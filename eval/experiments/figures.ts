/** What the pictures of experiments have in common: a title, panels side by side or one below another, axes by quantity. */
import type { Figure } from "./experiment.ts";

const SIZE = { width: 270, height: 220 } as const;
/** Names of contenders that differ at their ends stay apart. */
const LABEL_PX = 260;

interface PageText {
  readonly title: string;
  /** each a line below it */
  readonly subtitle?: readonly string[];
  /** panels in a row; default: all */
  readonly columns?: number;
  /** title of the legend */
  readonly legend?: string;
}

/**
 * Panels on one page, all of whose lines and marks are told apart by the field `name`.
 * @param names as in the legend, in their order
 */
export function page(text: PageText, names: readonly string[], panels: readonly object[]): Figure {
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: {
      text: text.title,
      subtitle: text.subtitle ?? [],
      fontSize: 15,
      subtitleFontSize: 12,
      subtitlePadding: 5,
      offset: 18,
    },
    padding: 22,
    // of the panels' frames, so that rows stay level whatever their axes are labelled with
    bounds: "flush",
    spacing: { row: 92, column: 78 },
    columns: text.columns ?? panels.length,
    concat: panels,
    resolve: { scale: { x: "independent", y: "independent", color: "shared" } },
  };
  return { spec, names };
}

/** The colour channel of a panel on such a page. */
export function nameColour(names: readonly string[], title: string | null = null): object {
  const legend =
    names.length > 1
      ? { title, orient: "right", symbolType: "circle", symbolOpacity: 1, labelLimit: LABEL_PX }
      : null;
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

interface Panel {
  readonly title: string;
  /** each with the field `name` */
  readonly values: readonly object[];
  readonly x: Record<string, unknown>;
  readonly y: Record<string, unknown>;
  readonly width?: number;
  readonly height?: number;
}

function panel({ title, values, width = SIZE.width, height = SIZE.height }: Panel): object {
  return { title: { text: title, offset: 10 }, width, height, data: { values } };
}

const isNative = (name: string): boolean => name.startsWith("native-");

/** Solid lines, but for what stands for another of its colour. */
function nameDash(names: readonly string[]): object {
  const range = names.map((name) => (isNative(name) ? [5, 3] : [1, 0]));
  return { field: "name", type: "nominal", scale: { domain: names, range }, legend: null };
}

/** One line per name, in the order of x. */
export function lines(names: readonly string[], at: Panel, mark: object = {}): object {
  return {
    ...panel(at),
    mark: { type: "line", strokeWidth: 1.8, ...mark },
    encoding: {
      x: at.x,
      y: at.y,
      color: nameColour(names),
      ...(names.some(isNative) && { strokeDash: nameDash(names) }),
    },
  };
}

/** One mark per row. */
export function marks(names: readonly string[], at: Panel): object {
  return {
    ...panel(at),
    mark: { type: "point", filled: true, size: 55, opacity: 0.85 },
    encoding: { x: at.x, y: at.y, color: nameColour(names) },
  };
}

/** Marks, and a dashed line of what `law` says at the same places. */
export function marksAndLaw(names: readonly string[], at: Panel, law: string): object {
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
