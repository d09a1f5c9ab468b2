/** Bytes as hexadecimal text, and back. */
import { CcparkError } from "../../core/errors.ts";

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * White space is ignored.
 * @throws CcparkError for anything that is not pairs of hexadecimal digits
 */
export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, "");
  const bad = /[^0-9a-fA-F]/u.exec(digits);
  if (bad !== null) {
    const what = `got \`${bad[0]}\` at digit ${bad.index + 1}, expected hexadecimal digits`;
    throw new CcparkError("invalid-argument", `[ccp-lang] hex: ${what}`);
  }
  if (digits.length === 0 || digits.length % 2 !== 0) {
    const what = `got ${digits.length} digits, expected two per byte`;
    throw new CcparkError("invalid-argument", `[ccp-lang] hex: ${what}`);
  }
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
}
