/**
 * One colour, dash and shape per contender, the same in every plot, page and picture. Colours follow Okabe and Ito,
 * "Color Universal Design" (https://jfly.uni-koeln.de/color/): distinguishable with any common colour blindness;
 * the dark page lifts them where the original would be too dark to read.
 */
export type Theme = "light" | "dark";

export interface ContenderStyle {
  readonly light: string;
  readonly dark: string;
  /** SVG dash pattern; [1, 0]: solid */
  readonly dash: readonly number[];
  /** Vega symbol */
  readonly shape: string;
}

const SOLID = [1, 0];
const KNOWN: Readonly<Record<string, ContenderStyle>> = {
  agent: { light: "#0072b2", dark: "#4aa8e8", dash: SOLID, shape: "circle" },
  cubic: { light: "#d55e00", dark: "#f0803c", dash: SOLID, shape: "square" },
  bbr: { light: "#009e73", dark: "#1fc299", dash: SOLID, shape: "triangle-up" },
  vegas: { light: "#b8599a", dark: "#dd92c0", dash: SOLID, shape: "diamond" },
  reno: { light: "#b57f00", dark: "#e6b03c", dash: SOLID, shape: "triangle-down" },
  constant: { light: "#4c4c4c", dark: "#d0d0d0", dash: [2, 3], shape: "cross" },
  untrained: { light: "#8a8a8a", dark: "#8f8f8f", dash: [6, 3], shape: "triangle-right" },
  "native-cubic": { light: "#d55e00", dark: "#f0803c", dash: [6, 3], shape: "square" },
  "native-reno": { light: "#b57f00", dark: "#e6b03c", dash: [6, 3], shape: "triangle-down" },
};
/** For contenders that the table above does not know, in order. */
const SPARE: readonly ContenderStyle[] = [
  { light: "#3b9ac4", dark: "#7cc8ea", dash: [8, 2, 2, 2], shape: "triangle-left" },
  { light: "#6a51a3", dark: "#a795d6", dash: [8, 2, 2, 2], shape: "stroke" },
  { light: "#7a6a00", dark: "#d9cb4a", dash: [8, 2, 2, 2], shape: "wedge" },
];

/** Colours on a light page for series that are no contenders, such as flows. */
export const SERIES_COLOURS: readonly string[] = Object.values(KNOWN)
  .filter(({ dash }) => dash === SOLID)
  .map(({ light }) => light);

/** The style of each contender, in their order. */
export function styleContenders(names: readonly string[]): ContenderStyle[] {
  let spare = 0;
  return names.map((name) => {
    const known = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
    return known ?? SPARE[spare++ % SPARE.length]!;
  });
}

const INK = {
  light: { text: "#1f2328", muted: "#59636e", grid: "#e4e8ec", domain: "#9aa4ae", capacity: "#d8dee4" },
  dark: { text: "#e6edf3", muted: "#9aa7b4", grid: "#272e37", domain: "#566170", capacity: "#2b333d" },
} as const;

export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

/** Vega-Lite configuration of a theme: everything that is not data. */
export function chartConfig(theme: Theme, names: readonly string[]): Record<string, unknown> {
  const ink = INK[theme];
  return {
    background: "transparent",
    font: FONT,
    view: { stroke: null },
    style: { capacity: { color: ink.capacity }, guide: { color: ink.muted } },
    range: { category: styleContenders(names).map((style) => style[theme]) },
    axis: {
      labelColor: ink.muted,
      titleColor: ink.text,
      titleFontWeight: "normal",
      titleFontSize: 12,
      labelFontSize: 11,
      gridColor: ink.grid,
      domainColor: ink.domain,
      tickColor: ink.domain,
      tickSize: 4,
      labelPadding: 4,
      titlePadding: 10,
      labelFlush: false,
    },
    axisY: { domain: false, ticks: false, tickCount: 5 },
    axisX: { grid: false },
    title: {
      color: ink.text,
      subtitleColor: ink.muted,
      fontSize: 13,
      subtitleFontSize: 11,
      anchor: "start",
      offset: 12,
    },
    legend: { labelColor: ink.text, titleColor: ink.muted, labelFontSize: 11, titleFontWeight: "normal" },
    text: { fill: ink.text, fontSize: 11 },
    rule: { stroke: ink.muted },
  };
}
