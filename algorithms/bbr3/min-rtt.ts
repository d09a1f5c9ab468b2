/** BBR.min_rtt and when ProbeRTT is due (draft-ietf-ccwg-bbr, "Updating BBR.min_rtt"): two filters, of which the shorter feeds the longer. */
import type { Micros } from "../../core/units.ts";

export class MinRtt {
  /** BBR.min_rtt; Infinity before the first sample */
  us: Micros = Infinity;
  /** BBR.probe_rtt_expired: the shorter filter has not seen its least for too long */
  isProbeDue = false;
  /** BBR.probe_rtt_min_delay */
  #recentUs: Micros = Infinity;
  #recentStampUs: Micros = 0;
  #stampUs: Micros = 0;
  /** BBR.ProbeRTTInterval, BBR.MinRTTFilterLen */
  readonly #probeEveryUs: Micros;
  readonly #windowUs: Micros;

  constructor(nowUs: Micros, probeEveryUs: Micros, windowUs: Micros) {
    this.#stampUs = this.#recentStampUs = nowUs;
    this.#probeEveryUs = probeEveryUs;
    this.#windowUs = windowUs;
  }

  /** UpdateMinRTT. @param rttUs 0: no sample */
  onAck(nowUs: Micros, rttUs: Micros): void {
    this.isProbeDue = nowUs > this.#recentStampUs + this.#probeEveryUs;
    if (rttUs > 0 && (rttUs < this.#recentUs || this.isProbeDue)) {
      this.#recentUs = rttUs;
      this.#recentStampUs = nowUs;
    }
    if (this.#recentUs < this.us || nowUs > this.#stampUs + this.#windowUs) {
      this.us = this.#recentUs;
      this.#stampUs = this.#recentStampUs;
    }
  }

  /** ProbeRTT has measured it. */
  onProbed(nowUs: Micros): void {
    this.#recentStampUs = nowUs;
  }
}
