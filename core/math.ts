/**
 * exp, log, pow and friends with the same bits on every JavaScript engine: the language promises exact + - * / and sqrt only, so
 * everything here is built from those and from the bits of a double. Relative error stays below 2e-15. Models,
 * controllers and learners call these and never `Math.exp`, `Math.log`, `Math.pow`, `**`, `Math.cbrt` or `Math.tanh`.
 */

const SCRATCH = new DataView(new ArrayBuffer(8));

/** Exponent bias of an IEEE 754 double. */
const BIAS = 1023;
const TWO_POW_54 = 18_014_398_509_481_984;
/** ln 2 as a sum: the high part ends in 21 zero bits, so k * high is exact for every exponent k. */
const LN2_HIGH = 0.693_147_180_369_123_8;
const LN2_LOW = 1.908_214_929_270_587_7e-10;
const LOG2_E: number = Math.LOG2E;
const SQRT_HALF = 0.707_106_781_186_547_5;
/** Above this exp overflows, below the other it is 0. */
const EXP_MAX = 709.782_712_893_384;
const EXP_MIN = -745.133_219_101_941_2;
/** tanh differs from 1 by less than half a unit in the last place. */
const TANH_ONE = 19.1;
/** Up to here the exponential series needs no range reduction: ln(2)/2. */
const HALF_LN2 = 0.346_573_590_279_972_64;
/** Veltkamp's constant 2^27 + 1: splits a double into two halves whose products are exact. */
const SPLITTER = 134_217_729;

/** 1/n! for n = 2..14: the series of exp on +-ln(2)/2, where the first term left out is below 1e-19. */
const INVERSE_FACTORIALS: readonly number[] = (() => {
  const terms: number[] = [];
  let factorial = 1;
  for (let n = 2; n <= 14; n++) {
    factorial *= n;
    terms.push(1 / factorial);
  }
  return terms;
})();

/** 2^-k for the exponents k of normal doubles, by exponent + bias. */
const INVERSE_POWERS: Float64Array = Float64Array.from({ length: 2 * BIAS + 1 }, (_, biased) => {
  // 2^-1023 is no normal number, and the half of one that is
  if (biased === 2 * BIAS) return powerOfTwo(-BIAS + 1) / 2;
  return biased === 0 ? Number.NaN : powerOfTwo(BIAS - biased);
});

/** 2^k for a normal result, k in -1022..1023. */
function powerOfTwo(k: number): number {
  SCRATCH.setInt32(0, (k + BIAS) << 20);
  SCRATCH.setInt32(4, 0);
  return SCRATCH.getFloat64(0);
}

/** x * 2^k in two exact steps, since 2^k itself may lie outside the range of normal numbers. */
function scale(x: number, k: number): number {
  const half = Math.trunc(k / 2);
  return x * powerOfTwo(half) * powerOfTwo(k - half);
}

/** The value of sum over n >= 0 of coefficients[n] * x^n. */
function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let n = coefficients.length - 1; n >= 0; n--) sum = sum * x + coefficients[n]!;
  return sum;
}

/** e^x - 1 for |x| up to ln(2)/2. */
function smallExpMinusOne(x: number): number {
  return x + x * x * polynomial(INVERSE_FACTORIALS, x);
}

/** What `a * b` lost by rounding (Dekker's product), for factors far from overflow. */
function productError(a: number, b: number, product: number): number {
  const aBig = a * SPLITTER;
  const aHigh = aBig - (aBig - a);
  const aLow = a - aHigh;
  const bBig = b * SPLITTER;
  const bHigh = bBig - (bBig - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** x = mantissa * 2^exponent with the mantissa in [sqrt(1/2), sqrt(2)); x positive and finite. */
function decompose(x: number): { mantissa: number; exponent: number } {
  let exponent = 0;
  let normal = x;
  if (x < 2.225_073_858_507_201_4e-308) {
    normal = x * TWO_POW_54;
    exponent = -54;
  }
  SCRATCH.setFloat64(0, normal);
  const biased = SCRATCH.getInt32(0) >>> 20;
  exponent += biased - BIAS;
  let mantissa = normal * INVERSE_POWERS[biased]!; // exact
  if (mantissa * 0.5 >= SQRT_HALF) {
    mantissa *= 0.5;
    exponent += 1;
  }
  return { mantissa, exponent };
}

/**
 * The sum of 2/(2n + 1) x^(n - 1) for n = 1..11: the series of log(m) = 2 atanh((m - 1)/(m + 1)) after its first term. Written
 * out, since an environment's step takes six logarithms and the loop over an array is half of each.
 */
function atanhSeries(x: number): number {
  let sum = (2 / 23) * x + 2 / 21;
  sum = sum * x + 2 / 19;
  sum = sum * x + 2 / 17;
  sum = sum * x + 2 / 15;
  sum = sum * x + 2 / 13;
  sum = sum * x + 2 / 11;
  sum = sum * x + 2 / 9;
  sum = sum * x + 2 / 7;
  sum = sum * x + 2 / 5;
  return sum * x + 2 / 3;
}

/** log(m) as high + low for m in [sqrt(1/2), sqrt(2)); the sum is good to about 2^-68. */
function logOfMantissa(m: number): { high: number; low: number } {
  const f = m - 1;
  const d = m + 1;
  const dLow = m - (d - 1);
  const s = f / d;
  const product = s * d;
  const sLow = (f - product - productError(s, d, product) - s * dLow) / d;
  const s2 = s * s;
  const rest = 2 * sLow + s * s2 * atanhSeries(s2);
  const high = 2 * s + rest;
  return { high, low: rest - (high - 2 * s) };
}

/** Natural log as high + low; x positive and finite. */
function logParts(x: number): { high: number; low: number } {
  const { mantissa, exponent } = decompose(x);
  const ofMantissa = logOfMantissa(mantissa);
  if (exponent === 0) return ofMantissa;
  const big = exponent * LN2_HIGH; // exact
  const sum = big + ofMantissa.high; // |big| > |ofMantissa.high|
  const low = ofMantissa.high - (sum - big) + (ofMantissa.low + exponent * LN2_LOW);
  const high = sum + low;
  return { high, low: low - (high - sum) };
}

/** e^x. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > EXP_MAX) return Infinity;
  if (x < EXP_MIN) return 0;
  const k = Math.round(x * LOG2_E);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  return scale(1 + smallExpMinusOne(r), k);
}

/** Natural logarithm. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : Number.NaN;
  if (x === Infinity) return x;
  const { high, low } = logParts(x);
  return high + low;
}

/** Logarithm to base 2, exact for powers of two. */
export function log2(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : Number.NaN;
  if (x === Infinity) return x;
  const { mantissa, exponent } = decompose(x);
  const { high, low } = logOfMantissa(mantissa);
  return exponent + (high + low) * LOG2_E;
}

/** base^y for a base >= 0; NaN for a negative base, which no model here has. */
export function pow(base: number, y: number): number {
  if (y === 0) return 1;
  if (Number.isNaN(y) || !(base >= 0)) return Number.NaN;
  if (base === 1) return 1;
  if (y === 1) return base;
  if (base === 0) return y > 0 ? 0 : Infinity;
  if (base === Infinity) return y > 0 ? Infinity : 0;
  const { high, low } = logParts(base);
  const product = y * high;
  if (product > EXP_MAX + 1) return Infinity;
  if (product < EXP_MIN - 1) return 0;
  const correction = productError(y, high, product) + y * low;
  const k = Math.round(product * LOG2_E);
  const r = product - k * LN2_HIGH - (k * LN2_LOW - correction);
  const result = 1 + smallExpMinusOne(r);
  return k > 1023 ? scale(result, k - 1) * 2 : scale(result, k);
}

/** Cube root of any real number. */
export function cbrt(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  if (x < 0) return -cbrt(-x);
  const { mantissa, exponent } = decompose(x);
  const third = Math.floor(exponent / 3);
  const reduced = mantissa * powerOfTwo(exponent - 3 * third); // in [0.7, 5.7)
  let root = exp(log(reduced) / 3);
  root -= (root * root * root - reduced) / (3 * root * root);
  return scale(root, third);
}

/** Hyperbolic tangent. */
export function tanh(x: number): number {
  const size = Math.abs(x);
  if (!(size > 1e-9)) return x; // also NaN and -0
  if (size > TANH_ONE) return x < 0 ? -1 : 1;
  const doubled = 2 * size;
  const t = doubled <= HALF_LN2 ? smallExpMinusOne(doubled) : exp(doubled) - 1;
  const result = t / (t + 2);
  return x < 0 ? -result : result;
}
