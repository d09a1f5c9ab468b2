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
  /** a name of `MARKS` */
  readonly mark: string;
}

interface Mark {
  /** Vega's name of the symbol, or a path from -1 to 1 */
  readonly shape: string;
  /** the same in a legend's sample of 28 x 14 pixels, around its middle */
  readonly sample: string;
}

/** From -1 to 1, for both. */
const ownMark = (path: string): Mark => ({
  shape: path,
  sample: `<path transform="translate(14 7) scale(4.6)" d="${path}"/>`,
});

/** All are filled: a mark that is only a line is none where marks have no lines. */
export const MARKS: Readonly<Record<string, Mark>> = {
  circle: { shape: "circle", sample: '<circle cx="14" cy="7" r="3.6"/>' },
  square: { shape: "square", sample: '<rect x="10.7" y="3.7" width="6.6" height="6.6"/>' },
  "triangle-up": { shape: "triangle-up", sample: '<path d="M14 2.8 18 10.4H10Z"/>' },
  "triangle-down": { shape: "triangle-down", sample: '<path d="M14 11.2 18 3.6H10Z"/>' },
  "triangle-right": { shape: "triangle-right", sample: '<path d="M18.2 7 10.6 3v8Z"/>' },
  "triangle-left": { shape: "triangle-left", sample: '<path d="M9.8 7 17.4 3v8Z"/>' },
  diamond: { shape: "diamond", sample: '<path d="M14 2.4 17.6 7 14 11.6 10.4 7Z"/>' },
  cross: { shape: "cross", sample: '<path d="M12.7 3h2.6v2.7H18v2.6h-2.7V11h-2.6V8.3H10V5.7h2.7Z"/>' },
  star: ownMark(
    "M0,-1L0.25,-0.35L0.95,-0.31L0.4,0.13L0.59,0.81L0,0.43L-0.59,0.81L-0.4,0.13L-0.95,-0.31L-0.25,-0.35Z",
  ),
  hexagon: ownMark("M0.9,0L0.45,0.78L-0.45,0.78L-0.9,0L-0.45,-0.78L0.45,-0.78Z"),
  hourglass: ownMark("M-0.85,-0.9L0.85,-0.9L-0.85,0.9L0.85,0.9Z"),
  pentagon: ownMark("M0,-0.95L0.9,-0.29L0.56,0.77L-0.56,0.77L-0.9,-0.29Z"),
  times: ownMark(
    "M-0.85,-0.5L-0.5,-0.85L0,-0.35L0.5,-0.85L0.85,-0.5L0.35,0L0.85,0.5L0.5,0.85L0,0.35L-0.5,0.85L-0.85,0.5L-0.35,0Z",
  ),
  post: ownMark("M-0.4,-1L0.4,-1L0.4,1L-0.4,1Z"),
  beam: ownMark("M-1,-0.4L1,-0.4L1,0.4L-1,0.4Z"),
};

const SOLID = [1, 0];
const NATIVE_DASH = [6, 3];
const KNOWN: Readonly<Record<string, ContenderStyle>> = {
  agent: { light: "#0072b2", dark: "#4aa8e8", dash: SOLID, mark: "circle" },
  cubic: { light: "#d55e00", dark: "#f0803c", dash: SOLID, mark: "square" },
  bbr: { light: "#009e73", dark: "#1fc299", dash: SOLID, mark: "triangle-up" },
  vegas: { light: "#b8599a", dark: "#dd92c0", dash: SOLID, mark: "diamond" },
  reno: { light: "#b57f00", dark: "#e6b03c", dash: SOLID, mark: "triangle-down" },
  constant: { light: "#4c4c4c", dark: "#d0d0d0", dash: [2, 3], mark: "cross" },
  oracle: { light: "#111111", dark: "#f5f5f5", dash: [1, 3], mark: "star" },
  untrained: { light: "#8a8a8a", dark: "#8f8f8f", dash: [6, 3], mark: "triangle-right" },
  "native-cubic": { light: "#d55e00", dark: "#f0803c", dash: NATIVE_DASH, mark: "square" },
  "native-reno": { light: "#b57f00", dark: "#e6b03c", dash: NATIVE_DASH, mark: "triangle-down" },
};
/** For contenders that the table above does not know, in order; the mark moves on where the colours begin anew. */
const OWN_DASH = [8, 2, 2, 2];
const SPARE: readonly ContenderStyle[] = [
  { light: "#3b9ac4", dark: "#7cc8ea", dash: OWN_DASH, mark: "triangle-left" },
  { light: "#6a51a3", dark: "#a795d6", dash: OWN_DASH, mark: "star" },
  { light: "#7a6a00", dark: "#d9cb4a", dash: OWN_DASH, mark: "hexagon" },
  { light: "#a8323e", dark: "#f07a86", dash: OWN_DASH, mark: "hourglass" },
  { light: "#2f6b3a", dark: "#7fc98d", dash: OWN_DASH, mark: "pentagon" },
  { light: "#7b4a2b", dark: "#d19a76", dash: OWN_DASH, mark: "times" },
  { light: "#1f3f8f", dark: "#8fa8f0", dash: OWN_DASH, mark: "post" },
  { light: "#8c2d8c", dark: "#e08ae0", dash: OWN_DASH, mark: "beam" },
];

/** Colours on a light page for series that are no contenders, such as flows. */
export const SERIES_COLOURS: readonly string[] = Object.values(KNOWN)
  .filter(({ dash }) => dash === SOLID)
  .map(({ light }) => light);

/** Vega's shapes of the contenders, in their order. */
export function shapesOf(names: readonly string[]): string[] {
  return styleContenders(names).map(({ mark }) => MARKS[mark]!.shape);
}

/** The style of each contender, in their order. `native-NAME` beside NAME is the same, but for its dash. */
export function styleContenders(names: readonly string[]): ContenderStyle[] {
  let spare = 0;
  const ofPair = new Map<string, ContenderStyle>();
  return names.map((name) => {
    const twin = name.replace(/^native-/, "");
    const isNative = twin !== name;
    const isPair = names.includes(twin) && names.includes(`native-${twin}`);
    const style = (isPair && ofPair.get(twin)) || own(isPair ? twin : name);
    if (isPair) ofPair.set(twin, style);
    return isPair && isNative ? { ...style, dash: NATIVE_DASH } : style;
  });

  function own(name: string): ContenderStyle {
    const known = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
    if (known !== undefined) return known;
    const lap = Math.floor(spare / SPARE.length);
    const { mark } = SPARE[(spare + lap) % SPARE.length]!;
    return { ...SPARE[spare++ % SPARE.length]!, mark };
  }
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
