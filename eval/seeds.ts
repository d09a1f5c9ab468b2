/** `--seeds N` means seeds 1 to N. */
export function seedsUpTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

export const MAX_SEEDS = 1000;

/** `1 seed`, `5 seeds`. */
export function seedsText(count: number): string {
  return count === 1 ? "1 seed" : `${count} seeds`;
}
