/**
 * Progress of work that may take over two seconds, on stderr: a bar with rate and time left on a terminal, a plain line
 * every few seconds elsewhere, nothing when quiet. Work that ends within two seconds stays silent.
 */
import type { SingleBar } from "cli-progress";
import { printErr } from "../console.ts";

const SILENT_MS = 2_000;
const LINE_EVERY_MS = 5_000;

export interface Task {
  /** @param note a few words on how it stands, such as the latest score */
  update(done: number, note?: string): void;
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

const SILENT: Task = { update() {}, finish() {} };

export async function startTask({ label, total, unit, quiet, already = 0 }: TaskOptions): Promise<Task> {
  if (quiet) return SILENT;
  const startedMs = performance.now();
  const elapsedSec = (): number => (performance.now() - startedMs) / 1000;
  const rateAndLeft = (done: number): { rate: string; left: string } => {
    const rate = (done - already) / elapsedSec();
    return { rate: `${formatCount(rate)} ${unit}/s`, left: `${formatSeconds((total - done) / rate)} left` };
  };
  let latest = already;
  const summary = (note: string | undefined): string =>
    `${label}: ${formatCount(latest)} ${unit} in ${formatSeconds(elapsedSec())}${note === undefined || note === "" ? "" : `, ${note}`}\n`;

  if (process.stderr.isTTY === true) {
    const { Presets, SingleBar: Bar } = (await import("cli-progress")).default;
    let bar: SingleBar | undefined;
    return {
      update(done, note = "") {
        latest = done;
        if (bar === undefined && performance.now() - startedMs < SILENT_MS) return;
        const payload = { ...rateAndLeft(done), note };
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
          bar.start(total, done, payload);
        } else bar.update(done, payload);
      },
      finish(note) {
        if (bar === undefined) return;
        bar.update(latest, { ...rateAndLeft(latest), note: "" });
        bar.stop();
        printErr(summary(note));
      },
    };
  }

  let lineMs = startedMs + SILENT_MS - LINE_EVERY_MS;
  let printed = false;
  return {
    update(done, note = "") {
      latest = done;
      if (performance.now() - lineMs < LINE_EVERY_MS) return;
      lineMs = performance.now();
      printed = true;
      const { rate, left } = rateAndLeft(done);
      const percent = Math.floor((100 * done) / total);
      printErr(
        `${label}: ${formatCount(done)} of ${formatCount(total)} ${unit} (${percent} %), ${rate}, ${left}${note === "" ? "" : `, ${note}`}\n`,
      );
    },
    finish(note) {
      if (printed) printErr(summary(note));
    },
  };
}
