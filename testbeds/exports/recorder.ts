/** Records one run of a scenario for the exports that need more than its time series. */
import { NANOS_PER_SEC, type Nanos } from "../../core/units.ts";
import type { GeneralNetwork } from "../../sim/general/general-network.ts";
import type { NetworkFlow } from "../../sim/network.ts";
import { MahimahiLog } from "./mahimahi-log.ts";
import { QlogRecorder } from "./qlog.ts";

/** qlog: the flow under test; mahimahi: the forward link */
export const RECORDED_FORMATS = ["qlog", "mahimahi"] as const;
export type RecordedFormat = (typeof RECORDED_FORMATS)[number];

export class RunRecorder {
  readonly #qlog: QlogRecorder | undefined;
  readonly #mahimahi: MahimahiLog | undefined;
  #network: GeneralNetwork | undefined;

  constructor(formats: readonly RecordedFormat[]) {
    this.#qlog = formats.includes("qlog") ? new QlogRecorder() : undefined;
    this.#mahimahi = formats.includes("mahimahi") ? new MahimahiLog() : undefined;
  }

  /** Before the network runs. */
  watchNetwork(network: GeneralNetwork): void {
    this.#network = network;
    network.hops[0]!.tracer = this.#mahimahi;
  }

  /** When the flow under test starts. */
  watchFlow(flow: NetworkFlow, nowNs: number): void {
    this.#qlog?.attach(flow, nowNs);
  }

  /** @param title such as scenario, algorithm and seed: every export carries it */
  texts(
    { startNs, nowNs }: { readonly startNs: Nanos; readonly nowNs: Nanos },
    title: string,
  ): Partial<Record<RecordedFormat, string>> {
    const fromSec = startNs / NANOS_PER_SEC;
    const comments = ["mahimahi mm-link (uplink)", title, `the flow under test starts at ${fromSec} s`];
    return {
      ...(this.#qlog && { qlog: this.#qlog.text(title, "the flow under test") }),
      ...(this.#mahimahi && {
        mahimahi: this.#mahimahi.text(this.#network!.forward, 0, nowNs, comments),
      }),
    };
  }
}
