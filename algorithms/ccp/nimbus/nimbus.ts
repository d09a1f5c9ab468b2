/**
 * Nimbus (Goyal et al., "Elasticity detection: a building block for Internet congestion control", SIGCOMM 2022): pulses its rate at
 * 5 Hz and looks whether the cross traffic takes on that rhythm. If so, it competes like Cubic; if not, it holds a small queue.
 *
 *   startup ── rate grows no more, or a loss ──▶ delay ── eta >= 2, or a queue that stays ──▶ competitive
 *      ▲                                          ▲ └──── eta lower for a while ────┘ │
 *      └──────────────── timeout ─────────────────┴───────────────────────────────────┘
 *
 * What it sees of the path, the cross traffic's rate z among it, is in `path-samples.ts`. A bundle lets its senders compete (`Passage`),
 * and holds its part itself beside what pauses as BBR does (`Holding`). Left out: how several Nimbus flows on one
 * link agree on who pulses.
 */
import type { CcpFlow, FlowControl, FlowInfo, Report } from "../../../ccp-bridge/agent/algorithm.ts";
import { type Bytes, MICROS_PER_MILLI, MICROS_PER_SEC, type Micros } from "../../../core/units.ts";
import type { AlgorithmSpec, ParamValues } from "../../spec.ts";
import { ElasticityDetector, halfSine } from "./elasticity.ts";
import { NIMBUS_PARAMS, type NimbusParams } from "./params.ts";
import { hasRtt, PathSamples, SAMPLES_PROGRAM } from "./path-samples.ts";
import { Pauses } from "./pauses.ts";
import {
  type CompetitiveRule,
  CubicWindow,
  delayRate,
  drainRate,
  Holding,
  Passage,
  type Sample,
} from "./rules.ts";
import { LATELY_US, MEMORY_US, Standing } from "./standing.ts";

/** Three times the packets that BBR has in flight beyond its two RTTs. */
const LEAST_PATH_PACKETS = 24;
/** Section 3.4: up for a quarter of the period, then down a third as far for the rest, so that nothing is sent in sum. */
const PULSE = { upShare: 1 / 4, depth: 1 / 3 };
/** BBR's startup: the pipe is full once three rounds bring less than a quarter more. */
const FULL = { growth: 1.25, rounds: 3 };
/** Of startup's bursts, so much faster than a window per RTT, others on the link have hardly a part: they arrive at its rate. */
const BURST_GAIN = 20;
/** of what a group's senders send: so much of it a dip holds back */
const MOST_HELD_BACK = 0.8;
/** of mu: no less is sent */
const LEAST_SHARE = 0.05;
/**
 * Ours: a queue of so many targets that stays for those 5 s is filled by others, whatever eta says. A flow that starts beside a full
 * queue has no right mu, and so no eta, until it has fought for a part of the link, from slow start on: it had none before. A
 * bundle, to which a mistake costs no part of the link, takes the queue's mean for it: where buffers are small, others' queues are
 * short now and then. On long paths the delay rule itself holds more than the target: it answers an RTT later.
 */
const LONG_QUEUE = { least: 2, mean: 1.4, rtts: 0.25 };
/**
 * Ours, for bundles: with the delay rule again it is on trial for 5 s. If it gets less than this of what it had, others have only
 * been quiet for eta, and it goes back, twice as long as the last time.
 */
const TRIAL = { us: MEMORY_US, least: 0.7, mostHoldSec: 60 };
/** In RTTs with it: by then the queue that its senders had made is gone, which takes the delay rule to less than its part. */
const DRAIN_ROUNDS = 3;
/** after so long nobody knows whether it stayed */
const SILENCE_US: Micros = MICROS_PER_SEC / 2;
const FIGHT_US: Micros = 10 * MICROS_PER_SEC;
/** The window only stops a flow whose ACKs do not come. */
const WINDOW_ROUNDS = 2;
const MIN_WINDOW_PACKETS = 4;
/** An RTT above the least by less is no queue. */
const NO_QUEUE_US: Micros = 2 * MICROS_PER_MILLI;
/** far above any link, and still a whole number as a double */
const MAX_BYTES = 1e14;

export type NimbusMode = "startup" | "delay" | "competitive";

export class NimbusFlow implements CcpFlow {
  readonly #control: FlowControl;
  readonly #mssBytes: Bytes;
  readonly #params: NimbusParams;
  #detector: ElasticityDetector;
  #mode: NimbusMode = "startup";
  readonly #path: PathSamples;
  /** packets/s, as all rates here */
  #baseRate = 0;
  /** z / mu while packets queued */
  #crossShare = 0;
  /** the path holds enough packets for a pause to be told from a cut */
  #isLong = false;
  readonly #startup = { packets: 0, delivered: 0, rate: 0, rounds: 0, roundUs: 0 };
  /** while it competes */
  #rule: CompetitiveRule | undefined;
  #elasticUs: Micros = 0;
  readonly #standing = new Standing();
  readonly #pauses = new Pauses();
  #holdSec: number;
  /** what it had before, packets/s, and from and until when it is judged */
  #trial: { readonly rate: number; readonly fromUs: Micros; readonly untilUs: Micros } | undefined;
  #elasticity: number | undefined;

  constructor(control: FlowControl, info: FlowInfo, params: ParamValues) {
    this.#control = control;
    this.#mssBytes = info.mssBytes;
    this.#params = params as NimbusParams;
    this.#holdSec = this.#params.holdSec;
    this.#path = new PathSamples(info.mssBytes, this.#params.linkMbps);
    this.#detector = new ElasticityDetector(this.#params.pulseHz);
    this.#startup.packets = info.initCwndBytes / info.mssBytes;
    control.setProgram("pulses", { Cwnd: info.initCwndBytes });
  }

  /** of senders that have windows of their own */
  get #isBundle(): boolean {
    return this.#params.passes !== 0;
  }

  get mode(): NimbusMode {
    return this.#mode;
  }

  /** eta of the last report; undefined: not enough seen yet */
  get elasticity(): number | undefined {
    return this.#elasticity;
  }

  onReport(report: Report): void {
    if (!hasRtt(report)) return;
    if (report.get("timeout") === 1) this.#restart(report.nowUs);
    const sample = this.#path.take(report);
    if (sample === undefined) return;
    const lostPackets = report.get("lost");
    if (this.#mode === "startup") this.#start(sample, lostPackets > 0);
    else this.#go(sample, lostPackets);
  }

  /** A timeout says that the path is not what it was; beside others, that there is no place for this window. */
  #restart(nowUs: Micros): void {
    if (this.#rule !== undefined) {
      this.#rule = this.#competitive(nowUs, MIN_WINDOW_PACKETS);
      return;
    }
    this.#mode = "startup";
    this.#detector = new ElasticityDetector(this.#params.pulseHz);
    this.#elasticity = undefined;
    this.#standing.clear(nowUs);
    this.#trial = undefined;
    Object.assign(this.#startup, { packets: MIN_WINDOW_PACKETS, delivered: 0, rate: 0, rounds: 0 });
  }

  #start({ nowUs, rttUs, deliveredPackets, linkRate, crossRate }: Sample, lost: boolean): void {
    const startup = this.#startup;
    startup.delivered += deliveredPackets;
    if (nowUs - startup.roundUs >= rttUs) {
      // a burst of ACKs may have been faster than what the window lets through
      const isHeldBack = startup.packets * MICROS_PER_SEC < linkRate * rttUs;
      const grows = isHeldBack || this.#path.largestRate >= FULL.growth * startup.rate;
      startup.rounds = grows ? 0 : startup.rounds + 1;
      if (grows) startup.rate = this.#path.largestRate;
      startup.packets += Math.min(startup.packets, startup.delivered);
      Object.assign(startup, { roundUs: nowUs, delivered: 0 });
    }
    if (lost || startup.rounds >= FULL.rounds) {
      this.#mode = "delay";
      this.#standing.begin(nowUs);
      this.#baseRate = Math.max(LEAST_SHARE * linkRate, linkRate - crossRate);
      this.#send(this.#baseRate, nowUs);
    } else {
      const rate = (BURST_GAIN * startup.packets * MICROS_PER_SEC) / rttUs;
      this.#set(startup.packets, rate);
    }
  }

  #go(sample: Sample, lostPackets: number): void {
    const { nowUs, rttUs, minRttUs, linkRate, crossRate } = sample;
    this.#isLong = linkRate * minRttUs >= LEAST_PATH_PACKETS * MICROS_PER_SEC;
    // where nothing queues, what arrives is what was sent, and z is whatever the link has left
    const isQueued = rttUs - minRttUs > NO_QUEUE_US;
    if (isQueued) this.#crossShare = crossRate / linkRate;
    this.#pauses.add(nowUs, isQueued ? this.#crossShare : 0);
    this.#detector.add(nowUs, this.#crossShare);
    this.#elasticity = this.#detector.elasticity();
    const targetUs = this.#params.targetMs * MICROS_PER_MILLI;
    if (nowUs - this.#standing.lastUs > SILENCE_US) this.#standing.begin(nowUs);
    this.#choose(sample, targetUs);
    this.#baseRate = this.#rule?.rate(sample, lostPackets) ?? delayRate(sample, targetUs);
    this.#baseRate = Math.min(2 * linkRate, Math.max(LEAST_SHARE * linkRate, this.#baseRate));
    const { sendRate } = sample;
    this.#standing.add({ atUs: nowUs, rate: this.#baseRate, sendRate, queueUs: rttUs - minRttUs });
    // who pauses measures the path, and takes what others leave in the queue for a part of it
    const mayMeasure = this.#isBundle && this.#rule !== undefined && this.#pauses.isPausing;
    const drained = mayMeasure && this.#pausesCount(nowUs) ? drainRate(sample) : undefined;
    if (drained === undefined) this.#send(this.#baseRate, nowUs);
    else this.#sendAt(drained, drained);
  }

  #choose({ nowUs, minRttUs }: Sample, targetUs: Micros): void {
    // others answer a pulse after an RTT, when the next one is on its way: to a bundle, whose trials find out, that says nothing
    const isSeen =
      (this.#elasticity ?? 0) >= this.#params.threshold &&
      !(this.#isBundle && this.#path.rttUs > MICROS_PER_SEC / this.#params.pulseHz);
    if (this.#mode === "competitive") {
      const isCapped = this.#isBundle && this.#mayBeBbr(nowUs);
      if (isCapped !== this.#rule instanceof Holding) this.#compete(nowUs, false);
      const recurs = this.#isBundle && this.#pauses.recur(nowUs);
      if (isSeen || recurs) this.#elasticUs = Math.max(this.#elasticUs, nowUs);
      else if (nowUs - this.#elasticUs > this.#holdSec * MICROS_PER_SEC && !this.#pauses.mayRecur(nowUs))
        this.#yield(nowUs);
      return;
    }
    if (this.#trial !== undefined && nowUs < this.#trial.fromUs) return;
    const standing = this.#standing;
    const queueUs = standing.queueUs(nowUs) ?? { least: 0, mean: 0 };
    const measure = this.#isBundle ? "mean" : "least";
    const longUs = Math.max(LONG_QUEUE[measure] * targetUs, this.#isBundle ? LONG_QUEUE.rtts * minRttUs : 0);
    const queueStays = queueUs[measure] > longUs;
    const hasFailed =
      this.#trial !== undefined && standing.gets(nowUs, TRIAL.least * this.#trial.rate) === "less";
    // held up, the boxes take a mu that is too large, and their own pulses for others': who holds a short queue and loses nothing goes on so
    const isHarmful = !this.#isBundle || standing.isLosing(nowUs);
    if (hasFailed) this.#holdSec = Math.min(TRIAL.mostHoldSec, 2 * this.#holdSec);
    else if (this.#trial !== undefined && nowUs > this.#trial.untilUs) {
      this.#trial = undefined;
      this.#holdSec = this.#params.holdSec;
    }
    if (queueStays || hasFailed || (isSeen && isHarmful)) {
      this.#elasticUs = nowUs + (queueStays ? FIGHT_US : 0);
      this.#compete(nowUs, queueStays);
    }
  }

  /** On a path of few packets a Cubic's cut looks like a pause: there they have to recur. */
  #pausesCount(nowUs: Micros): boolean {
    return this.#isLong || this.#pauses.recur(nowUs);
  }

  #mayBeBbr(nowUs: Micros): boolean {
    return this.#pausesCount(nowUs) && this.#pauses.mayRecur(nowUs);
  }

  #compete(nowUs: Micros, starts: boolean): void {
    // a first pause makes `Passage` a `Holding`, and what is left of it counts
    if (!(this.#rule instanceof Passage)) this.#pauses.disturb(nowUs);
    this.#mode = "competitive";
    const rate = Math.max(this.#trial?.rate ?? this.#standing.rateBefore, this.#baseRate);
    this.#trial = undefined;
    this.#rule = this.#competitive(nowUs, (rate * this.#path.rttUs) / MICROS_PER_SEC, starts);
  }

  /** The delay rule is tried again. */
  #yield(nowUs: Micros): void {
    this.#pauses.disturb(nowUs);
    this.#mode = "delay";
    this.#rule = undefined;
    const drainedUs = nowUs + DRAIN_ROUNDS * this.#path.rttUs;
    const rate = this.#standing.meanRate;
    if (this.#isBundle) this.#trial = { rate, fromUs: drainedUs + LATELY_US, untilUs: drainedUs + TRIAL.us };
    this.#standing.begin(this.#isBundle ? drainedUs : nowUs);
  }

  /** @param packets of an RTT, which it begins with */
  #competitive(nowUs: Micros, packets: number, starts = false): CompetitiveRule {
    const { flows, pulseHz } = this.#params;
    if (!this.#isBundle) return new CubicWindow(nowUs, packets, flows, starts);
    if (this.#mayBeBbr(nowUs)) return new Holding(nowUs);
    return new Passage(nowUs, (packets * MICROS_PER_SEC) / this.#path.rttUs, MICROS_PER_SEC / pulseHz);
  }

  /** The base rate with the pulse of this moment. */
  #send(baseRate: number, nowUs: Micros): void {
    const { pulse, pulseHz } = this.#params;
    const { linkRate } = this.#path;
    const height = pulse * linkRate;
    const phase = ((nowUs * pulseHz) / MICROS_PER_SEC) % 1;
    const { upShare, depth } = PULSE;
    const strong = phase < upShare ? halfSine(phase / upShare) : 0;
    const weak = phase < upShare ? 0 : depth * halfSine((phase - upShare) / (1 - upShare));
    const held = Math.min(height, MOST_HELD_BACK * baseRate) * strong;
    const passing = strong > 0 ? baseRate - held : linkRate;
    const gate = this.#rule?.gate ?? "pulsed";
    const rates = { open: passing, pulsed: baseRate + height * (strong - weak), steady: baseRate };
    const rate = rates[gate];
    const roundRate = gate === "open" ? linkRate : baseRate;
    this.#sendAt(rate, roundRate);
  }

  /** @param roundRate packets/s, of which the window has two RTTs */
  #sendAt(rate: number, roundRate: number): void {
    const { linkRate, rttUs } = this.#path;
    const packets = Math.max(MIN_WINDOW_PACKETS, (WINDOW_ROUNDS * roundRate * rttUs) / MICROS_PER_SEC);
    this.#set(packets, Math.max(rate, (LEAST_SHARE / 2) * linkRate));
  }

  #set(packets: number, rate: number): void {
    const [cwndBytes, bytesPerSec] = [packets * this.#mssBytes, Math.max(1, rate * this.#mssBytes)];
    this.#control.setWindow(Math.min(cwndBytes, MAX_BYTES), Math.min(bytesPerSec, MAX_BYTES));
  }
}

export const nimbus: AlgorithmSpec = {
  name: "nimbus",
  summary:
    "pulses its rate and looks for the rhythm in cross traffic: holds a small queue beside what does not answer, competes like Cubic with what does",
  source: "Goyal et al., SIGCOMM 2022",
  reads: ["delivery-rate", "rtt", "loss", "timeout"],
  params: NIMBUS_PARAMS,
  ccp: (params) => ({
    name: "nimbus",
    programs: { pulses: SAMPLES_PROGRAM },
    newFlow: (control, info) => new NimbusFlow(control, info, params),
  }),
};
