/** Traces on disk: shipped ones by name, any other by path. The only file of this folder that touches the file system. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CcparkError, nearestName, printable } from "../core/errors.ts";
import { readUnpacked } from "../core/text-files.ts";
import { generateTrace } from "./generate.ts";
import type { MahimahiTrace } from "./mahimahi.ts";
import { formatMahimahiTrace, parseMahimahiTrace } from "./mahimahi.ts";
import { SHIPPED_TRACES } from "./shipped.ts";

/** Where the shipped files lie: `<package>/traces/shipped/`, from `traces/` as from `dist/traces/`. */
export function shippedTraceDirectory(): string {
  const fromSource = fileURLToPath(new URL("./shipped/", import.meta.url));
  return existsSync(fromSource)
    ? fromSource
    : fileURLToPath(new URL("../../traces/shipped/", import.meta.url));
}

/**
 * Reads a trace.
 * @param nameOrPath a name of `SHIPPED_TRACES`, or else the path of a file in Mahimahi's format
 * @throws CcparkError not-found if there is no such file, or it is a directory or unreadable; TraceError if it breaks
 *   the format
 */
export function loadTrace(nameOrPath: string): MahimahiTrace {
  const shipped = SHIPPED_TRACES.find((trace) => trace.name === nameOrPath);
  const path = shipped === undefined ? nameOrPath : `${shippedTraceDirectory()}${shipped.file}`;
  let text: string;
  try {
    text = readUnpacked(path).toString("utf8");
  } catch (cause) {
    if (cause instanceof CcparkError) {
      throw new CcparkError(cause.kind, `[trace] ${printable(nameOrPath)}: ${cause.message}`, { cause });
    }
    throw new CcparkError("not-found", describeReadFailure(nameOrPath, path, cause), { cause });
  }
  const name = shipped?.name ?? printable(path.split(/[\\/]/).at(-1)!);
  return parseMahimahiTrace(text, name);
}

function describeReadFailure(nameOrPath: string, path: string, cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  if (code === "EISDIR") return `[trace] not a file, ${path}: got a directory, expected a trace file`;
  if (code !== "ENOENT" && code !== "ENOTDIR") {
    return `[trace] unreadable file, ${path}: got ${code}, expected a readable trace file`;
  }
  const names = SHIPPED_TRACES.map((trace) => trace.name);
  const near = nearestName(nameOrPath, names);
  const hint =
    near === undefined
      ? `the path of a file or one of ${names.join(", ")}`
      : `a file, or did you mean \`${near}\`?`;
  return `[trace] no such trace, ${nameOrPath}: got neither a file nor a shipped name, expected ${hint}`;
}

/**
 * Generates shipped traces anew.
 * @param directory where to write, made if missing; absent: where they lie
 */
export function writeShippedTraces(directory: string = shippedTraceDirectory()): void {
  mkdirSync(directory, { recursive: true });
  for (const { file, generator } of SHIPPED_TRACES) {
    writeFileSync(`${directory}/${file}`, formatMahimahiTrace(generateTrace(generator)));
  }
}
