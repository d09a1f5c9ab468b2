/** What mm-link's log of one direction says (Mahimahi, link_queue.cc): arrivals, departures, drops, opportunities. */
import { CcparkError } from "../../core/errors.ts";
import { type Bytes, toMbps } from "../../core/units.ts";

export interface LinkLog {
  /** from the first event to the last */
  readonly durationMs: number;
  readonly arrivedPackets: number;
  readonly departedPackets: number;
  readonly departedBytes: Bytes;
  readonly droppedPackets: number;
  /** of all opportunities between the first event and the last */
  readonly capacityBytes: Bytes;
  readonly throughputMbps: number;
  /** from arrival to departure; NaN where none departed */
  readonly meanDelayMs: number;
  readonly p95DelayMs: number;
}

/** The last line of mm-link's head. */
const HEAD_END = "# base timestamp: ";
/** Events by their sign: how many whole numbers follow it. */
const NUMBERS: Readonly<Record<string, number>> = { "#": 1, "+": 1, "-": 2, d: 2 };

/** `ms` from when its shell began; of departures `second` is the delay, of drops `first` the packets and `second` their bytes. */
export interface LinkEvent {
  readonly ms: number;
  readonly sign: string;
  readonly first: number;
  readonly second: number;
}

/** Undefined: the line is no event. */
export function parseLinkEvent(line: string): LinkEvent | undefined {
  const [time, sign = "", ...rest] = line.split(" ");
  const numbers = [time, ...rest].map(Number);
  if (numbers.some((each) => !Number.isInteger(each) || each < 0) || rest.length !== NUMBERS[sign]) {
    return undefined;
  }
  const [ms, first, second = 0] = numbers as [number, number, number?];
  return { ms, sign, first, second };
}

/**
 * @param name of the file, for the error
 * @throws CcparkError (invalid-argument) with the line
 */
export function parseLinkLog(text: string, name: string): LinkLog {
  const delaysMs: number[] = [];
  let [arrivedPackets, departedBytes, droppedPackets, capacityBytes] = [0, 0, 0, 0];
  let [firstMs, lastMs] = [Number.NaN, Number.NaN];
  const lines = text.split("\n");
  // above it stands the command that was run, which may have lines of its own
  const headEnd = lines.findIndex((line) => line.startsWith(HEAD_END));
  lines.forEach((line, i) => {
    if (i <= headEnd || line === "" || line.startsWith("# ")) return;
    const event = parseLinkEvent(line);
    if (event === undefined) {
      throw new CcparkError(
        "invalid-argument",
        `[mahimahi] ${name}, line ${i + 1}: got \`${line}\`, expected \`MS # BYTES\`, \`MS + BYTES\`, \`MS - BYTES DELAY\` or \`MS d PACKETS BYTES\``,
      );
    }
    const { ms, sign, first, second } = event;
    if (Number.isNaN(firstMs)) firstMs = ms;
    lastMs = ms;
    if (sign === "#") capacityBytes += first;
    else if (sign === "+") arrivedPackets++;
    else if (sign === "d") droppedPackets += first;
    else {
      departedBytes += first;
      delaysMs.push(second);
    }
  });
  const durationMs = Number.isNaN(firstMs) ? 0 : lastMs - firstMs;
  delaysMs.sort((a, b) => a - b);
  const departedPackets = delaysMs.length;
  return {
    durationMs,
    arrivedPackets,
    departedPackets,
    departedBytes,
    droppedPackets,
    capacityBytes,
    throughputMbps: durationMs === 0 ? 0 : toMbps((departedBytes * 1000) / durationMs),
    meanDelayMs: delaysMs.reduce((sum, each) => sum + each, 0) / departedPackets,
    p95DelayMs: delaysMs[Math.ceil(0.95 * departedPackets) - 1] ?? Number.NaN,
  };
}
