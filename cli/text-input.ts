/** What a command reads: text of a file, or of standard input for `-`, and files that its options name. */
import { readFileSync } from "node:fs";
import { CcparkError, printable } from "../core/errors.ts";
import { readUnpacked } from "../core/text-files.ts";
import { fileError } from "../core/whole-files.ts";
import { interruptible } from "./console.ts";

const STDIN = 0;

/** @throws CcparkError if it cannot be read or is not UTF-8 */
export function readText(file: string): string {
  let bytes: Uint8Array;
  try {
    bytes = interruptible(() => readUnpacked(file === "-" ? STDIN : file));
  } catch (error) {
    if (error instanceof CcparkError) {
      throw new CcparkError(error.kind, `\`${inputName(file)}\`: ${error.message}`, { cause: error });
    }
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === "ENOENT" ? "no such file" : code === "EISDIR" ? "this is a folder" : message;
    throw new CcparkError("not-found", `cannot read \`${file}\`: ${reason}`, { cause: error });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new CcparkError("invalid-argument", `\`${file}\` is not UTF-8 text`, { cause: error });
  }
}

/** The file that an option names, as it is. @throws CcparkError if it cannot be read */
export function readOption(command: string, option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw fileError(`[${command}] ${option}: cannot read`, path, error);
  }
}

/** How messages call it. */
export function inputName(file: string): string {
  return file === "-" ? "standard input" : printable(file);
}
