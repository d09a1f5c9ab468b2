import type { Rng } from "../../../core/random.ts";

/** Random bytes, or one of `seen` as it was, cut or changed in some bytes. */
export function mutated(rng: Rng, seen: readonly Uint8Array[]): Uint8Array {
  const chosen = seen[rng.integer(Math.max(1, seen.length))];
  if (chosen === undefined || rng.next() < 0.2)
    return Uint8Array.from({ length: rng.integer(64) }, () => rng.integer(256));
  const bytes = chosen.slice(0, rng.next() < 0.2 ? rng.integer(chosen.length + 1) : chosen.length);
  for (let changes = rng.integer(4); changes > 0 && bytes.length > 0; changes--) {
    bytes[rng.integer(bytes.length)] = rng.integer(256);
  }
  return bytes;
}
