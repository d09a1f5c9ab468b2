/**
 * What a link does to packets beside queueing and serving them: every impairment, one file each, by the field that holds
 * it, in the order of travel. A new one is a field of a type and an entry of its table.
 */
import type { Shape } from "../schema/shapes.ts";
import type { TimeSpan } from "../schema/times.ts";
import { ACK_THINNING } from "./ack-thinning.ts";
import { BLACKHOLES } from "./blackholes.ts";
import { CORRUPTION } from "./corruption.ts";
import { DUPLICATION } from "./duplication.ts";
import { GILBERT_ELLIOTT, type GilbertElliottSpec } from "./gilbert-elliott.ts";
import type { Impairment } from "./impairment.ts";
import { JITTER, type JitterSpec } from "./jitter.ts";
import { LINK_DELAY } from "./link-delay.ts";
import { LOSS } from "./loss.ts";
import { LOSS_OVER_TIME, type LossOverTimeSpec } from "./loss-over-time.ts";
import { OUTAGES } from "./outages.ts";
import { PERIODIC_LOSS, type PeriodicLossSpec } from "./periodic-loss.ts";
import { POLICER, type PolicerSpec } from "./policer.ts";
import { SLOTS, type SlotsSpec } from "./slots.ts";

/** On entering the link, before the queue. */
export interface EntryImpairments {
  /** drops what exceeds a token bucket, before everything else */
  readonly policer?: PolicerSpec;
  /** what arrives in these times is lost */
  readonly blackholes?: readonly TimeSpan[];
  /** Bernoulli loss, a fraction 0-1 */
  readonly lossRate: number;
  /** the same at a rate that changes */
  readonly lossOverTime?: LossOverTimeSpec;
  /** two-state loss */
  readonly gilbertElliott?: GilbertElliottSpec;
  /** every n-th packet is lost */
  readonly periodicLoss?: PeriodicLossSpec;
  /** of the ACKs that wait in the queue for one flow, only the newest stays */
  readonly ackThinning?: boolean;
}

/** In service and on the wire. */
export interface ExitImpairments {
  /** no service in these times; packets wait */
  readonly outages?: readonly TimeSpan[];
  /** fraction of packets that arrive damaged: they use the link, and the receiver throws them away */
  readonly corruptionRate?: number;
  /** fraction of packets that arrive twice */
  readonly duplicationRate?: number;
  /** packets go on together, as Wi-Fi and cable send them */
  readonly slots?: SlotsSpec;
  /** this link's own propagation delay, beside the flows'; absent: 0 */
  readonly delayMs?: number;
  /** extra delay per packet */
  readonly jitter?: JitterSpec;
}

type Table<Specs> = { readonly [Field in keyof Specs]-?: Impairment };

const ENTRY: Table<EntryImpairments> = {
  policer: POLICER,
  blackholes: BLACKHOLES,
  lossRate: LOSS,
  lossOverTime: LOSS_OVER_TIME,
  gilbertElliott: GILBERT_ELLIOTT,
  periodicLoss: PERIODIC_LOSS,
  ackThinning: ACK_THINNING,
};

const EXIT: Table<ExitImpairments> = {
  outages: OUTAGES,
  corruptionRate: CORRUPTION,
  duplicationRate: DUPLICATION,
  slots: SLOTS,
  delayMs: LINK_DELAY,
  jitter: JITTER,
};

function schemas<Specs>(table: Table<Specs>): Shape<Specs> {
  const entries = Object.entries<Impairment>(table);
  return Object.fromEntries(entries.map(([field, { schema }]) => [field, schema])) as Shape<Specs>;
}

export const entryFields: Shape<EntryImpairments> = schemas(ENTRY);
export const exitFields: Shape<ExitImpairments> = schemas(EXIT);

const LABELS: readonly (readonly [field: string, label: string])[] = Object.entries<Impairment>({
  ...ENTRY,
  ...EXIT,
}).flatMap(([field, { label }]) => (label === undefined ? [] : [[field, label] as const]));

/** Words for what a direction has of them, in the order of travel. */
export function impairmentLabels(direction: EntryImpairments & ExitImpairments): string[] {
  const given: Readonly<Record<string, unknown>> = { ...direction };
  return LABELS.filter(([field]) => given[field]).map(([, label]) => label);
}
