/**
 * Progress of work that may take over two seconds, on stderr: a bar with rate and time left on a terminal, a plain line
 * every few seconds elsewhere, nothing when quiet. Work that ends within two seconds stays silent.
 */
import type { SingleBar } from "cli-progress";
import { printErr } from "../console.ts";

const SILENT_MS = 2_000;
const LINE_EVERY_MS = 5_000;
/** What a rate is taken over, and what it takes to say one. */
const PACE_SEC = 30;
const MIN_PACE_SEC = 1;

export interface Task {
  /**
   * @param note a few words on how it stands, such as the latest score
   * @param share of the work, 0 to 1, where one of the count may be more of it than another; absent: of the count
   */
  update(done: number, note?: string, share?: number): void;
  /** The work is over; leaves a last line. */
  finish(note?: string): void;
}

export interface TaskOptions {
  readonly label: string;
  readonly total: number;
  /** of the count, such as `runs` or `steps` */
  readonly unit: string;
  readonly quiet: boolean;
  /** of the total, done before this task began; default 0 */
  readonly already?: number;
}

export function formatCount(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)} k`;
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1);
}

function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/**
 * How fast work goes on, over the last half a minute. It starts to count with the first of it that is done: loading code and
 * starting threads before it say nothing about the rest.
 */
export class Pace {
  readonly #seen: { readonly done: number; readonly atSec: number }[] = [];

  /** @returns per second; undefined while too little is known for a promise */
  rate(done: number, nowSec: number): number | undefined {
    this.#seen.push({ done, atSec: nowSec });
    while (this.#seen.length > 2 && nowSec - this.#seen[1]!.atSec > PACE_SEC) this.#seen.shift();
    const first = this.#seen[0]!;
    const seconds = nowSec - first.atSec;
    return seconds < MIN_PACE_SEC || done <= first.done ? undefined : (done - first.done) / seconds;
  }
}

const SILENT: Task = { update() {}, finish() {} };

export async function startTask({ label, total, unit, quiet, already = 0 }: TaskOptions): Promise<Task> {
  if (quiet) return SILENT;
  const startedMs = performance.now();
  const elapsedSec = (): number => (performance.now() - startedMs) / 1000;
  const pace = new Pace();
  const sharePace = new Pace();
  const rateAndLeft = (done: number, share: number): { rate: string; left: string } => {
    const rate = pace.rate(done, elapsedSec());
    const shareRate = sharePace.rate(share, elapsedSec());
    return {
      rate: rate === undefined ? "" : `${formatCount(rate)} ${unit}/s`,
      left: shareRate === undefined ? "" : `${formatSeconds((1 - share) / shareRate)} left`,
    };
  };
  let latest = already;
  const summary = (note: string | undefined): string =>
    `${label}: ${formatCount(latest)} ${unit} in ${formatSeconds(elapsedSec())}${note === undefined || note === "" ? "" : `, ${note}`}\n`;

  if (process.stderr.isTTY === true) {
    const { Presets, SingleBar: Bar } = (await import("cli-progress")).default;
    let bar: SingleBar | undefined;
    return {
      update(done, note = "", share = done / total) {
        latest = done;
        const payload = { ...rateAndLeft(done, share), note };
        if (bar === undefined && performance.now() - startedMs < SILENT_MS) return;
        if (bar === undefined) {
          const format = `${label} {bar} {percentage} %  {rate}  {left}  {note}`;
          bar = new Bar(
            {
              format,
              barsize: 28,
              stream: process.stderr,
              fps: 10,
              clearOnComplete: true,
              emptyOnZero: true,
            },
            Presets.shades_classic,
          );
          bar.start(1, share, payload);
        } else bar.update(share, payload);
      },
      finish(note) {
        if (bar === undefined) return;
        bar.update(1, { rate: "", left: "", note: "" });
        bar.stop();
        printErr(summary(note));
      },
    };
  }

  let lineMs = startedMs + SILENT_MS - LINE_EVERY_MS;
  let printed = false;
  return {
    update(done, note = "", share = done / total) {
      latest = done;
      const told = rateAndLeft(done, share);
      if (performance.now() - lineMs < LINE_EVERY_MS) return;
      lineMs = performance.now();
      printed = true;
      const { rate, left } = told;
      const percent = Math.floor(100 * share);
      const parts = [
        `${formatCount(done)} of ${formatCount(total)} ${unit} (${percent} %)`,
        rate,
        left,
        note,
      ];
      printErr(`${label}: ${parts.filter((part) => part !== "").join(", ")}\n`);
    },
    finish(note) {
      if (printed) printErr(summary(note));
    },
  };
}
