/**
 * A congestion control of this process as a CCP algorithm, for a datapath that it cannot live in, such as Linux TCP's: a program
 * reports every ACK, and window and rate go back. It decides a message's way later than it would inside.
 */
import type { Bytes, BytesPerSec, Micros } from "../core/units.ts";
import type { CcpAlgorithm, CcpFlow, FlowControl, FlowInfo, Report } from "./agent/algorithm.ts";
import type { AckEvent, CongestionControl, CongestionControlFactory } from "./congestion-control.ts";

/** In the order of the report. */
const FIELDS = [
  ["ackedBytes", "Ack.bytes_acked"],
  ["ackedPackets", "Ack.packets_acked"],
  ["misorderedBytes", "Ack.bytes_misordered"],
  ["misorderedPackets", "Ack.packets_misordered"],
  ["ecnPackets", "Ack.ecn_packets"],
  ["ecnBytes", "Ack.ecn_bytes"],
  ["lostPackets", "Ack.lost_pkts_sample"],
  ["inflightBytes", "Flow.bytes_in_flight"],
  ["inflightPackets", "Flow.packets_in_flight"],
  ["pendingBytes", "Flow.bytes_pending"],
  ["deliveryRateBytesPerSec", "Flow.rate_incoming"],
  ["sendRateBytesPerSec", "Flow.rate_outgoing"],
  ["rttUs", "Flow.rtt_sample_us"],
  ["timeout", "Flow.was_timeout"],
] as const;

type Field = (typeof FIELDS)[number][0];

const PROGRAM = "every-ack";
const SOURCE: string = [
  `(def (Report ${FIELDS.map(([name]) => `(volatile ${name} 0)`).join(" ")}))`,
  `(when true ${FIELDS.map(([name, primitive]) => `(:= Report.${name} ${primitive})`).join(" ")} (report))`,
].join("\n");

/** what a primitive says where there is no RTT sample */
const NO_RTT_US = 2 ** 32 - 1;
/** RFC 6298 */
const SRTT_GAIN = 1 / 8;

class ControlledFlow implements CcpFlow {
  readonly #control: CongestionControl;
  readonly #flow: FlowControl;
  readonly #mssBytes: Bytes;
  #srttUs: Micros = 0;
  #minRttUs: Micros = Number.POSITIVE_INFINITY;
  #ackedBytes: Bytes = 0;
  /** sequence that ends the latest episode, in packets */
  #episodeEnd = 0;
  #markedEnd = 0;
  #cwndBytes: Bytes = 0;
  #rateBytesPerSec: BytesPerSec = 0;

  constructor(control: CongestionControl, flow: FlowControl, mssBytes: Bytes) {
    this.#control = control;
    this.#flow = flow;
    this.#mssBytes = mssBytes;
    flow.setProgram(PROGRAM);
    this.#apply();
  }

  onReport(report: Report): void {
    const values = report.first(FIELDS.length);
    const of = (name: Field): number => values[FIELDS.findIndex(([field]) => field === name)]!;
    const rttUs = of("rttUs") === NO_RTT_US ? 0 : of("rttUs");
    if (rttUs > 0) {
      this.#srttUs = this.#srttUs === 0 ? rttUs : this.#srttUs + SRTT_GAIN * (rttUs - this.#srttUs);
      this.#minRttUs = Math.min(this.#minRttUs, rttUs);
    }
    this.#ackedBytes += of("ackedBytes");
    const ackedPackets = of("ackedPackets");
    const misorderedPackets = of("misorderedPackets");
    const inflightPackets = of("inflightPackets");
    const delivered = ackedPackets + misorderedPackets;
    const cumulativeSequence = Math.floor(this.#ackedBytes / this.#mssBytes);
    const ack: AckEvent = {
      nowUs: report.nowUs,
      ackedBytes: of("ackedBytes"),
      ackedPackets,
      misorderedBytes: of("misorderedBytes"),
      misorderedPackets,
      deliveredBytes: delivered * this.#mssBytes,
      lostPackets: of("lostPackets"),
      lostBytes: of("lostPackets") * this.#mssBytes,
      ecnPackets: of("ecnPackets"),
      ecnBytes: of("ecnBytes"),
      rttUs,
      srttUs: this.#srttUs,
      minRttUs: this.#minRttUs,
      inflightBytes: of("inflightBytes"),
      inflightPackets,
      pendingBytes: of("pendingBytes"),
      deliveryRateBytesPerSec: of("deliveryRateBytesPerSec"),
      sendRateBytesPerSec: of("sendRateBytesPerSec"),
      appLimited: false,
      timeout: of("timeout") !== 0,
      nextSequence: cumulativeSequence + inflightPackets,
      cumulativeSequence,
      cwndLimited: (inflightPackets + delivered + 1) * this.#mssBytes >= this.#cwndBytes,
    };
    this.#tellCongestion(ack);
    this.#control.onAck(ack);
    this.#apply();
  }

  /** Once per episode: a round in which something was lost or marked. */
  #tellCongestion(ack: AckEvent): void {
    const { nowUs, inflightBytes, lostPackets, cumulativeSequence, nextSequence } = ack;
    if (ack.timeout) {
      const again = cumulativeSequence < this.#episodeEnd;
      this.#control.onCongestion({ kind: "timeout", nowUs, inflightBytes, lostPackets, again });
      this.#episodeEnd = nextSequence;
    } else if (lostPackets > 0 && cumulativeSequence >= this.#episodeEnd) {
      this.#control.onCongestion({ kind: "loss", nowUs, inflightBytes, lostPackets });
      this.#episodeEnd = nextSequence;
    } else if (ack.ecnPackets > 0 && cumulativeSequence >= this.#markedEnd) {
      this.#control.onCongestion({ kind: "ecn", nowUs, inflightBytes, lostPackets });
      this.#markedEnd = nextSequence;
    }
  }

  #apply(): void {
    const cwndBytes = Math.round(this.#control.cwndBytes);
    const rateBytesPerSec = Math.round(this.#control.pacingRateBytesPerSec ?? 0);
    if (cwndBytes === this.#cwndBytes && rateBytesPerSec === this.#rateBytesPerSec) return;
    this.#cwndBytes = cwndBytes;
    this.#rateBytesPerSec = rateBytesPerSec;
    this.#flow.setWindow(cwndBytes, rateBytesPerSec);
  }

  onClose(): void {
    this.#control.onClose?.();
  }
}

/** @param name of the algorithm */
export function controlAsAlgorithm(name: string, make: CongestionControlFactory): CcpAlgorithm {
  return {
    name,
    programs: { [PROGRAM]: SOURCE },
    newFlow: (flow: FlowControl, { nowUs, mssBytes, initCwndBytes }: FlowInfo) =>
      new ControlledFlow(make({ nowUs, mssBytes, initialCwndBytes: initCwndBytes }), flow, mssBytes),
  };
}
