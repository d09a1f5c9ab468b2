/** Readers of option values; a wrong value is one sentence and exit code 2. */
import { existsSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import { splitReferences } from "../algorithms/reference.ts";
import { CcparkError } from "../core/errors.ts";
import { PACES, type Pace } from "../envs/foreign-agent/pace.ts";

/** What names an agent of another process begin with. */
export const UNIX_PREFIX = "unix:";

/** What stands before a path in a name, and the first parameter after it. */
const AROUND_PATH = /^(?:(?:agent|checkpoint|onnx):)?(.*?)(?::[A-Za-z]\w*=[^,]*)?$/s;

/** Items between commas; the comma of a path that is there belongs to it: `./a,b.yaml`, `onnx:runs/a,b.onnx`. */
function splitAtCommas(text: string): string[] {
  const items = text.split(",");
  const isPath = (name: string): boolean => /[./\\]/.test(name) && existsSync(AROUND_PATH.exec(name)![1]!);
  const names: string[] = [];
  for (let at = 0; at < items.length; ) {
    let to = items.length;
    while (to > at + 1 && !isPath(items.slice(at, to).join(",").trim())) to--;
    names.push(items.slice(at, to).join(",").trim());
    at = to;
  }
  return names;
}

function expectEachOnce(names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new InvalidArgumentError(`got \`${twice}\` twice, expected each once.`);
}

/** `a,b , c` -> ["a", "b", "c"]; each once. */
export function parseList(text: string): string[] {
  const names = splitAtCommas(text);
  if (names.some((name) => name === "")) {
    throw new InvalidArgumentError("expected names separated by commas, without an empty one.");
  }
  expectEachOnce(names);
  return names;
}

/**
 * What `--algorithms all` stands for, and what commands compare with: each published algorithm once. `dctcp` is not among
 * them because it is Reno where nothing marks packets; natives and twins are other forms of the same.
 */
export const ALL_ALGORITHMS: readonly string[] = ["cubic", "vegas", "bbr", "reno"];

/** Contenders, with their parameters; `all` is short for those, of which one may be named beside it. */
export function parseAlgorithms(text: string): string[] {
  const names = splitReferences(splitAtCommas(text));
  if (names.length === 0) throw new InvalidArgumentError("expected names separated by commas.");
  expectEachOnce(names);
  return [...new Set(names.flatMap((name) => (name === "all" ? ALL_ALGORITHMS : [name])))];
}

const MULTIPLES: Readonly<Record<string, number>> = { "": 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9 };

/** `1200000`, as people write it: also `1.2M`, `1_200_000`, `1,200,000` and `1.2e6`. NaN: no number. */
function readCount(text: string): number {
  const match = /^(\d{1,3}(?:[_,]\d{3})+|\d+(?:\.\d+)?(?:[eE]\d+)?)([kKMG]?)$/.exec(text);
  if (match === null) return Number.NaN;
  // 1.2 x 1e6 is not whole in floating point for every such number
  return Number((Number(match[1]!.replace(/[_,]/g, "")) * MULTIPLES[match[2]!]!).toPrecision(15));
}

export function parseWhole(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : readCount(text);
    if (!Number.isInteger(value) || value < low || value > high) {
      const written = high < MULTIPLES["M"]! ? "" : " (1.6M is 1600000)";
      throw new InvalidArgumentError(`expected a whole number from ${low} to ${high}${written}.`);
    }
    return value;
  };
}

/** A number above 0; `1e6` and `0.5` are numbers too. */
export function parsePositive(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError("expected a number above 0.");
  }
  return value;
}

/** A number above 0, to 1. */
export function parseShare(text: string): number {
  const value = parsePositive(text);
  if (value > 1) throw new InvalidArgumentError("expected a number above 0, to 1.");
  return value;
}

/** The picture is SVG whatever its file is called, so it must be called so. */
export function parseSvgPath(text: string): string {
  if (!/\.svg$/i.test(text)) throw new InvalidArgumentError("expected a file name that ends in .svg.");
  return text;
}

/** One more value of an option that may repeat. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** What `--set` is for, in the words of `--help`. */
export const SET_HELP =
  "a field of the scenario, such as link.rateMbps=24 or forward.queue.packets=100; may repeat (docs/scenarios.md)";

/** What `--force` is for, in the words of `--help`. */
export const FORCE_HELP = "replace other results in --out";

/** What `--wide` is for. */
export const WIDE_HELP = "tables with all columns in one line, whatever the terminal's width";

/** The options of agents of other processes, as words of a command line. */
export function outsideWords({
  mode,
  quietMs,
}: {
  readonly mode: Pace;
  readonly quietMs?: number;
}): string[] {
  const words = mode === DEFAULT_PACE ? [] : [`--mode ${mode}`];
  return quietMs === undefined ? words : [...words, `--quiet-ms ${quietMs}`];
}

/**
 * An option that does nothing without another one, which is not there.
 * @param contenders where agents of other processes may be among them
 * @throws CcparkError (invalid-argument) for the first that was given
 */
export function refuseIdle(command: Command, contenders?: readonly string[]): void {
  const refuse = (names: readonly string[], without: string): void => {
    const idle = command.options.find((option) => {
      const name = option.attributeName();
      return names.includes(name) && command.getOptionValueSource(name) === "cli";
    });
    if (idle === undefined) return;
    const message = `[${command.name()}] ${idle.long}: does nothing without ${without}`;
    throw new CcparkError("invalid-argument", message);
  };
  if (command.getOptionValue("out") === undefined) refuse(["force"], "--out DIR");
  if (contenders?.some((name) => name.startsWith(UNIX_PREFIX)) === false) {
    const agent = `an agent of another process (${UNIX_PREFIX}SOCKET:NAME) among the contenders`;
    refuse(["mode", "quietMs", "socketDir"], agent);
  }
}

/** As a word of a command line that can be pasted. */
export function quoteForShell(text: string): string {
  return /^[\w.,=:/+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

export const MAX_SEED: number = Number.MAX_SAFE_INTEGER;

/** How virtual time passes under an agent of another process. */
export const DEFAULT_PACE: Pace = "lock-step";

export function modeOption(): Option {
  return new Option(
    "--mode <mode>",
    "agents of other processes: virtual time waits for their answers, or follows the clock, which agents with timers need",
  )
    .choices(PACES)
    .default(DEFAULT_PACE);
}

export function quietMsOption(): Option {
  return new Option(
    "--quiet-ms <ms>",
    "lock-step: how long an agent's first answer to a report may take (default: 5)",
  ).argParser(parsePositive);
}

export function socketDirOption(): Option {
  return new Option(
    "--socket-dir <dir>",
    "folder of the agents' sockets, by Portus' versions with /NAME or /0/in (default: /tmp/ccp)",
  );
}
