/** Records one run of a scenario for the exports that need more than its time series. */
import { NANOS_PER_SEC, type Nanos } from "../../core/units.ts";
import type { GeneralNetwork } from "../../sim/general/general-network.ts";
import type { NetworkFlow } from "../../sim/network.ts";
import { MahimahiLog } from "./mahimahi-log.ts";
import { QlogRecorder, QlogTrace } from "./qlog.ts";

/** qlog: all flows of the scenario; mahimahi: the forward link; pcap: real packets, as the client's end of a link sends and receives them */
export const RECORDED_FORMATS = ["qlog", "mahimahi", "pcap"] as const;
export type RecordedFormat = (typeof RECORDED_FORMATS)[number];

/** What a world can write down whose senders are the engine's, on whatever way. */
export const ENGINE_FORMATS: readonly RecordedFormat[] = ["qlog", "mahimahi"];

/** What has been written down: texts, and a capture's bytes. */
export interface Recordings {
  readonly qlog?: string;
  readonly mahimahi?: string;
  readonly pcap?: Uint8Array;
}

export class RunRecorder {
  readonly #qlog: QlogTrace | undefined;
  readonly #mahimahi: MahimahiLog | undefined;
  #network: GeneralNetwork | undefined;
  /** of a link that keeps its logs itself */
  #readLogs: (() => Pick<Recordings, "mahimahi" | "pcap">) | undefined;
  readonly #formats: readonly RecordedFormat[];

  constructor(formats: readonly RecordedFormat[]) {
    this.#formats = formats;
    this.#qlog = formats.includes("qlog") ? new QlogTrace() : undefined;
    this.#mahimahi = formats.includes("mahimahi") ? new MahimahiLog() : undefined;
  }

  /** Whether it is to have this. */
  wants(format: RecordedFormat): boolean {
    return this.#formats.includes(format);
  }

  /** The link keeps its logs itself, the forward one's in mm-link's format. @param read called once, when the run has been closed */
  watchLink(read: () => Pick<Recordings, "mahimahi" | "pcap">): void {
    this.#readLogs = read;
  }

  /** Before the network runs. */
  watchNetwork(network: GeneralNetwork): void {
    this.#network = network;
    network.hops[0]!.tracer = this.#mahimahi;
  }

  /** When a flow starts. */
  watchFlow(id: string, flow: NetworkFlow, nowNs: number): void {
    if (this.#qlog !== undefined) new QlogRecorder(this.#qlog, id).attach(flow, nowNs);
  }

  /**
   * After the run; in real time after it has been closed, since a link's own log is whole only then.
   * @param title such as scenario, algorithm and seed: every export carries it
   */
  texts({ startNs, nowNs }: { readonly startNs: Nanos; readonly nowNs: Nanos }, title: string): Recordings {
    const { mahimahi = undefined, pcap = undefined } = this.#readLogs?.() ?? {};
    const fromSec = startNs / NANOS_PER_SEC;
    const comments = ["mahimahi mm-link (uplink)", title, `the flow under test starts at ${fromSec} s`];
    return {
      ...(this.#qlog && {
        qlog: this.#qlog.text(title, "the flows of a scenario; the one under test is the first"),
      }),
      ...(this.#mahimahi && {
        mahimahi:
          mahimahi === undefined
            ? this.#mahimahi.text(this.#network!.forward, 0, nowNs, comments)
            : `# ${title}\n${mahimahi}`,
      }),
      ...(pcap && { pcap }),
    };
  }
}
