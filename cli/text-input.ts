/** Text that a command reads: a file, or standard input for `-`. */
import { CcparkError, printable } from "../core/errors.ts";
import { readUnpacked } from "../core/text-files.ts";
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

/** How messages call it. */
export function inputName(file: string): string {
  return file === "-" ? "standard input" : printable(file);
}
