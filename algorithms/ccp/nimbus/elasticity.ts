/**
 * Elasticity detection (Goyal et al., SIGCOMM 2022, section 3): cross traffic that answers ACKs takes on the rhythm of our pulses,
 * cross traffic that does not keeps its own. The estimate of its rate is looked at over 5 s in the frequency domain:
 *
 *   eta = |FFT_z(fp)| / max over f in (fp, 2 fp) of |FFT_z(f)|                                       equation (3)
 *
 * Samples come with reports, irregularly; they are drawn on a grid of 512 points in 5 s, of which 0.2 Hz are one bin and 5 Hz
 * exactly 25. A Hann window keeps slow swings of the estimate, such as Cubic's own period, out of the band; it makes a peak three
 * bins wide.
 */
import FFT from "fft.js";
import { MICROS_PER_SEC, type Micros } from "../../../core/units.ts";

/** Section 3.3: five seconds; a power of two of them, nearly a report each. */
const SPAN_US: Micros = 5 * MICROS_PER_SEC;
const POINTS = 512;
const STEP_US: Micros = SPAN_US / POINTS;
/** A longer silence leaves nothing to compare. */
const MAX_GAP_US: Micros = MICROS_PER_SEC / 2;
/** of the link: less cross traffic has no rhythm to speak of */
const NEGLIGIBLE = 0.05;
/** bins of a pulse's own peak on each side of it */
const PEAK_BINS = 1;

/** sin(pi x) for x from 0 to 1, within 0.002 (Bhaskara I): without the machine's trigonometry. */
export function halfSine(x: number): number {
  const bow = x * (1 - x);
  return (16 * bow) / (5 - 4 * bow);
}

/** sin^2, by what only adds and multiplies, so that it is the same on every machine */
const HANN: Float64Array = Float64Array.from({ length: POINTS }, (_, i) => halfSine(i / POINTS) ** 2);

export class ElasticityDetector {
  readonly #fft: FFT = new FFT(POINTS);
  /** ring of the last `POINTS` values on the grid */
  readonly #values = new Float64Array(POINTS);
  readonly #windowed: number[] = new Array<number>(POINTS).fill(0);
  readonly #spectrum: number[] = this.#fft.createComplexArray();
  readonly #pulseBin: number;
  #count = 0;
  #lastUs: Micros | undefined;
  #lastValue = 0;
  #nextUs: Micros = 0;

  /** @param pulseHz a multiple of 0.2 Hz, 1 to 20 */
  constructor(pulseHz: number) {
    // engines differ in the last bits of sines, which rounding takes away
    this.#fft.table = this.#fft.table.map(Math.fround);
    this.#pulseBin = Math.round((pulseHz * SPAN_US) / MICROS_PER_SEC);
  }

  /** A sample of the cross traffic's rate, as a share of the link's. */
  add(nowUs: Micros, value: number): void {
    if (this.#lastUs === undefined || nowUs - this.#lastUs > MAX_GAP_US) {
      this.#count = 0;
      this.#nextUs = nowUs;
    } else {
      const spanUs = Math.max(1, nowUs - this.#lastUs);
      for (; this.#nextUs <= nowUs; this.#nextUs += STEP_US) {
        const share = (this.#nextUs - this.#lastUs) / spanUs;
        this.#values[this.#count % POINTS] = this.#lastValue + share * (value - this.#lastValue);
        this.#count += 1;
      }
    }
    this.#lastUs = nowUs;
    this.#lastValue = value;
  }

  /** eta; 0 where there is hardly any cross traffic, undefined before 5 s of samples */
  elasticity(): number | undefined {
    if (this.#count < POINTS) return undefined;
    const mean = this.#values.reduce((sum, value) => sum + value, 0) / POINTS;
    if (mean < NEGLIGIBLE) return 0;
    for (let i = 0; i < POINTS; i++) {
      const value = this.#values[(this.#count + i) % POINTS]!;
      this.#windowed[i] = (value - mean) * HANN[i]!;
    }
    this.#fft.realTransform(this.#spectrum, this.#windowed);
    let other = 0;
    for (let bin = this.#pulseBin + PEAK_BINS + 1; bin < 2 * this.#pulseBin - PEAK_BINS; bin++) {
      other = Math.max(other, this.#powerAt(bin));
    }
    return Math.sqrt(this.#powerAt(this.#pulseBin) / Math.max(other, Number.MIN_VALUE));
  }

  #powerAt(bin: number): number {
    const real = this.#spectrum[2 * bin]!;
    const imaginary = this.#spectrum[2 * bin + 1]!;
    return real * real + imaginary * imaginary;
  }
}
