/** What is reported of a flow, by band: who observes it says by a mask which of them it wants, and the others are not produced. */
import { CcparkError, unknownName } from "../core/errors.ts";
import type { Bytes, BytesPerSec, Micros } from "../core/units.ts";
import type { FlowHandle } from "./handle.ts";

export interface BandFacts {
  /** of the mask */
  readonly bit: number;
  /** one sentence */
  readonly definition: string;
}

export type Band = "membership" | "control" | "fault" | "measurement" | "truth";

export const BANDS: Readonly<Record<Band, BandFacts>> = {
  membership: { bit: 1, definition: "the flow has joined, left, or was moved" },
  control: { bit: 2, definition: "what was decided for it: window, pacing rate and bytes in flight" },
  fault: { bit: 4, definition: "packets lost and timeouts, when there are more than before" },
  measurement: { bit: 8, definition: "what its sender measured: round trips and bytes delivered" },
  truth: { bit: 16, definition: "what only the owner of the link knows: capacity, queue, drops" },
};

export const BAND_NAMES = Object.keys(BANDS) as readonly Band[];
export const ALL_BANDS: number = BAND_NAMES.reduce((mask, band) => mask | BANDS[band].bit, 0);

/** @throws CcparkError (not-found) with the nearest name */
export function maskOf(names: readonly string[]): number {
  let mask = 0;
  for (const name of names) {
    if (!Object.hasOwn(BANDS, name)) throw unknownName("flows", "band", name, BAND_NAMES, "bands");
    mask |= BANDS[name as Band].bit;
  }
  return mask;
}

export function bandsOf(mask: number): Band[] {
  return BAND_NAMES.filter((band) => (mask & BANDS[band].bit) !== 0);
}

/** @throws CcparkError (invalid-argument) for a mask without a band, or with bits that are none */
export function checkMask(mask: number): void {
  if (Number.isInteger(mask) && mask > 0 && (mask & ~ALL_BANDS) === 0) return;
  throw new CcparkError(
    "invalid-argument",
    `[flows] bands: got mask ${mask}, expected 1 to ${ALL_BANDS}, the bits of ${BAND_NAMES.join(", ")}`,
    { field: "bands" },
  );
}

/** moved: it goes on over other links, because somebody asked for it */
export type MembershipEvent = "joined" | "left" | "moved";

/** What a report of each band says. Counters count from the flow's start and never fall, whatever becomes of its endpoints. */
export interface BandBodies {
  readonly membership: { readonly event: MembershipEvent; readonly name: string };
  readonly control: {
    readonly cwndBytes: Bytes;
    /** 0: ACK-clocked */
    readonly rateBytesPerSec: BytesPerSec;
    readonly inflightBytes: Bytes;
  };
  readonly fault: { readonly lostPackets: number; readonly timeouts: number };
  readonly measurement: {
    /** 0: no sample yet */
    readonly srttUs: Micros;
    readonly minRttUs: Micros;
    readonly deliveredBytes: Bytes;
  };
  readonly truth: {
    /** of the link that is measured */
    readonly capacityBytesPerSec: BytesPerSec;
    readonly queueBytes: Bytes;
    readonly droppedPackets: number;
  };
}

/** What each band says of flows of one kind. */
export type Bodies = Readonly<Record<Band, object>>;

export type BandReport<Said extends Bodies = BandBodies> = {
  readonly [B in Band]: {
    readonly band: B;
    readonly flow: FlowHandle;
    /** of all reports of the flow, from 1; what an observer did not ask for leaves gaps */
    readonly number: number;
    /** on the flow's own clock */
    readonly timeUs: Micros;
    readonly body: Said[B];
  };
}[Band];
