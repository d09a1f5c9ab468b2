/** Schemas of sender options and ACK policies; the options' types are in `sender-options.ts`, which the engine imports too. */
import * as z from "zod";
import type { AckPolicy, SenderOptions } from "../sender-options.ts";
import { count } from "./ranges.ts";
import { fields, quoted, type Schema } from "./shapes.ts";

export const SENDER_SCHEMA: Schema = fields<SenderOptions>({
  lossDetection: z.enum(["packet-threshold", "rack-tlp"]).optional(),
  prr: z.enum(["off", "rfc6937", "rfc9937"]).optional(),
  undo: z.boolean().optional(),
  ecn: z.enum(["off", "classic", "accurate"]).optional(),
  receiveWindowPackets: count.optional(),
  initialCwndPackets: count.max(1_000_000).optional(),
  minRtoMs: z.number().min(0).max(60_000).optional(),
});

const NAMED_ACK_POLICIES = ["delayed", "per-packet"] as const;

export const ACK_POLICY_SCHEMA: Schema = z.union(
  [
    z.enum(NAMED_ACK_POLICIES),
    fields<Exclude<AckPolicy, string>>({ packets: count, delayMs: z.number().min(0).max(1_000) }),
  ],
  { error: `one of ${quoted(NAMED_ACK_POLICIES)}, or an object with packets and delayMs` },
);
