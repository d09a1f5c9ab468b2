/** Lines over time (uPlot): zoomed together by mouse, touch or keys; what a frame took stands in an attribute, out of a reader's sight. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { NumberList } from "./api.ts";
import { pointText, tickTexts } from "./tick-text.ts";

export interface Line {
  readonly name: string;
  readonly colour: string;
  readonly x: readonly number[];
  readonly y: NumberList;
  /** only marks, such as of drops */
  readonly marksOnly?: boolean;
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Solid and six patterns: lines are told apart without colour, too. */
const DASHES = [[], [8, 3], [3, 3], [10, 3, 2, 3], [5, 2], [2, 4], [12, 4, 4, 4]];
const HEIGHT = 210;

function aligned(lines: readonly Line[]): uPlot.AlignedData {
  const [first] = lines;
  if (first === undefined) return [[]];
  const isShared = lines.every(
    ({ x }) => x.length === first.x.length && x[0] === first.x[0] && x.at(-1) === first.x.at(-1),
  );
  if (isShared) return [first.x as number[], ...lines.map(({ y }) => y as number[])];
  return uPlot.join(lines.map(({ x, y }) => [x as number[], y as number[]] as uPlot.AlignedData));
}

function inkOf(element: Element, name: string): string {
  return getComputedStyle(element).getPropertyValue(name).trim();
}

/** Wider than in the charts beside it only where its longest label needs it. */
function axisWidth(_: uPlot, labels: readonly string[] | null): number {
  return Math.max(58, 18 + 7 * Math.max(0, ...(labels ?? []).map((label) => label.length)));
}

/** Narrower than this share of where it lies, a range has no ticks that floating point could tell apart. */
const LEAST_WIDTH = 1e-9;

/** Around a single point, or where there is none, as wide as an axis needs to be divided. */
function withWidth({ min, max }: Range): Range {
  if (!Number.isFinite(min) || !Number.isFinite(max)) return { min: 0, max: 1 };
  if (max - min > LEAST_WIDTH * Math.max(Math.abs(min), Math.abs(max))) return { min, max };
  const half = Math.abs(min) / 2 || 0.5;
  return { min: min - half, max: min + half };
}

const isAlone = (y: NumberList): boolean => y.filter((value) => value !== null).length === 1;

interface ChartProps {
  readonly title: string;
  /** empty: none */
  readonly unit: string;
  readonly xTitle?: string;
  readonly lines: readonly Line[];
  readonly range: Range | undefined;
  /** of what is shown without a range, from 0, as in the charts beside it; absent: as far as there are points */
  readonly end?: number;
  onRange(range: Range | undefined): void;
  /** drawn anew when it changes */
  readonly theme: string;
  readonly group: string;
}

export function Chart({ title, unit, xTitle = "s", lines, range, end, onRange, theme, group }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  useEffect(() => {
    const element = place.current!;
    let startMs = 0;
    const points = lines.reduce((sum, { x }) => sum + x.length, 0);
    const axis = {
      stroke: inkOf(element, "--muted"),
      grid: { stroke: inkOf(element, "--line"), width: 1 },
      ticks: { stroke: inkOf(element, "--line"), width: 1 },
    };
    const options: uPlot.Options = {
      width: element.clientWidth,
      height: HEIGHT,
      scales: { x: { time: false } },
      cursor: { sync: { key: group }, drag: { x: true, y: false } },
      legend: { live: true },
      axes: [
        {
          ...axis,
          values: (_, ticks, _axis, _space, step) => {
            const texts = tickTexts(ticks, step);
            return xTitle === "s" ? texts.map((text) => `${text} s`) : texts;
          },
        },
        { ...axis, size: axisWidth, values: (_, ticks, _axis, _space, step) => tickTexts(ticks, step) },
      ],
      series: [
        { label: xTitle === "s" ? "time (s)" : xTitle, value: (_, value) => pointText(value) },
        ...lines.map(({ name, colour, marksOnly, y }, i) => ({
          label: name,
          stroke: colour,
          width: marksOnly === true ? 0 : 1.5,
          dash: DASHES[i % DASHES.length]!,
          spanGaps: true,
          value: (_: uPlot, value: number | null) => pointText(value),
          // a line needs two points
          points: marksOnly === true || isAlone(y) ? { show: true, size: 6, fill: colour } : { show: false },
        })),
      ],
      hooks: {
        drawClear: [() => void (startMs = performance.now())],
        draw: [
          () => {
            const tookMs = performance.now() - startMs;
            const text = `${points.toLocaleString("en")} points, frame ${tookMs.toFixed(1)} ms`;
            element.closest("figure")!.dataset["frame"] = text;
          },
        ],
        setSelect: [
          (self) => {
            if (self.select.width < 4) return;
            onRange({
              min: self.posToVal(self.select.left, "x"),
              max: self.posToVal(self.select.left + self.select.width, "x"),
            });
          },
        ],
      },
    };
    const made = new uPlot(options, aligned(lines), element);
    made.over.addEventListener("dblclick", () => onRange(undefined));
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [lines, theme, group]);
  useEffect(() => {
    const made = plot.current;
    if (made === null || lines.length === 0) return;
    const ends = lines.map(({ x }) => [x[0] ?? 0, x.at(-1) ?? 1] as const);
    const points = {
      min: Math.min(...ends.map(([from]) => from)),
      max: Math.max(...ends.map(([, to]) => to)),
    };
    const all = end === undefined ? points : { min: 0, max: end };
    made.setScale("x", withWidth(range ?? all));
  }, [range, end, lines, theme]);
  const of = unit === "" ? title : `${title} in ${unit}`;
  const label = `${of}: ${lines.map(({ name }) => name).join(", ")}`;
  return (
    <figure class="chart">
      <figcaption>
        {title} {unit !== "" && <span class="muted">({unit})</span>}
      </figcaption>
      <div ref={place} role="img" aria-label={label} />
    </figure>
  );
}

interface ZoomProps {
  readonly end: number;
  readonly range: Range | undefined;
  onRange(range: Range | undefined): void;
}

/** The same as dragging in a chart, for keys. */
export function Zoom({ end, range, onRange }: ZoomProps) {
  const { min, max } = range ?? { min: 0, max: end };
  const span = max - min;
  const to = (from: number, width: number): void => {
    const low = Math.max(0, Math.min(from, end - width));
    onRange(width >= end ? undefined : { min: low, max: low + width });
  };
  return (
    <fieldset class="zoom" aria-label="Time shown">
      <button type="button" onClick={() => to(min + span / 4, span / 2)}>
        Zoom in
      </button>
      <button type="button" onClick={() => to(min - span / 2, span * 2)}>
        Zoom out
      </button>
      <button type="button" onClick={() => to(min - span / 2, span)}>
        Earlier
      </button>
      <button type="button" onClick={() => to(min + span / 2, span)}>
        Later
      </button>
      <button type="button" onClick={() => onRange(undefined)}>
        All
      </button>
      <output>
        {min.toFixed(1)} to {max.toFixed(1)} s
      </output>
    </fieldset>
  );
}
