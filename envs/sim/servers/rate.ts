/** How fast a link is, in the simulator's units; `make-server.ts` builds servers of it. */
import type { BytesPerSec, Nanos } from "../../../core/units.ts";

export type LinkRate =
  | { readonly kind: "constant"; readonly rateBytesPerSec: BytesPerSec }
  /** mm-link replay: one opportunity of 1504 bytes per entry, the last entry is the period */
  | { readonly kind: "trace"; readonly opportunitiesMs: readonly number[]; readonly offsetNs: Nanos }
  | { readonly kind: "unlimited" };
