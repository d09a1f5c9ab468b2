import * as z from "zod";
import type { Mbps } from "../../core/units.ts";
import { bytes, clockSec, count, mbps, positive } from "../schema/ranges.ts";
import { byKind, complain, type Schema } from "../schema/shapes.ts";
import { type TimeSpan, timeSpans } from "../schema/times.ts";
import {
  checkMedia,
  MAX_FRAMES_PER_SEC,
  MEDIA_FIELDS,
  type MediaApplication,
  MIN_FRAMES_PER_SEC,
} from "./media.ts";

/** What a flow has to send; absent: always more than it can. */
export type ApplicationSpec =
  | { readonly kind: "bulk" }
  /** one transfer, then the flow ends */
  | { readonly kind: "finite"; readonly bytes: number }
  /** bulk for an exponential time, silent for an exponential time */
  | { readonly kind: "on-off"; readonly meanOnSec: number; readonly meanOffSec: number }
  /** as much as a constant rate makes */
  | { readonly kind: "constant-rate"; readonly mbps: Mbps }
  /** frames at a frame rate, every n-th a key frame: log-normal sizes around the mean */
  | {
      readonly kind: "video";
      readonly mbps: Mbps;
      readonly framesPerSec?: number;
      readonly keyFrameEvery?: number;
      readonly keyFrameRatio?: number;
      readonly sigma?: number;
    }
  /** a call: streams of frames, whose delays are measured */
  | MediaApplication
  /** transfers one after the other with exponential pauses, sizes uniform */
  | {
      readonly kind: "short-transfers";
      readonly minBytes: number;
      readonly maxBytes: number;
      readonly meanOffSec: number;
    }
  /** bulk except in these times */
  | { readonly kind: "pauses"; readonly pauses: readonly TimeSpan[] };

export const APPLICATION_SCHEMA: Schema = byKind<ApplicationSpec>({
  bulk: { fields: {} },
  finite: { fields: { bytes } },
  "on-off": { fields: { meanOnSec: clockSec, meanOffSec: clockSec } },
  "constant-rate": { fields: { mbps } },
  video: {
    fields: {
      mbps,
      framesPerSec: positive(MIN_FRAMES_PER_SEC, MAX_FRAMES_PER_SEC).optional(),
      keyFrameEvery: count.optional(),
      keyFrameRatio: z.number().min(1).max(100).optional(),
      sigma: z.number().min(0).max(3).optional(),
    },
  },
  media: { fields: MEDIA_FIELDS, check: checkMedia },
  "short-transfers": {
    fields: { minBytes: bytes, maxBytes: bytes, meanOffSec: clockSec },
    check({ minBytes, maxBytes }, complaints) {
      if (maxBytes < minBytes) complain(complaints, ["maxBytes"], `>= ${minBytes} (minBytes)`);
    },
  },
  pauses: { fields: { pauses: timeSpans } },
});
