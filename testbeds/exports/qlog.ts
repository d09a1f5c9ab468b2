/**
 * The course of all flows of a run as one qlog 0.3 trace in JSON-SEQ (draft-ietf-quic-qlog-main-schema-02, draft-ietf-quic-qlog-quic-events-02,
 * RFC 7464), which qvis reads: packets sent, lost and timers, and after each ACK the recovery metrics that changed. Times
 * are milliseconds from the first flow's start; where there are several flows, `group_id` names the flow of each event. A packet's number is its transmission number, since each transmission has its
 * own, as in QUIC.
 */
import type { AckEvent, CongestionEvent } from "../../ccp-bridge/congestion-control.ts";
import {
  ACK_BYTES,
  MICROS_PER_MILLI,
  NANOS_PER_MICRO,
  NANOS_PER_MILLI,
  type Nanos,
} from "../../core/units.ts";
import type { Sender } from "../../engine/sender.ts";
import type { NetworkFlow } from "../../sim/network.ts";

const RECORD_SEPARATOR = "\u001e";

interface QlogEvent {
  readonly time: number;
  /** its flow */
  readonly group: string;
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A flow's metrics by their qlog names: milliseconds, bytes, bit/s. */
type Metrics = Record<string, number>;

/** Milliseconds with microseconds behind the point: enough, and short. */
function roundMs(ms: number): number {
  return Math.round(ms * MICROS_PER_MILLI) / MICROS_PER_MILLI;
}

/** What the flows of a run have in common: the clock, and the events in their order. */
export class QlogTrace {
  readonly #events: QlogEvent[] = [];
  #startNs: Nanos | undefined;

  add(group: string, nowNs: Nanos, name: string, data: QlogEvent["data"]): void {
    this.#startNs ??= nowNs;
    this.#events.push({ time: roundMs((nowNs - this.#startNs) / NANOS_PER_MILLI), group, name, data });
  }

  /** @param title such as scenario, algorithm and seed */
  text(title: string, description: string): string {
    const head = {
      qlog_format: "JSON-SEQ",
      qlog_version: "0.3",
      title,
      description,
      trace: {
        vantage_point: { type: "client", name: "sender" },
        common_fields: { time_format: "relative", reference_time: 0, ODCID: "00" },
      },
    };
    const hasGroups = this.#events.some(({ group }) => group !== this.#events[0]!.group);
    const events = this.#events.map(({ time, group, name, data }) =>
      hasGroups ? { time, group_id: group, name, data } : { time, name, data },
    );
    return [head, ...events].map((record) => `${RECORD_SEPARATOR}${JSON.stringify(record)}\n`).join("");
  }
}

/** Writes one flow's part of a trace. */
export class QlogRecorder {
  readonly #trace: QlogTrace;
  readonly #group: string;
  #last: Metrics = {};
  #state = "slow_start";
  /** the sequence that ends recovery; undefined until the ACK after its beginning tells it */
  #recoveryPoint: number | undefined;

  /** @param group id of the flow */
  constructor(trace: QlogTrace, group: string) {
    this.#trace = trace;
    this.#group = group;
  }

  /** Listens to a flow from its start on; call in `FlowSpec.onStart`. */
  attach(flow: NetworkFlow, nowNs: Nanos): void {
    const sender = flow.sender!;
    const packetBytes = sender.mssBytes + ACK_BYTES;
    this.#add(nowNs, "recovery:parameters_set", {
      max_datagram_size: packetBytes,
      initial_congestion_window: sender.cwndPackets * sender.mssBytes,
    });
    const transmit = sender.transmit.bind(sender);
    sender.transmit = (atNs) => {
      const txn = transmit(atNs);
      this.#add(atNs, "transport:packet_sent", {
        header: { packet_type: "1RTT", packet_number: txn },
        raw: { length: packetBytes },
      });
      return txn;
    };
    let lossNs = nowNs;
    let trigger = "reordering_threshold";
    sender.onLost = (txn) =>
      this.#add(lossNs, "recovery:packet_lost", {
        header: { packet_type: "1RTT", packet_number: txn },
        trigger,
      });
    const onAck = sender.onAck.bind(sender);
    sender.onAck = (atNs, arrivals) => {
      lossNs = atNs;
      trigger = "reordering_threshold";
      onAck(atNs, arrivals);
      this.#update(atNs, sender);
    };
    const onTimer = sender.onTimer.bind(sender);
    sender.onTimer = (atNs) => {
      lossNs = atNs;
      trigger = "pto_expired";
      this.#add(atNs, "recovery:loss_timer_updated", { timer_type: "pto", event_type: "expired" });
      onTimer(atNs);
      this.#update(atNs, sender);
    };
    const { control } = sender;
    const onCongestion = control.onCongestion.bind(control);
    control.onCongestion = (event: CongestionEvent) => {
      this.#recoveryPoint = undefined;
      this.#enter(event.nowUs * NANOS_PER_MICRO, "recovery", event.kind === "ecn" ? "ecn" : undefined);
      onCongestion(event);
    };
    const tellAck = control.onAck.bind(control);
    control.onAck = (ack: AckEvent) => {
      if (this.#state === "recovery") {
        this.#recoveryPoint ??= ack.nextSequence;
        if (ack.cumulativeSequence >= this.#recoveryPoint) {
          this.#enter(ack.nowUs * NANOS_PER_MICRO, "congestion_avoidance");
        }
      }
      tellAck(ack);
    };
  }

  #enter(nowNs: Nanos, state: string, trigger?: string): void {
    if (state === this.#state) return;
    this.#add(nowNs, "recovery:congestion_state_updated", { old: this.#state, new: state, trigger });
    this.#state = state;
  }

  /** qlog wants only what has changed. */
  #update(nowNs: Nanos, sender: Sender): void {
    const { rtt, control } = sender;
    const rate = control.pacingRateBytesPerSec;
    const metrics: Metrics = {
      ...(rtt.srttUs > 0 && {
        min_rtt: roundMs(rtt.minRttUs / MICROS_PER_MILLI),
        smoothed_rtt: roundMs(rtt.srttUs / MICROS_PER_MILLI),
        rtt_variance: roundMs(rtt.rttvarUs / MICROS_PER_MILLI),
      }),
      congestion_window: sender.cwndPackets * sender.mssBytes,
      bytes_in_flight: sender.inflightPackets * sender.mssBytes,
      packets_in_flight: sender.inflightPackets,
      ...(rate !== undefined && { pacing_rate: Math.round(8 * rate) }),
    };
    const changed = Object.entries(metrics).filter(([name, value]) => this.#last[name] !== value);
    if (changed.length > 0) this.#add(nowNs, "recovery:metrics_updated", Object.fromEntries(changed));
    this.#last = metrics;
  }

  #add(nowNs: Nanos, name: string, data: QlogEvent["data"]): void {
    this.#trace.add(this.#group, nowNs, name, data);
  }
}
