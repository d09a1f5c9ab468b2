/** A call: streams of frames over one flow, and how late each frame is. */
import * as z from "zod";
import { bytes, count, nonEmpty, positive, priority, text, timeSec } from "../schema/ranges.ts";
import { type Complaints, complain, fields, type Shape } from "../schema/shapes.ts";

/** One frame in 100 s is a slide show; 1,000 a second are beyond any camera that streams. */
export const MIN_FRAMES_PER_SEC = 0.01;
export const MAX_FRAMES_PER_SEC = 1_000;
/** Streams of one call. */
const MAX_STREAMS = 64;

export interface MediaStream {
  readonly name: string;
  readonly framesPerSec: number;
  readonly bytes: number;
  /** every n-th frame, from the first on, is of this size */
  readonly keyFrameBytes?: number;
  readonly keyFrameEvery?: number;
  /** what waits of a lower number is sent first; absent: 0 */
  readonly priority?: number;
  /** a frame that is so late ends the stream until its next key frame; absent: each is sent, however late */
  readonly abandonAfterMs?: number;
}

export interface MediaApplication {
  readonly kind: "media";
  readonly streams: readonly MediaStream[];
  /** frames are counted from this time of the flow on; absent: 0 */
  readonly measureFromSec?: number;
}

export const MEDIA_FIELDS: Shape<Omit<MediaApplication, "kind">> = {
  streams: nonEmpty(
    fields<MediaStream>({
      name: text,
      framesPerSec: positive(MIN_FRAMES_PER_SEC, MAX_FRAMES_PER_SEC),
      bytes,
      keyFrameBytes: bytes.optional(),
      keyFrameEvery: count.optional(),
      priority: priority.optional(),
      abandonAfterMs: z.number().gt(0).max(60_000).optional(),
    }),
  ).max(MAX_STREAMS),
  measureFromSec: timeSec.optional(),
};

export function checkMedia({ streams }: MediaApplication, complaints: Complaints): void {
  streams.forEach(({ name, keyFrameBytes, keyFrameEvery, abandonAfterMs }, i) => {
    const at = (field: string): (string | number)[] => ["streams", i, field];
    if ((keyFrameBytes === undefined) !== (keyFrameEvery === undefined)) {
      complain(complaints, at("keyFrameEvery"), "keyFrameBytes and keyFrameEvery together, or neither");
    }
    if (abandonAfterMs !== undefined && keyFrameEvery === undefined) {
      complain(complaints, at("abandonAfterMs"), "a stream with key frames, where it begins again");
    }
    if (streams.findIndex((other) => other.name === name) < i) {
      complain(complaints, at("name"), `a name of its own, not \`${name}\` again`);
    }
  });
}
