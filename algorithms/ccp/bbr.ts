/**
 * BBR v1 as a CCP algorithm: Cardwell et al., "BBR: congestion-based congestion control", ACM Queue 14(5), 2016;
 * draft-cardwell-iccrg-bbr-congestion-control-00; behaviour of Linux where the draft is silent. Rates and windows are in
 * payload bytes, for which the draft's packets stand.
 *
 *   STARTUP ── three rounds without 25 % more bandwidth ──▶ DRAIN ── inflight <= BDP ──▶ PROBE_BW (gain 5/4, 3/4, 1 x 6)
 *     ▲ ▲                                                     │                            ▲ │
 *     │ └── pipe not yet full ── PROBE_RTT ◀── minimum RTT 10 s old ───────────────────────┼─┘
 *     └──── timeout: the pipe is measured anew     └──── 200 ms at 4 packets, pipe full ───┘
 *
 * The program paces and sizes the window on every ACK from the agent's filters and gains; the agent runs the state machine.
 * It hears of every round (one RTT by send time), and of an alarm: `span` microseconds have passed and inflight has
 * reached `above` (or something was lost), or inflight has fallen below `below`.
 * ACKs that come in lumps, as over cellular links and Wi-Fi, would leave the sender idle between them with a window of two BDP:
 * the window grows by the most that was acknowledged beyond what the bandwidth explains (Linux's extra_acked; IETF 102, iccrg,
 * "BBR congestion control: aggregation"). Left out on purpose: long-term bandwidth sampling against policers, app-limited
 * samples (no primitive tells of them).
 */
import type { CcpFlow, FlowControl, FlowInfo, Report } from "../../ccp-bridge/agent/algorithm.ts";
import {
  type Bytes,
  type BytesPerSec,
  MICROS_PER_MILLI,
  MICROS_PER_SEC,
  type Micros,
} from "../../core/units.ts";
import type { AlgorithmSpec } from "../spec.ts";
import { RoundMax } from "./parts/round-max.ts";

/**
 * Rounds after PROBE_RTT whose samples still measure the four packets in flight, not the path: the round that refills the
 * pipe, the one its samples belong to, and the one under way at the end. Linux marks those samples application-limited.
 */
const REFILL_ROUNDS = 3;
/** Draft 4.2.3.2 BBRMinPipeCwnd: enough for ACKs of every other packet to keep flowing. */
const MIN_CWND_PACKETS = 4;
/** Draft 4.3.4.3: probe, drain the probe's queue, cruise for six rounds. */
const CYCLE_PHASES = 8;
/** Draft 4.3.4.3: a cycle never starts by draining, for there is nothing to drain yet. */
const FIRST_PHASES: readonly number[] = [0, 2, 3, 4, 5, 6, 7];
/** Draft 4.3.2.2: the pipe is full if bandwidth grew by less than a quarter ... */
const FULL_PIPE_GROWTH = 1.25;
/** ... in three rounds: one to fill the receive window's tuning, two to be sure. */
const FULL_PIPE_ROUNDS = 3;
/** Draft 4.2.2 and Linux: bursts of about 1 ms, at most 64 KiB with headers, at least two packets (one below 1.2 Mbit/s). */
const QUANTA_PER_SEC = 1024;
const MAX_QUANTUM_BYTES = 65_000;
const SLOW_RATE_BYTES_PER_SEC = 150_000;
/** Draft 4.2.3.2: the window leaves room for three bursts: at the sender, in the network, at the receiver. */
const QUANTA_IN_WINDOW = 3;
/** Linux: so that probing gets inflight above even a small BDP. */
const PROBE_PACKETS = 2;
/** Linux: 1 % below the estimate, so that a standing queue drains. */
const PACING_SHARE = 0.99;
/** Linux: aggregation is remembered for 5 to 10 rounds, in two windows of 5. */
const AGGREGATION_ROUNDS = 5;
/** Draft 4.3.2.1: 2/ln 2, the least gain that doubles the sending rate every round; its inverse drains in one round what it queued. */
const STARTUP_GAIN = 2.885;
/** Gains in the program are whole thousandths. */
const GAIN_UNIT = 1000;
/** Control variables of the program: no time limit, and never below. */
const NEVER_US = 0xffff_ffff;
const NO_CAP = 0xffff_ffff;

/**
 * Loss handling as Linux's v1: in the first round of recovery the window conserves packets (inflight plus what was
 * delivered), after recovery it is restored. An epoch of ACKs lasts as long as more is acknowledged than the bandwidth
 * explains; its excess is allowed for, up to 100 ms of the bandwidth. Windows are whole pairs of packets, as Linux's are, so
 * that delayed ACKs leave none behind.
 */
const PROGRAM = `
(def
  (Report
    (volatile rate 0)
    (volatile rtt +infinity)
    (volatile round 0)
    (volatile alarm 0)
    (volatile timeout 0)
    (volatile excess 0)
    (inflight 0)
    (cwnd 0)
    (conserveSince 0)
    (phaseStart 0)
    (roundStart 0)
    (epochStart 0)
    (epochBytes 0)
  )
  (mss 1448) (filterRate 0) (minRtt 0) (pacingGain 2885) (cwndGain 2885) (filled 0) (extra 0)
  (span +infinity) (above 0) (below 0) (cap +infinity)
  (una 0) (sacked 0) (recover 0) (priorCwnd 0) (aggregation 0)
)
(when true
  (:= delivered (+ (- Ack.bytes_acked (min Ack.bytes_acked sacked)) Ack.bytes_misordered))
  (:= una (+ una Ack.bytes_acked))
  (:= sacked (+ (- sacked (min sacked Ack.bytes_acked)) Ack.bytes_misordered))
  (:= Report.rate (max Report.rate (min Flow.rate_incoming Flow.rate_outgoing)))
  (:= Report.rtt (min Report.rtt Flow.rtt_sample_us))
  (:= Report.inflight Flow.bytes_in_flight)
  (:= rate (max filterRate Report.rate))
  (:= pace (/ (* (/ (* rate pacingGain) 1000) 99) 100))
  (:= expected (/ (* rate (- Ack.now Report.epochStart)) 1000000))
  (fallthrough)
)
(when (&& (> delivered 0) (> (+ expected 1) Report.epochBytes))
  (:= Report.epochStart Ack.now)
  (:= Report.epochBytes 0)
  (:= expected 0)
)
(when (> delivered 0)
  (:= Report.epochBytes (+ Report.epochBytes delivered))
  (:= Report.excess (max Report.excess (min Cwnd (- Report.epochBytes (min Report.epochBytes expected)))))
)
(when true
  (:= target (/ (* (/ (* rate minRtt) 1000000) cwndGain) 1000))
  (:= target (+ target (* filled (min (max aggregation Report.excess) (/ rate 10)))))
  (:= target (+ extra (* (* 2 mss) (/ (+ target (- (* 2 mss) 1)) (* 2 mss)))))
)
(when (> pace 0)
  (:= Rate (max pace (* Rate (- 1 filled))))
)
(when (> Ack.lost_pkts_sample 0)
  (:= Cwnd (- (max Cwnd mss) (min (- (max Cwnd mss) mss) (* mss Ack.lost_pkts_sample))))
)
(when (&& Flow.was_timeout true)
  (:= priorCwnd (max priorCwnd Cwnd))
  (:= recover (max recover (+ (+ una sacked) (+ Flow.bytes_in_flight (* mss Ack.lost_pkts_sample)))))
  (:= Report.conserveSince 0)
  (:= Report.timeout 1)
  (:= Cwnd (+ Flow.bytes_in_flight mss))
  (report)
)
(when (&& (> Ack.lost_pkts_sample 0) (> (+ una 1) recover))
  (:= priorCwnd (max priorCwnd (+ Cwnd (* mss Ack.lost_pkts_sample))))
  (:= recover (+ (+ una sacked) (+ Flow.bytes_in_flight (* mss Ack.lost_pkts_sample))))
  (:= Report.conserveSince Ack.now)
  (:= Report.roundStart Ack.now)
  (:= Cwnd (+ Flow.bytes_in_flight (max delivered mss)))
)
(when (&& (> priorCwnd 0) (> (+ una 1) recover))
  (:= Cwnd (max Cwnd priorCwnd))
  (:= priorCwnd 0)
  (:= Report.conserveSince 0)
)
(when (> (+ Ack.now 1) (+ Flow.rtt_sample_us Report.roundStart))
  (:= Report.roundStart Ack.now)
  (:= Report.conserveSince 0)
  (:= Report.round 1)
  (report)
)
(when (&& (> Report.conserveSince 0) (> delivered 0))
  (:= Cwnd (max Cwnd (+ Flow.bytes_in_flight delivered)))
)
(when (&& (== Report.conserveSince 0) (&& (> delivered 0) (|| (== filled 1) (< Cwnd target))))
  (:= Cwnd (+ Cwnd delivered))
)
(when (&& (== filled 1) (&& (== Report.conserveSince 0) (> delivered 0)))
  (:= Cwnd (max (* 4 mss) (min Cwnd target)))
)
(when (&& (> Ack.now (+ Report.phaseStart span)) (|| (> (+ Flow.bytes_in_flight (+ delivered 1)) above) (> Ack.lost_pkts_sample 0)))
  (:= Report.alarm 1)
)
(when (< Flow.bytes_in_flight below)
  (:= Report.alarm 1)
)
(when (> Report.alarm 0)
  (:= Report.phaseStart Ack.now)
  (:= span +infinity)
  (:= below 0)
  (report)
)
(when (> Cwnd cap)
  (:= Cwnd cap)
)
(when true
  (:= Report.cwnd Cwnd)
)`;

type State =
  | { readonly kind: "startup" }
  | { readonly kind: "drain" }
  | { readonly kind: "probe-bw"; readonly phase: number }
  | { readonly kind: "probe-rtt"; readonly step: "draining" | "holding"; readonly cwndBefore: Bytes };

class BbrFlow implements CcpFlow {
  readonly #control: FlowControl;
  readonly #mssBytes: Bytes;
  readonly #firstPhase: number;
  readonly #bandwidth: RoundMax;
  readonly #params: BbrParams;
  #state: State = { kind: "startup" };
  #pipe: { readonly kind: "filling" | "full"; readonly bandwidth: BytesPerSec; readonly flatRounds: number } =
    {
      kind: "filling",
      bandwidth: 0,
      flatRounds: 0,
    };
  readonly #aggregation: RoundMax = new RoundMax(1);
  #roundsOfWindow = 0;
  /** rounds until bandwidth samples count again */
  #refillRounds = 0;
  #minRttUs: Micros = Infinity;
  #minRttAtUs: Micros;
  /** what the program's knobs were last set to */
  #lastKnobs: Record<string, number> = {};

  constructor(control: FlowControl, info: FlowInfo, params: BbrParams) {
    this.#params = params;
    this.#bandwidth = new RoundMax(params.bandwidthRounds);
    this.#control = control;
    this.#mssBytes = info.mssBytes;
    this.#minRttAtUs = info.nowUs;
    // The draft draws the phase at random so that flows do not probe together; flow ids spread them as well.
    this.#firstPhase = FIRST_PHASES[info.flowId % FIRST_PHASES.length]!;
    control.setProgram("bbr", { mss: info.mssBytes, Cwnd: info.initCwndBytes, ...this.#startupKnobs() });
  }

  /** A flow whose first packets were all lost has no sample yet: its alarm never rings. */
  get #knownRttUs(): Micros {
    return Math.min(this.#minRttUs, NEVER_US);
  }

  onReport(report: Report): void {
    const fields: Record<string, number> = {};
    const hadRtt = this.#minRttUs !== Infinity;
    this.#bandwidth.add(report.get("rate"));
    this.#aggregation.add(report.get("excess"));
    if (report.get("timeout") === 1) this.#pipe = { ...this.#pipe, bandwidth: 0 };
    if (report.get("round") === 1) {
      this.#checkFullPipe();
      this.#ageBandwidth();
      this.#ageAggregation();
    }
    this.#move(report, fields);
    this.#updateMinRtt(report, fields);

    if (!hadRtt && this.#minRttUs !== Infinity) {
      // Draft 4.2.1 BBRInitPacingRate: before any bandwidth sample, the window over the first RTT.
      const rate = (this.#params.startupGain * report.get("cwnd") * MICROS_PER_SEC) / this.#minRttUs;
      fields["Rate"] = Math.floor(Math.min(rate, Number.MAX_SAFE_INTEGER));
    }
    this.#turnKnobs(fields);
    this.#control.updateFields(fields);
  }

  /** Adds the knobs that the program has otherwise, and all of them once a cycle, should an update be lost on its way. */
  #turnKnobs(fields: Record<string, number>): void {
    const knobs = this.#knobs();
    const last = this.#lastKnobs;
    const isRefresh = this.#state.kind !== "probe-bw" || this.#state.phase === 0;
    for (const name in knobs) if (isRefresh || knobs[name] !== last[name]) fields[name] = knobs[name]!;
    this.#lastKnobs = knobs;
  }

  /** A round is over; the oldest sample falls out unless the rounds before measured PROBE_RTT's own window. */
  #ageBandwidth(): void {
    if (this.#state.kind === "probe-rtt") this.#refillRounds = REFILL_ROUNDS;
    else if (this.#refillRounds > 0) this.#refillRounds -= 1;
    else this.#bandwidth.advance();
  }

  #ageAggregation(): void {
    this.#roundsOfWindow = (this.#roundsOfWindow + 1) % AGGREGATION_ROUNDS;
    if (this.#roundsOfWindow === 0) this.#aggregation.advance();
  }

  /** Draft 4.3.2.2 BBRCheckFullPipe, once per round. */
  #checkFullPipe(): void {
    const pipe = this.#pipe;
    if (pipe.kind === "full") return;
    const bandwidth = this.#bandwidth.value;
    if (bandwidth >= pipe.bandwidth * FULL_PIPE_GROWTH) {
      this.#pipe = { kind: "filling", bandwidth, flatRounds: 0 };
      return;
    }
    const flatRounds = pipe.flatRounds + 1;
    this.#pipe = { ...pipe, kind: flatRounds >= FULL_PIPE_ROUNDS ? "full" : "filling", flatRounds };
  }

  /** The state machine; `fields` gets the alarm of a state just entered, and the window when PROBE_RTT ends. */
  #move(report: Report, fields: Record<string, number>): void {
    const alarm = report.get("alarm") === 1;
    const state = this.#state;
    switch (state.kind) {
      case "startup":
        if (this.#pipe.kind === "full") this.#enter({ kind: "drain" }, fields);
        return;
      case "drain":
        if (alarm) this.#enter({ kind: "probe-bw", phase: this.#firstPhase }, fields);
        else this.#setAlarm(fields); // the bandwidth may have changed
        return;
      case "probe-bw":
        if (alarm) this.#enter({ kind: "probe-bw", phase: (state.phase + 1) % CYCLE_PHASES }, fields);
        return;
      case "probe-rtt":
        if (!alarm) return;
        if (state.step === "draining") {
          this.#enter({ ...state, step: "holding" }, fields);
          return;
        }
        this.#minRttAtUs = report.nowUs;
        fields["Cwnd"] = Math.max(report.get("cwnd"), state.cwndBefore);
        this.#enter(
          this.#pipe.kind === "full" ? { kind: "probe-bw", phase: this.#firstPhase } : { kind: "startup" },
          fields,
        );
    }
  }

  #enter(state: State, fields: Record<string, number>): void {
    this.#state = state;
    this.#setAlarm(fields);
  }

  /** When the program is to report that the current state, or phase, has done its work. */
  #setAlarm(fields: Record<string, number>): void {
    const state = this.#state;
    const bdp = this.#inflightBytes(1);
    let alarm = { span: NEVER_US, above: 0, below: 0 };
    if (state.kind === "drain") alarm = { span: NEVER_US, above: 0, below: bdp + 1 };
    if (state.kind === "probe-rtt") {
      alarm =
        state.step === "draining"
          ? { span: NEVER_US, above: 0, below: MIN_CWND_PACKETS * this.#mssBytes + 1 }
          : {
              span: Math.ceil(Math.max(this.#params.probeRttMs * MICROS_PER_MILLI, this.#knownRttUs)),
              above: 0,
              below: 0,
            };
    }
    if (state.kind === "probe-bw") {
      const gain = this.#cycleGain(state.phase);
      // Draft 4.3.4.3: probing lasts until its queue could form or something was lost, draining until it is gone.
      alarm = {
        span: Math.floor(this.#knownRttUs),
        above: gain > 1 ? this.#inflightBytes(gain) : 0,
        below: gain < 1 ? bdp + 1 : 0,
      };
    }
    Object.assign(fields, alarm);
  }

  /** Draft 4.1.2, 4.3.4.2: a lower RTT counts at once; after 10 s without one the flow steps aside to measure it. */
  #updateMinRtt(report: Report, fields: Record<string, number>): void {
    const rttUs = report.get("rtt");
    const expired = report.nowUs > this.#minRttAtUs + this.#params.minRttWindowSec * MICROS_PER_SEC;
    if (rttUs !== NEVER_US && (rttUs < this.#minRttUs || expired)) {
      this.#minRttUs = rttUs;
      this.#minRttAtUs = report.nowUs;
    }
    if (expired && this.#state.kind !== "probe-rtt") {
      this.#enter({ kind: "probe-rtt", step: "draining", cwndBefore: report.get("cwnd") }, fields);
    }
  }

  #knobs(): Record<string, number> {
    const { pacing, cwnd } = this.#gains();
    return {
      filterRate: Math.floor(this.#bandwidth.value),
      minRtt: this.#minRttUs === Infinity ? 0 : Math.floor(this.#minRttUs),
      pacingGain: Math.round(pacing * GAIN_UNIT),
      cwndGain: Math.round(cwnd * GAIN_UNIT),
      filled: this.#pipe.kind === "full" ? 1 : 0,
      extra: this.#mssBytes * this.#burstRoomPackets(pacing),
      aggregation: this.#aggregation.value,
      cap: this.#state.kind === "probe-rtt" ? MIN_CWND_PACKETS * this.#mssBytes : NO_CAP,
    };
  }

  /** The gains that the program has by itself are the usual ones. */
  #startupKnobs(): Record<string, number> {
    const { startupGain } = this.#params;
    if (startupGain === STARTUP_GAIN) return {};
    const gain = Math.round(startupGain * GAIN_UNIT);
    return { pacingGain: gain, cwndGain: gain };
  }

  #cycleGain(phase: number): number {
    const { probeGain } = this.#params;
    if (phase === 0) return probeGain;
    // what the probe queued in a round is drained in the next
    return phase === 1 ? 2 - probeGain : 1;
  }

  #gains(): { readonly pacing: number; readonly cwnd: number } {
    const state = this.#state;
    switch (state.kind) {
      case "startup":
        return { pacing: this.#params.startupGain, cwnd: this.#params.startupGain };
      case "drain":
        return { pacing: 1 / this.#params.startupGain, cwnd: this.#params.startupGain };
      case "probe-bw":
        return { pacing: this.#cycleGain(state.phase), cwnd: this.#params.cwndGain };
      case "probe-rtt":
        return { pacing: 1, cwnd: 1 };
    }
  }

  /** Draft 4.2.3.2 BBRInflight: gain times the estimated BDP, plus room for bursts, in pairs of packets. */
  #inflightBytes(gain: number): Bytes {
    if (this.#minRttUs === Infinity) return 0;
    const bdp = (this.#bandwidth.value * this.#minRttUs) / MICROS_PER_SEC;
    const pairs = Math.ceil((gain * bdp) / (2 * this.#mssBytes));
    return this.#mssBytes * (2 * pairs + this.#burstRoomPackets(this.#gains().pacing));
  }

  #burstRoomPackets(pacingGain: number): number {
    const rate = PACING_SHARE * pacingGain * this.#bandwidth.value;
    const burst = Math.floor(Math.min(rate / QUANTA_PER_SEC, MAX_QUANTUM_BYTES) / this.#mssBytes);
    const probes = this.#state.kind === "probe-bw" && this.#state.phase === 0;
    const least = rate < SLOW_RATE_BYTES_PER_SEC ? 1 : 2;
    return QUANTA_IN_WINDOW * Math.max(burst, least) + (probes ? PROBE_PACKETS : 0);
  }
}

interface BbrParams {
  readonly startupGain: number;
  readonly probeGain: number;
  readonly cwndGain: number;
  readonly bandwidthRounds: number;
  readonly minRttWindowSec: number;
  readonly probeRttMs: number;
}

export const bbr: AlgorithmSpec = {
  name: "bbr",
  summary:
    "paces at the measured bottleneck bandwidth and keeps at most two bandwidth-delay products in flight",
  source: "Cardwell et al., ACM Queue 14(5), 2016; draft-cardwell-iccrg-bbr-congestion-control-00",
  reads: ["delivery-rate", "rtt", "loss", "timeout"],
  params: [
    {
      name: "startupGain",
      unit: "1",
      low: 1.5,
      high: 4,
      default: STARTUP_GAIN,
      why: "2/ln 2, the least that doubles the rate every round; DRAIN has its inverse (draft 4.3.2.1)",
    },
    {
      name: "probeGain",
      unit: "1",
      low: 1.01,
      high: 1.9,
      default: 1.25,
      why: "of the round that probes; the next has 2 less it (draft 4.3.4.3)",
    },
    {
      name: "cwndGain",
      unit: "BDP",
      low: 1,
      high: 10,
      default: 2,
      why: "the window rides over delayed and stretched ACKs (draft 4.3.5)",
    },
    {
      name: "bandwidthRounds",
      unit: "rounds",
      low: 2,
      high: 100,
      default: 10,
      whole: true,
      why: "longer than the cycle's 8, so that each probe is remembered until the next (draft 4.1.1.3)",
    },
    {
      name: "minRttWindowSec",
      unit: "s",
      low: 0.5,
      high: 1000,
      default: 10,
      why: "long enough for idle moments of other flows, short against route changes (draft 4.1.2.3)",
    },
    {
      name: "probeRttMs",
      unit: "ms",
      low: 1,
      high: 10_000,
      default: 200,
      why: "PROBE_RTT lasts so long, and at least one round (draft 4.3.4.1)",
    },
  ],
  ccp: (params) => ({
    name: "bbr",
    programs: { bbr: PROGRAM },
    newFlow: (control, info) => new BbrFlow(control, info, params as unknown as BbrParams),
  }),
};
