/** What nodes do with the overlay: one file for each kind. */
import type { Micros } from "../../../core/units.ts";
import type { OverlayWork } from "../../../scenarios/overlay/overlay.ts";
import type { FlowSpec } from "../../../sim/network.ts";

type BeginArguments = Parameters<NonNullable<FlowSpec["onStart"]>>;

/** One of the things that a flow can choose. */
export interface ChoiceFacts {
  /** the nodes of a path, joined by `>`; a parent; `share` */
  readonly name: string;
  readonly isChosen: boolean;
  /** one way, 0 to 1, as measured; 0: nothing is known */
  readonly lossRate: number;
  /** 0: nothing is known */
  readonly rttUs: Micros;
  /** of payload; 0: nothing is known */
  readonly mbps: number;
}

export interface Work {
  readonly kind: OverlayWork["kind"];
  /** A flow of the scenario starts, before its first packet. Absent: it sends what its plan says. */
  beginFlow?(place: number, ...args: BeginArguments): void;
  /** The scenario's time begins. */
  begin(): void;
  /** @param place of a flow in the scenario */
  choices?(place: number): readonly ChoiceFacts[];
  /** @param value as of `Overlay.choose` */
  choose?(place: number, value: number): void;
}

/** The entry that a value in [0, 1] stands for. */
export function entryAt<T>(list: readonly T[], value: number): T {
  return list[Math.min(list.length - 1, Math.floor(value * list.length))]!;
}
