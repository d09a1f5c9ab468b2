/** Constants of draft-ietf-ccwg-bbr that are no parameters, under the draft's names. */
import { MICROS_PER_SEC } from "../../core/units.ts";

/** BBR.StartupPacingGain: 4 ln 2, the least that doubles the rate each round. */
export const STARTUP_PACING_GAIN = 2.77;
/** BBR.DrainPacingGain: drains in a round what Startup's window of two BDP queued. */
export const DRAIN_PACING_GAIN = 0.5;
/** Sections ProbeBW_DOWN and ProbeBW_UP. */
export const DOWN_PACING_GAIN = 0.9;
export const UP_PACING_GAIN = 1.25;
/** BBR.DefaultCwndGain; ProbeBW_UP has a quarter more, so that the window does not stop the probe. */
export const DEFAULT_CWND_GAIN = 2;
export const UP_CWND_GAIN = 2.25;
/** BBR.ProbeRTTCwndGain */
export const PROBE_RTT_CWND_GAIN = 0.5;
/** BBR.PacingMarginPercent: 1 % below the estimate drains standing queues. */
export const PACING_SHARE = 0.99;
/** BBR.MinPipeCwnd: enough for ACKs of every other packet to keep flowing. */
export const MIN_PIPE_PACKETS = 4;

/** Section "Exiting Acceleration Based on Bandwidth Plateau": less than a quarter more in three rounds. */
export const FULL_BW_GROWTH = 1.25;
export const FULL_BW_ROUNDS = 3;
/** BBRStartupFullLossCnt: so many ranges lost in a round tell a full queue from noise. */
export const STARTUP_LOST_RANGES = 6;
/** Linux v3, full_ecn_cnt: rounds with too many marks after which Startup ends. */
export const STARTUP_ECN_ROUNDS = 2;
/** Section "Drain": what interactions with others made of the estimate may keep inflight up; three rounds are enough. */
export const DRAIN_ROUNDS = 3;

/** T_reno_bound: rounds between probes up to which Reno on the same path keeps pace. */
export const RENO_ROUNDS = 63;
/** PickProbeWait: U(2 s, 3 s) */
export const PROBE_WAIT_BASE_US: number = 2 * MICROS_PER_SEC;
export const PROBE_WAIT_SPREAD_US: number = MICROS_PER_SEC;
/** RaiseInflightLongtermSlope: 2^30 packets are beyond any window. */
export const MAX_UP_ROUNDS = 30;

/** BBR.ExtraAckedFilterLen, and what Startup remembers, rounds */
export const EXTRA_ACKED_ROUNDS = 10;
export const EXTRA_ACKED_STARTUP_ROUNDS = 1;
/** SetSendQuantum: 1 ms of the pacing rate, between two packets and 64 KB. */
export const QUANTUM_US = 1_000;
export const MAX_QUANTUM_BYTES: number = 64 * 1024;
export const MIN_QUANTUM_PACKETS = 2;
/** InitPacingRate: the round trip that is assumed before the first sample */
export const NOMINAL_RTT_US = 1_000;
